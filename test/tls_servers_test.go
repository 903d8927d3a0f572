package e2e

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"testing"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// starter starts a server that speaks TLS.
type starter func(t testing.TB, keys harness.KeyPair) *servers.Process

// secureServer is a server that speaks TLS, and what it may be asked for.
type secureServer struct {
	name  string
	start starter
	// small and large are paths with a short and a long answer, upload one that
	// takes bodies. They are routes as well, but for large.
	small, large, upload string
	largeRoute           string
	// body is how many bytes to upload.
	body int
}

// webServer serves the documents of servers.WriteDocuments.
func webServer(name string, start starter) secureServer {
	return secureServer{name, start, "/small.txt", "/large.bin", "/small.txt", "/large.bin", 100_000}
}

// service knows the routes that all services of the tests have.
func service(name string, start starter) secureServer {
	return secureServer{name, start, "/hello", "/bytes/1000000", "/mirror", "/bytes/*", 100_000}
}

// slow has less to say: it makes a call for each byte.
func (s secureServer) slow() secureServer {
	s.large, s.body = "/bytes/2000", 2000
	return s
}

func startNginx(t testing.TB, keys harness.KeyPair) *servers.Process {
	t.Helper()
	return servers.StartNginx(t, servers.NginxOptions{TLS: &keys.KeyFiles}).Process
}

func startApache(t testing.TB, keys harness.KeyPair) *servers.Process {
	t.Helper()
	return servers.ApacheTLS(t, keys.KeyFiles)
}

func startHAProxy(t testing.TB, keys harness.KeyPair) *servers.Process {
	t.Helper()
	return servers.HAProxy(t, keys.KeyFiles, servers.Go(t, programs(t).GoServer).Addr(), false)
}

func startLighttpd(t testing.TB, keys harness.KeyPair) *servers.Process {
	t.Helper()
	return servers.Lighttpd(t, servers.GnuTLS, keys.KeyFiles)
}

func startNode(t testing.TB, keys harness.KeyPair) *servers.Process {
	t.Helper()
	return servers.NodeTLS(t, keys.KeyFiles, "")
}

func startPython(t testing.TB, keys harness.KeyPair) *servers.Process {
	t.Helper()
	return servers.PythonTLS(t, keys.KeyFiles, "")
}

func startStreams(t testing.TB, keys harness.KeyPair) *servers.Process {
	t.Helper()
	return servers.PythonStreams(t, keys.KeyFiles)
}

func startGo(t testing.TB, keys harness.KeyPair) *servers.Process {
	t.Helper()
	return servers.GoTLS(t, programs(t).GoServer, keys.KeyFiles, "").Process
}

func startStrippedGo(t testing.TB, keys harness.KeyPair) *servers.Process {
	t.Helper()
	return servers.GoTLS(t, programs(t).StrippedGoServer(t), keys.KeyFiles, "").Process
}

func startSSL(api string, read, write int) starter {
	return func(t testing.TB, keys harness.KeyPair) *servers.Process {
		t.Helper()
		return servers.StartSSLServer(t, keys.KeyFiles, servers.SSLServer{API: api, Read: read, Write: write})
	}
}

// secureServers are OpenSSL as servers use it: by file descriptor, by memory, by
// callbacks, one byte at a time; GnuTLS; and Go with and without its symbols.
func secureServers() []secureServer {
	return []secureServer{
		// nginx takes no bodies for a document.
		{"nginx", startNginx, "/hello", "/large.bin", "/hello", "/large.bin", 100_000},
		webServer("apache2", startApache),
		webServer("lighttpd with GnuTLS", startLighttpd),
		service("haproxy", startHAProxy),
		service("Node", startNode),
		service("Python threads", startPython),
		service("Python streams", startStreams),
		service("Go", startGo),
		service("Go, stripped and without cgo", startStrippedGo),
		service("SSL_read and SSL_write", startSSL("plain", 16384, 1<<20)),
		service("SSL_read_ex and SSL_write_ex", startSSL("ex", 16384, 16384)),
		service("SSL_peek before SSL_read", startSSL("peek", 1000, 16384)),
		service("SSL_read of 1 byte", startSSL("plain", 1, 16384)).slow(),
		service("SSL_read_ex and SSL_write_ex of 1 byte", startSSL("ex", 1, 1)).slow(),
	}
}

// TestTLSServers: every server is counted exactly, in both versions of TLS, on
// kept and on short connections, with bodies of many records in both directions.
func TestTLSServers(t *testing.T) {
	const kept, short, long = 60, 20, 4
	keys := newKeys(t)
	for _, s := range secureServers() {
		t.Run(s.name, func(t *testing.T) {
			server := s.start(t, keys)
			warm(t, shared(t), keys, server)
			for _, version := range tlsVersions() {
				keeping := visitor(t, keys, visiting{version: version})
				closing := visitor(t, keys, visiting{version: version, closing: true})
				visits(t, keeping, kept, http.MethodGet, server.URL(s.small), 0)
				visits(t, keeping, long, http.MethodGet, server.URL(s.large), 0)
				visits(t, keeping, long, http.MethodPost, server.URL(s.upload), s.body)
				visits(t, closing, short, http.MethodGet, server.URL(s.small), 0)
			}
			rows := []harness.Row{
				row(2*(kept+short), "GET", s.small, "200"),
				row(2*long, "GET", s.largeRoute, "200"), row(2*long, "POST", s.upload, "200"),
			}
			for _, r := range rows {
				r.Labels["network_protocol_version"], r.Labels["error_type"] = "1.1", ""
			}
			expectTLS(t, shared(t), harness.Server, at(server), rows...)
		})
	}
}

// TestOneSSLObjectForAllConnections: SSL_clear prepares an object for the next
// connection; it may not be taken for the one before.
func TestOneSSLObjectForAllConnections(t *testing.T) {
	const total = 50
	keys := newKeys(t)
	server := startSSL("reuse", 16384, 16384)(t, keys)
	warm(t, shared(t), keys, server)
	client := visitor(t, keys, visiting{closing: true})
	for i := range total {
		if err := visit(client, http.MethodGet, server.URL(fmt.Sprintf("/bytes/%d", 10*i)), 0); err != nil {
			t.Fatal(err)
		}
	}
	expectTLS(t, shared(t), harness.Server, at(server), row(total, "GET", "/bytes/*", "200"))
}

// TestTLSAddressFamilies: IPv4 and IPv6, at a server that knows TLS by OpenSSL and at one
// that brings its own.
func TestTLSAddressFamilies(t *testing.T) {
	const total = 30
	keys := newKeys(t)
	for name, server := range map[string]*servers.Process{
		"nginx": startNginx(t, keys),
		"Go":    startGo(t, keys),
	} {
		t.Run(name, func(t *testing.T) {
			warm(t, shared(t), keys, server)
			client := visitor(t, keys, visiting{version: tls.VersionTLS13})
			for _, host := range []string{"127.0.0.1", "[::1]"} {
				visits(t, client, total, http.MethodGet, fmt.Sprintf("https://%s:%d/hello", host, server.Port), 0)
			}
			expectTLS(t, shared(t), harness.Server, at(server), row(2*total, "GET", "/hello", "200"))
		})
	}
}
