package e2e

import (
	"net/http"
	"testing"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// TestTLSInChildren: the process that reads requests is a child of the one that shook
// hands, and has a copy of its session.
func TestTLSInChildren(t *testing.T) {
	const connections, each = 20, 3
	keys := newKeys(t)
	server := servers.PythonForks(t, keys.KeyFiles)
	warm(t, shared(t), keys, server)
	for range connections {
		client := visitor(t, keys, visiting{})
		visits(t, client, each, http.MethodGet, server.URL("/hello"), 0)
		client.CloseIdleConnections()
	}
	expectTLS(t, shared(t), harness.Server, at(server), row(connections*each, "GET", "/hello", "200"))
}

// TestTLSHugeAnswer: one call of the library writes more than the parser would walk
// through. The connection goes on after it.
func TestTLSHugeAnswer(t *testing.T) {
	keys := newKeys(t)
	server := startGo(t, keys)
	warm(t, shared(t), keys, server)
	client := visitor(t, keys, visiting{})
	for _, path := range []string{"/hello", "/bytes/150000000", "/hello", "/hello"} {
		if err := visit(client, http.MethodGet, server.URL(path), 0); err != nil {
			t.Fatal(err)
		}
	}
	expectTLS(t, shared(t), harness.Server, at(server),
		row(3, "GET", "/hello", "200"), row(1, "GET", "/bytes/*", "200"))
}
