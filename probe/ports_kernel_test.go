package probe

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"sonde_exporter/bpf"
)

// TestPorts counts connections by port until their instance's number is given back.
func TestPorts(t *testing.T) {
	k := openProbe(t)
	server := start(t, part{Script: answer(getHello, okHello)})
	const times = 3
	for range times {
		callFromOutside(t, call{Address: server.address, Script: exchange(getHello, okHello)})
	}
	instance := k.instanceOf(t, server)
	k.expect(t, instance, tally{"server GET /hello 200": times})
	want := []PortCount{{
		Service: instance, Port: netip.MustParseAddrPort(server.address).Port(), Count: times,
		Transport: uint8(bpf.SondeTransportTRANSPORT_TCP), Protocol: uint8(bpf.SondeProtocolPROTOCOL_HTTP1),
	}}
	eventually(t, func() string {
		if got := k.portsOf(t, instance); !slices.Equal(got, want) {
			return fmt.Sprintf("the ports are %+v, want %+v", got, want)
		}
		return ""
	})
	if err := k.FreeService(instance); err != nil {
		t.Fatal(err)
	}
	if left := k.portsOf(t, instance); len(left) > 0 {
		t.Errorf("ports of an instance that was given back: %+v", left)
	}
}

func (k kernel) portsOf(t *testing.T, instance uint32) []PortCount {
	t.Helper()
	ports, err := k.Ports()
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(ports, func(p PortCount) bool { return p.Service != instance })
}
