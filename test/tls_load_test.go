package e2e

import (
	"fmt"
	"testing"
	"time"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// loaded is a server under the load of wrk, and its own account of it.
type loaded struct {
	name    string
	server  *servers.Process
	handled func() uint64
}

func loadedNginx(t testing.TB, keys harness.KeyPair) loaded {
	t.Helper()
	nginx := servers.StartNginx(t, servers.NginxOptions{TLS: &keys.KeyFiles, AccessLog: true})
	return loaded{"nginx", nginx.Process, func() uint64 { return nginx.Logged(t)["200"] }}
}

func loadedGo(t testing.TB, keys harness.KeyPair) loaded {
	t.Helper()
	web := servers.GoTLS(t, programs(t).GoServer, keys.KeyFiles, "")
	return loaded{"Go", web.Process, func() uint64 { return web.Handled(t) }}
}

func loadedHAProxy(t testing.TB, keys harness.KeyPair) loaded {
	t.Helper()
	behind := servers.Go(t, programs(t).GoServer)
	return loaded{"haproxy", servers.HAProxy(t, keys.KeyFiles, behind.Addr(), false), func() uint64 { return behind.Handled(t) }}
}

// bear sends total requests by wrk, an even number for its two threads. wrk and
// the server must agree on them.
func (l loaded) bear(t testing.TB, total uint64, header string) {
	t.Helper()
	before := l.handled()
	w := startWrk(t, fmt.Sprintf(wrkQuota, total/2), "-t2", "-c16", "-d1m", "--timeout", "10s", "-H", header, l.server.URL("/hello"))
	for start := time.Now(); l.handled() < before+total && time.Since(start) < patience; {
		time.Sleep(50 * time.Millisecond)
	}
	time.Sleep(300 * time.Millisecond) // for the answers
	w.interrupt(t)
	sent := w.wait(t).requests
	if handled := l.handled() - before; sent != total || handled != total {
		t.Fatalf("wrk has %d answers and the server %d requests, want %d: they are no truth to compare with", sent, handled, total)
	}
}

// underLoad compares three counts: wrk's, the server's and Sonde's.
func (l loaded) underLoad(t *testing.T, keys harness.KeyPair, total uint64, header string) {
	t.Helper()
	warm(t, shared(t), keys, l.server)
	l.bear(t, total, header)
	expectTLS(t, shared(t), harness.Server, at(l.server), row(total, "GET", "/hello", "200"))
}

// TestTLSKeepAliveUnderLoad: 6,000 requests over 16 connections.
func TestTLSKeepAliveUnderLoad(t *testing.T) {
	keys := newKeys(t)
	for _, l := range []loaded{loadedNginx(t, keys), loadedGo(t, keys), loadedHAProxy(t, keys)} {
		t.Run(l.name, func(t *testing.T) { l.underLoad(t, keys, 6000, "Accept: */*") })
	}
}

// TestTLSShortConnectionsUnderLoad: 1,000 connections with one request each.
func TestTLSShortConnectionsUnderLoad(t *testing.T) {
	keys := newKeys(t)
	for _, l := range []loaded{loadedNginx(t, keys), loadedGo(t, keys)} {
		t.Run(l.name, func(t *testing.T) { l.underLoad(t, keys, 1000, "Connection: close") })
	}
}
