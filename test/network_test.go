package e2e

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/netlab"
	"sonde_exporter/test/servers"
)

// TestAddressFamilies: IPv4, IPv6, and IPv4 on a socket of IPv6.
func TestAddressFamilies(t *testing.T) {
	const total = 200
	cases := []struct {
		name, listen string
		call         []string
	}{
		{"IPv4", "127.0.0.1:%d", []string{"127.0.0.1"}},
		{"IPv6", "[::1]:%d", []string{"::1"}},
		{"dual stack", "[::]:%d", []string{"127.0.0.1", "::1"}},
		{"every IPv4 address", "0.0.0.0:%d", []string{"127.0.0.1", "127.0.0.2"}},
	}
	caller := servers.StartPeer(t, programs(t).Peer)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			port := servers.FreePort(t)
			web := servers.GoOn(t, programs(t).GoServer, port, "-addr", fmt.Sprintf(c.listen, port))
			var clients []harness.Row
			for _, host := range c.call {
				url := "http://" + net.JoinHostPort(host, web.PortLabel()) + "/hello"
				caller.Fetch(t, servers.Fetch{URL: url, Requests: total, Connections: 4})
				clients = append(clients, harness.Row{Labels: harness.Labels{"server_address": host}, Count: total})
			}
			base := harness.Labels{"server_port": web.PortLabel(), "http_route": "/hello", "error_type": ""}
			shared(t).Expect(t, harness.Client, base, clients...)
			shared(t).Expect(t, harness.Server, base, harness.Row{Count: total * uint64(len(c.call))})
		})
	}
}

// TestNetworkNamespaces: services in other network namespaces, with a wire
// between them that is good or bad. Packets that are lost, doubled or overtaken
// are counted neither twice nor never.
func TestNetworkNamespaces(t *testing.T) {
	cases := []struct {
		name  string
		wire  netlab.Impairment
		total uint64
	}{
		{"good wire", netlab.Impairment{}, 500},
		{"loss", netlab.Impairment{Loss: 0.02}, 300},
		{"duplication", netlab.Impairment{Duplicate: 0.2}, 500},
		{"reordering", netlab.Impairment{Reorder: 0.2}, 300},
		{"all of them", netlab.Impairment{Loss: 0.01, Duplicate: 0.1, Reorder: 0.1}, 300},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			lab, err := netlab.New(c.wire)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := lab.Close(); err != nil {
					t.Error(err)
				}
				t.Logf("the wire: %+v", lab.Stats().Total())
			})
			for _, addr := range []netip.Addr{lab.Server().IPv4(), lab.Server().IPv6()} {
				overWire(t, lab, addr, c.total)
			}
		})
	}
}

// overWire sends downloads and uploads of several segments through the lab.
func overWire(t *testing.T, lab *netlab.Lab, addr netip.Addr, total uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	port := servers.FreePort(t)
	at := netip.AddrPortFrom(addr, uint16(port)).String()
	web := servers.Start(t, "goserver", port, lab.Server().Command(ctx, programs(t).GoServer, "-addr", at))
	caller := servers.PeerCommand(t, lab.Client().Command(ctx, programs(t).Peer))
	caller.Fetch(t, servers.Fetch{URL: "http://" + at + "/bytes/20000", Requests: int(total), Connections: 16})
	caller.Fetch(t, servers.Fetch{URL: "http://" + at + "/echo", Requests: int(total), Connections: 16, Body: 8000})
	// On each of these a packet of the body may overtake the head, and the end
	// of the handshake as well.
	caller.Fetch(t, servers.Fetch{URL: "http://" + at + "/upload", Requests: int(total), Connections: 16, Body: 8000, Once: true})
	base := harness.Labels{"server_port": web.PortLabel()}
	rows := []harness.Row{
		row(total, "GET", "/bytes/*", "200"), row(total, "POST", "/echo", "200"), row(total, "POST", "/upload", "200"),
	}
	shared(t).Expect(t, harness.Server, base, rows...)
	shared(t).Expect(t, harness.Client, base, rows...)
	caller.Stop()
	web.Stop()
}
