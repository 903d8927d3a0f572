package e2e

import (
	"net/http"
	"testing"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// TestTLSCalls: services that are servers and clients over TLS at once. Each calls
// an nginx of its own.
func TestTLSCalls(t *testing.T) {
	const total = 100
	keys := newKeys(t)
	passingOn := func(closing bool) func(upstream string) *servers.Process {
		return func(upstream string) *servers.Process {
			return servers.StartNginx(t, servers.NginxOptions{
				TLS: &keys.KeyFiles, Upstream: upstream, UpstreamCert: keys.Cert, CloseUpstream: closing,
			}).Process
		}
	}
	goserver := func(program string) func(upstream string) *servers.Process {
		return func(upstream string) *servers.Process {
			return servers.GoTLS(t, program, keys.KeyFiles, upstream).Process
		}
	}
	cases := []struct {
		name, path string
		start      func(upstream string) *servers.Process
	}{
		{"nginx", "/up/hello", passingOn(false)},
		{"nginx with a connection for each call", "/up/hello", passingOn(true)},
		{"haproxy", "/hello", func(upstream string) *servers.Process {
			return servers.HAProxy(t, keys.KeyFiles, upstream, true)
		}},
		{"Node", "/call", func(upstream string) *servers.Process { return servers.NodeTLS(t, keys.KeyFiles, upstream) }},
		{"Python", "/call", func(upstream string) *servers.Process { return servers.PythonTLS(t, keys.KeyFiles, upstream) }},
		{"Go", "/call", goserver(programs(t).GoServer)},
		{"Go, stripped and without cgo", "/call", goserver(programs(t).StrippedGoServer(t))},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			upstream := servers.StartNginx(t, servers.NginxOptions{TLS: &keys.KeyFiles, AccessLog: true})
			front := c.start(upstream.Addr())
			warm(t, shared(t), keys, upstream.Process)
			warm(t, shared(t), keys, front)
			visits(t, visitor(t, keys, visiting{}), total, http.MethodGet, front.URL(c.path), 0)
			// nginx writes its log after its answers.
			harness.Eventually(t, "a call for each request", func() bool { return upstream.Logged(t)["200"] == total })
			expectTLS(t, shared(t), harness.Server, at(front), row(total, "GET", c.path, "200"))
			expectTLS(t, shared(t), harness.Client, at(upstream.Process), row(total, "GET", "/hello", "200"))
			expectTLS(t, shared(t), harness.Server, at(upstream.Process), row(total, "GET", "/hello", "200"))
		})
	}
}

// TestTLSTermination: haproxy is called over TLS and calls in plaintext.
func TestTLSTermination(t *testing.T) {
	const total = 100
	keys := newKeys(t)
	web := servers.Go(t, programs(t).GoServer)
	front := servers.HAProxy(t, keys.KeyFiles, web.Addr(), false)
	warm(t, shared(t), keys, front)
	warmed := web.Handled(t)
	client := visitor(t, keys, visiting{})
	visits(t, client, total, http.MethodGet, front.URL("/hello"), 0)
	visits(t, client, total, http.MethodPost, front.URL("/mirror"), 50_000)
	rows := []harness.Row{row(total, "GET", "/hello", "200"), row(total, "POST", "/mirror", "200")}
	expectTLS(t, shared(t), harness.Server, at(front), rows...)
	rows = append(rows, row(warmed, "GET", warmUp, "200"))
	for _, r := range rows {
		r.Labels["url_scheme"] = "http"
	}
	// Plaintext needs no warming up.
	shared(t).Expect(t, harness.Client, at(web.Process), rows...)
	shared(t).Expect(t, harness.Server, at(web.Process), rows...)
}

// TestTLSCallsByGo: net/http as the client of other people's servers, whatever
// their TLS comes from, on kept and on short connections.
func TestTLSCallsByGo(t *testing.T) {
	const total = 40
	keys := newKeys(t)
	caller := servers.TrustingPeer(t, programs(t).Peer, keys.KeyFiles)
	for name, c := range map[string]struct {
		server *servers.Process
		upload string
	}{
		"nginx":                {startNginx(t, keys), "/hello"},
		"lighttpd with GnuTLS": {startLighttpd(t, keys), "/small.txt"},
		"lighttpd with NSS":    {servers.Lighttpd(t, servers.NSS, keys.KeyFiles), "/small.txt"},
	} {
		t.Run(name, func(t *testing.T) {
			waitForTLS(t, shared(t), harness.Client, at(c.server), func() {
				t.Helper()
				caller.Fetch(t, servers.Fetch{URL: c.server.URL(warmUp), Requests: 1, Connections: 1, Once: true})
			})
			large, upload := c.server.URL("/large.bin"), c.server.URL(c.upload)
			caller.Fetch(t, servers.Fetch{URL: large, Requests: total, Connections: 4})
			// Many handshakes at once, whose goroutines change threads meanwhile.
			caller.Fetch(t, servers.Fetch{URL: large, Requests: 5 * total, Connections: 4, Once: true})
			caller.Fetch(t, servers.Fetch{URL: upload, Requests: total, Connections: 4, Body: 50_000})
			expectTLS(t, shared(t), harness.Client, at(c.server),
				row(6*total, "GET", "/large.bin", "200"), row(total, "POST", c.upload, "200"))
		})
	}
}
