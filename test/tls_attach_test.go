package e2e

import (
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// only is an exporter that measures no services but those on these ports.
func only(t testing.TB, ports ...int) *harness.Exporter {
	t.Helper()
	config := "open_port: ["
	for i, port := range ports {
		if i > 0 {
			config += ", "
		}
		config += fmt.Sprint(port)
	}
	return exporter(t, harness.Options{Config: "discovery:\n  services:\n    - " + config + "]\n"})
}

// TestPlaintextGetsNoUprobe: nginx has mapped OpenSSL, but does not speak TLS.
// Only when a service does is its library looked into.
func TestPlaintextGetsNoUprobe(t *testing.T) {
	const total = 200
	keys := newKeys(t)
	plain := servers.StartNginx(t, servers.NginxOptions{})
	encrypted := servers.StartNginx(t, servers.NginxOptions{TLS: &keys.KeyFiles})
	web := servers.Go(t, programs(t).GoServer)
	e := only(t, plain.Port, web.Port, encrypted.Port)
	for _, server := range []*servers.Process{plain.Process, web.Process} {
		visits(t, visitor(t, keys, visiting{}), total, http.MethodGet, server.URL("/hello"), 0)
		e.Expect(t, harness.Server, at(server), row(total, "GET", "/hello", "200"))
	}
	if files := attachedFiles(e.Scrape(t)); files != 0 {
		t.Errorf("Sonde has attached to %v files of services that speak plaintext only", files)
	}
	warm(t, e, keys, encrypted.Process)
	if files := attachedFiles(e.Scrape(t)); files != 1 {
		t.Errorf("Sonde has attached to %v files for nginx, want 1: OpenSSL", files)
	}
	// The plain one has mapped the same file.
	visits(t, visitor(t, keys, visiting{}), total, http.MethodGet, plain.URL("/hello"), 0)
	e.Expect(t, harness.Server, at(plain.Process), row(2*total, "GET", "/hello", "200"))
}

// TestDetachAfterTheLastProcess: a file is let go when nobody uses it any more, not
// before, and looked into again for the next process.
func TestDetachAfterTheLastProcess(t *testing.T) {
	keys := newKeys(t)
	first := servers.GoTLS(t, programs(t).GoServer, keys.KeyFiles, "")
	second := servers.GoTLS(t, programs(t).GoServer, keys.KeyFiles, "")
	third := servers.FreePort(t)
	node := startNode(t, keys)
	e := only(t, first.Port, second.Port, third, node.Port)
	attached := func(want float64) {
		t.Helper()
		e.Eventually(t, fmt.Sprintf("%v attached files", want), func(s harness.Snapshot) bool { return attachedFiles(s) == want })
	}
	warm(t, e, keys, first.Process)
	warm(t, e, keys, second.Process)
	attached(1)
	warm(t, e, keys, node)
	attached(2)
	first.Stop()
	visits(t, visitor(t, keys, visiting{}), 20, http.MethodGet, second.URL("/hello"), 0)
	expectTLS(t, e, harness.Server, at(second.Process), row(20, "GET", "/hello", "200"))
	attached(2)
	second.Stop()
	attached(1)
	node.Kill()
	attached(0)
	again := servers.GoTLSOn(t, programs(t).GoServer, third, keys.KeyFiles, "")
	warm(t, e, keys, again.Process)
	attached(1)
	again.Stop()
	attached(0)
}

// TestTLSStartedBeforeSonde: services that ran already, and connections that were
// open already: Sonde has not seen their handshakes.
func TestTLSStartedBeforeSonde(t *testing.T) {
	const kept, each = 3, 20
	keys := newKeys(t)
	list := map[string]*servers.Process{
		"nginx":    startNginx(t, keys),
		"Go":       startGo(t, keys),
		"Node":     startNode(t, keys),
		"streams":  startStreams(t, keys),
		"lighttpd": startLighttpd(t, keys),
	}
	open := map[string][]net.Conn{}
	for name, server := range list {
		for range kept {
			conn := dialTLS(t, keys, server, visiting{})
			talk(t, conn, request("/small.txt"))
			open[name] = append(open[name], conn)
		}
	}
	e := exporter(t, harness.Options{})
	for name, server := range list {
		t.Run(name, func(t *testing.T) {
			warm(t, e, keys, server)
			for _, conn := range open[name] {
				for range each {
					talk(t, conn, request("/small.txt"))
				}
			}
			expectTLS(t, e, harness.Server, at(server), row(kept*each, "GET", "/small.txt", "200"))
		})
	}
}

// TestSondeStartsUnderTLSLoad: Sonde attaches while wrk is at work. It counts
// nothing twice then, and everything from there on.
func TestSondeStartsUnderTLSLoad(t *testing.T) {
	const total = 3000
	keys := newKeys(t)
	for _, c := range []loaded{loadedNginx(t, keys), loadedGo(t, keys)} {
		t.Run(c.name, func(t *testing.T) {
			base := at(c.server).With(harness.Labels{"url_scheme": "https"})
			w := startWrk(t, "", "-t2", "-c16", "-d1m", c.server.URL("/hello"))
			e := exporter(t, harness.Options{})
			e.Eventually(t, "requests of the load that was there before it", func(s harness.Snapshot) bool {
				return s.Count(harness.Server, base) > 0
			})
			w.interrupt(t)
			<-w.ended                          // what it counted does not matter
			time.Sleep(300 * time.Millisecond) // for what it has left unanswered
			first, handled := e.Scrape(t).Count(harness.Server, base), c.handled()
			if first > handled {
				t.Fatalf("Sonde has counted %d requests, the server had %d only:\n%s",
					first, handled, e.Scrape(t).Describe(harness.Server, at(c.server)))
			}
			c.bear(t, total, "Accept: */*")
			e.WaitCount(t, harness.Server, base, first+total)
		})
	}
}

// TestTLSLibraryLoadedLate: a process that maps OpenSSL when its first client has
// connected already.
func TestTLSLibraryLoadedLate(t *testing.T) {
	const total = 50
	keys := newKeys(t)
	server := servers.PythonLateTLS(t, keys.KeyFiles)
	warm(t, shared(t), keys, server)
	visits(t, visitor(t, keys, visiting{closing: true}), total, http.MethodGet, server.URL("/hello"), 0)
	expectTLS(t, shared(t), harness.Server, at(server), row(total, "GET", "/hello", "200"))
}

// TestTLSOfAnAttachedLibrary: where Sonde looks into a file already, a process that
// starts then is measured from its first request on.
func TestTLSOfAnAttachedLibrary(t *testing.T) {
	const total = 20
	keys := newKeys(t)
	stripped := programs(t).StrippedGoServer(t)
	for name, start := range map[string]func() *servers.Process{
		"nginx": func() *servers.Process {
			return startNginx(t, keys)
		},
		"Go":       func() *servers.Process { return servers.GoTLS(t, stripped, keys.KeyFiles, "").Process },
		"lighttpd": func() *servers.Process { return startLighttpd(t, keys) },
	} {
		t.Run(name, func(t *testing.T) {
			warm(t, shared(t), keys, start())
			server := start()
			visits(t, visitor(t, keys, visiting{}), total, http.MethodGet, server.URL("/"), 0)
			snap := shared(t).WaitCount(t, harness.Server, at(server).With(harness.Labels{"url_scheme": "https"}), total)
			if got := snap.Count(harness.Server, at(server)); got != total {
				t.Errorf("%d requests were counted, want %d:\n%s", got, total, snap.Describe(harness.Server, at(server)))
			}
		})
	}
}
