package e2e

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// abandon asks for path, reads size bytes of the answer, and leaves: with a reset,
// or as a polite program does.
func abandon(t testing.TB, keys harness.KeyPair, server *servers.Process, path string, size int, reset bool) {
	t.Helper()
	conn := dialTLS(t, keys, server, visiting{})
	if _, err := io.WriteString(conn, request(path)); err != nil {
		t.Fatalf("cannot send a request: %v", err)
	}
	if _, err := io.CopyN(io.Discard, conn, int64(size)); err != nil {
		t.Fatalf("cannot read the beginning of an answer: %v", err)
	}
	if reset {
		resetTLS(t, conn)
	}
	conn.Close()
}

// resetTLS ends the connection under TLS with RST instead of FIN.
func resetTLS(t testing.TB, conn net.Conn) {
	t.Helper()
	plain := conn.(*tls.Conn).NetConn().(*net.TCPConn)
	if err := plain.SetLinger(0); err != nil {
		t.Fatalf("cannot have the connection reset: %v", err)
	}
	_ = plain.Close() // what matters is that it is closed
}

// TestTLSEarlyClose: the client leaves in the middle of an answer that is longer
// than what the kernel buffers. Each is counted once, as an error where Sonde can
// tell, and the next request of the same service as ever.
func TestTLSEarlyClose(t *testing.T) {
	const each = 5
	keys := newKeys(t)
	huge := fmt.Sprintf("/bytes/%d", servers.HugeFile)
	for name, c := range map[string]struct {
		server             *servers.Process
		path, route, small string
		// ahead is set where the service hands the whole answer to TLS before
		// the socket takes it: what it wrote was complete.
		ahead bool
	}{
		"nginx":    {startNginx(t, keys), "/huge.bin", "/huge.bin", "/small.txt", false},
		"Go":       {startGo(t, keys), huge, "/bytes/*", "/hello", false},
		"Node":     {startNode(t, keys), huge, "/bytes/*", "/hello", true},
		"lighttpd": {startLighttpd(t, keys), "/huge.bin", "/huge.bin", "/small.txt", false},
		"C":        {startSSL("plain", 16384, 16384)(t, keys), huge, "/bytes/*", "/hello", false},
	} {
		t.Run(name, func(t *testing.T) {
			warm(t, shared(t), keys, c.server)
			for range each {
				abandon(t, keys, c.server, c.path, 20_000, false)
				abandon(t, keys, c.server, c.path, 20_000, true)
			}
			cut := harness.Row{Count: 2 * each, Labels: harness.Labels{
				"http_request_method": "GET", "http_route": c.route, "error_type": harness.Present,
			}}
			if c.ahead {
				delete(cut.Labels, "error_type")
			}
			expectTLS(t, shared(t), harness.Server, at(c.server), cut)
			visits(t, visitor(t, keys, visiting{}), each, http.MethodGet, c.server.URL(c.small), 0)
			expectTLS(t, shared(t), harness.Server, at(c.server), cut, row(each, "GET", c.small, "200"))
		})
	}
}

// TestTLSUnanswered: the client resets, or the server is killed, before the
// answer has begun.
func TestTLSUnanswered(t *testing.T) {
	const each = 10
	keys := newKeys(t)
	for name, end := range map[string]func(web *servers.GoServer, conns []net.Conn){
		"client resets": func(_ *servers.GoServer, conns []net.Conn) {
			for _, conn := range conns {
				resetTLS(t, conn)
			}
		},
		"server is killed": func(web *servers.GoServer, _ []net.Conn) { web.Kill() },
	} {
		t.Run(name, func(t *testing.T) {
			web := servers.GoTLS(t, programs(t).GoServer, keys.KeyFiles, "")
			warm(t, shared(t), keys, web.Process)
			warmed := web.Handled(t)
			var conns []net.Conn
			for range each {
				conn := dialTLS(t, keys, web.Process, visiting{})
				if _, err := io.WriteString(conn, request("/sleep/60000")); err != nil {
					t.Fatal(err)
				}
				conns = append(conns, conn)
			}
			harness.Eventually(t, "goserver to have all requests", func() bool { return web.Handled(t) == warmed+each })
			end(web, conns)
			want := unanswered("GET", "/sleep/*")
			want[0].Count = each
			expectTLS(t, shared(t), harness.Server, at(web.Process), want...)
		})
	}
}

// TestTLSWithoutRequest: connections that come to nothing are no requests, and a
// plaintext request to a TLS port is what it is.
func TestTLSWithoutRequest(t *testing.T) {
	keys := newKeys(t)
	server := servers.StartNginx(t, servers.NginxOptions{TLS: &keys.KeyFiles})
	warm(t, shared(t), keys, server.Process)
	raw := func(data string) {
		t.Helper()
		conn := servers.Dial(t, server.Addr())
		if _, err := io.WriteString(conn, data); err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
	for range 10 {
		dialTLS(t, keys, server.Process, visiting{}).Close()
		raw("")
		raw("\x16\x03\x01\x02\x00\x01")
		if _, err := tls.Dial("tcp", server.Addr(), &tls.Config{ServerName: "localhost"}); err == nil {
			t.Fatal("a client without the certificate believed the server")
		}
	}
	talk(t, servers.Dial(t, server.Addr()), request("/plain", "Connection: close"))
	visits(t, visitor(t, keys, visiting{}), 5, http.MethodGet, server.URL("/hello"), 0)
	time.Sleep(200 * time.Millisecond) // for what would be counted too much
	plain := harness.Labels{"url_scheme": "http"}
	shared(t).Expect(t, harness.Server, at(server.Process).With(plain), row(1, "GET", "/plain", "400"))
	encrypted := harness.Labels{"url_scheme": "https"}
	expectTLS(t, shared(t), harness.Server, at(server.Process).With(encrypted), row(5, "GET", "/hello", "200"))
}
