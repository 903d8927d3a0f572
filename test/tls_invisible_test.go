package e2e

import (
	"net/http"
	"testing"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// TestInvisibleTLS: NSS is a TLS library that Sonde does not know. It says how many
// connections it could not see into, counts no request of them, and is not
// distracted from the service beside it.
func TestInvisibleTLS(t *testing.T) {
	const total = 20
	keys := newKeys(t)
	hidden := servers.Lighttpd(t, servers.NSS, keys.KeyFiles, "OTEL_SERVICE_NAME=hidden")
	seen := servers.Lighttpd(t, servers.GnuTLS, keys.KeyFiles, "OTEL_SERVICE_NAME=seen")
	warm(t, shared(t), keys, seen)
	client := visitor(t, keys, visiting{closing: true})
	visits(t, client, total, http.MethodGet, hidden.URL("/small.txt"), 0)
	visits(t, client, total, http.MethodGet, seen.URL("/small.txt"), 0)
	expectTLS(t, shared(t), harness.Server, at(seen), row(total, "GET", "/small.txt", "200"))
	const connections = "sonde_connections_total"
	invisible := harness.Labels{"service_name": "hidden", "role": "server", "protocol": "tls", "visible": "false"}
	shared(t).Eventually(t, "the connections that it cannot see into", func(s harness.Snapshot) bool {
		return s.Value(connections, invisible) == total
	})
	visible := invisible.With(harness.Labels{"visible": "true"})
	if n := shared(t).Scrape(t).Value(connections, visible); n != 0 {
		t.Errorf("%v connections of NSS are called visible", n)
	}
	shared(t).WaitCount(t, harness.Server, at(hidden), 0)
}
