package e2e

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

const (
	// warmUp is the path of requests that only make Sonde attach.
	warmUp = "/warm-up"
	// attachTimeout is how long Sonde may take to see inside the TLS of a service.
	attachTimeout = 15 * time.Second
	// patience is for a server that has stopped to answer.
	patience = 30 * time.Second
)

// tlsVersions are the versions that are in use.
func tlsVersions() []uint16 { return []uint16{tls.VersionTLS12, tls.VersionTLS13} }

// newKeys makes a certificate for the servers of one test.
func newKeys(t testing.TB) harness.KeyPair {
	t.Helper()
	return harness.Certificate(t, servers.Dir(t))
}

// at is the port of a server as a label.
func at(p *servers.Process) harness.Labels { return harness.Labels{"server_port": p.PortLabel()} }

// waitForTLS returns when Sonde sees inside the TLS of the requests that match
// base. Sonde attaches to the TLS library of a service when the service has
// spoken TLS, so that the first requests are lost: send makes one request to a
// path that ends in warmUp, on a connection of its own.
func waitForTLS(t testing.TB, e *harness.Exporter, role string, base harness.Labels, send func()) {
	t.Helper()
	encrypted := base.With(harness.Labels{"url_scheme": "https"})
	before := e.Scrape(t).Count(role, encrypted)
	for start := time.Now(); ; {
		send()
		time.Sleep(50 * time.Millisecond)
		snap := e.Scrape(t)
		if snap.Count(role, encrypted) > before {
			t.Logf("Sonde sees inside this TLS after %v", time.Since(start).Round(time.Millisecond))
			return
		}
		if time.Since(start) > attachTimeout {
			t.Fatalf("no request over TLS was seen within %v; found:\n%s", attachTimeout, snap.Describe(role, base))
		}
	}
}

// warm waits until the exporter sees inside the TLS of a server.
func warm(t testing.TB, e *harness.Exporter, keys harness.KeyPair, server *servers.Process) {
	t.Helper()
	warmPath(t, e, keys, server, warmUp)
}

// warmPath is warm for a server that knows certain paths only.
func warmPath(t testing.TB, e *harness.Exporter, keys harness.KeyPair, server *servers.Process, path string) {
	t.Helper()
	client := visitor(t, keys, visiting{closing: true})
	waitForTLS(t, e, harness.Server, at(server), func() {
		t.Helper()
		if err := visit(client, http.MethodGet, server.URL(path), 0); err != nil {
			t.Fatal(err)
		}
	})
}

// expectTLS is Exporter.Expect for requests over TLS. It tolerates what warmed up
// before.
func expectTLS(t testing.TB, e *harness.Exporter, role string, base harness.Labels, rows ...harness.Row) {
	t.Helper()
	var want []harness.Row
	for _, r := range rows {
		want = append(want, harness.Row{Count: r.Count, Labels: r.Labels.With(harness.Labels{"url_scheme": "https"})})
	}
	snap := e.Scrape(t)
	for _, route := range snap.Values(role, "http_route", base) {
		if strings.HasSuffix(route, warmUp) {
			tolerated := harness.Labels{"http_route": route}
			want = append(want, harness.Row{Count: snap.Count(role, base.With(tolerated)), Labels: tolerated})
		}
	}
	e.Expect(t, role, base, want...)
}

// visiting says how a visitor behaves.
type visiting struct {
	// version is the only version of TLS; 0 leaves the choice to Go.
	version uint16
	// closing sends Connection: close with each request.
	closing bool
	// sessions are kept for resumption; nil for none.
	sessions tls.ClientSessionCache
}

// visitor is net/http in the test process, which is no service: only the server
// counts what it sends.
func visitor(t testing.TB, keys harness.KeyPair, v visiting) *http.Client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: v.config(keys), DisableKeepAlives: v.closing, MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

func (v visiting) config(keys harness.KeyPair) *tls.Config {
	config := keys.Trust.Clone()
	config.MinVersion, config.MaxVersion, config.ClientSessionCache = v.version, v.version, v.sessions
	return config
}

// visit sends one request, with body bytes if there are any, and reads the
// answer to its end.
func visit(client *http.Client, method, url string, body int) error {
	req, err := http.NewRequest(method, url, strings.NewReader(strings.Repeat("b", body)))
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return fmt.Errorf("cannot read the answer of %s to its end: %w", url, err)
	}
	return nil
}

// visits sends total requests from 4 goroutines.
func visits(t testing.TB, client *http.Client, total int, method, url string, body int) {
	t.Helper()
	inParallel(t, 4, total, func() error { return visit(client, method, url, body) })
}

// dialTLS opens a connection to a server and shakes hands; the test's end
// closes it.
func dialTLS(t testing.TB, keys harness.KeyPair, server *servers.Process, v visiting) net.Conn {
	t.Helper()
	dialer := &net.Dialer{Timeout: patience}
	conn, err := tls.DialWithDialer(dialer, "tcp", server.Addr(), v.config(keys))
	if err != nil {
		t.Fatalf("cannot speak TLS with %s: %v", server.Name, err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatalf("cannot set a deadline: %v", err)
	}
	return conn
}

// attachedFiles is how many files Sonde looks into.
func attachedFiles(s harness.Snapshot) float64 { return s.Value("sonde_tls_attached_files", nil) }
