package probe

import (
	"net"
	"slices"
	"strings"
	"testing"

	"sonde_exporter/bpf"
)

// TestListeners has servers that listen in every way there is, and begin to do
// so while the programs run. The first request of each must count.
func TestListeners(t *testing.T) {
	k := openProbe(t)
	const times = 20
	cases := []struct {
		name string
		part part
		dial string // the host to call, if not the one that is listened on
	}{
		{name: "IPv4", part: part{Network: "tcp4", Address: "127.0.0.1:0"}},
		{name: "IPv6", part: part{Network: "tcp6", Address: "[::1]:0"}},
		{name: "dual-stack, called over IPv4", part: part{Network: "tcp", Address: "[::]:0"}, dial: "127.0.0.1"},
		{name: "dual-stack, called over IPv6", part: part{Network: "tcp", Address: "[::]:0"}, dial: "::1"},
		{name: "TCP_DEFER_ACCEPT", part: part{Deferred: true}},
		{name: "TCP_DEFER_ACCEPT over IPv6", part: part{Network: "tcp6", Address: "[::1]:0", Deferred: true}},
		{name: "MPTCP", part: part{MPTCP: true}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.part.MPTCP {
				requireMPTCP(t)
			}
			c.part.Script = answer(getHello, okHello)
			server := start(t, c.part)
			address := server.address
			if c.dial != "" {
				_, port, err := net.SplitHostPort(address)
				if err != nil {
					t.Fatal(err)
				}
				address = net.JoinHostPort(c.dial, port)
			}
			script := exchange(getHello, okHello)
			callFromOutside(t, call{Address: address, Connections: times, Script: script})
			callFromOutside(t, call{Address: address, Times: times, Script: script})
			instance := k.instanceOf(t, server)
			k.expect(t, instance, tally{"server GET /hello 200": 2 * times})
			if got := k.connectionsOf(t, instance, bpf.SondeRoleROLE_SERVER, bpf.SondeProtocolPROTOCOL_HTTP1); got != times+1 {
				t.Errorf("%d connections were recognised, want %d", got, times+1)
			}
			k.expectPort(t, instance, address)
		})
	}
}

func (k kernel) expectPort(t *testing.T, instance uint32, address string) {
	t.Helper()
	port, err := net.LookupPort("tcp", address[strings.LastIndexByte(address, ':')+1:])
	if err != nil {
		t.Fatal(err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if !slices.Contains(k.ports[instance], uint16(port)) {
		t.Errorf("the instance is said to listen on %v, want %d", k.ports[instance], port)
	}
}

// TestShortConnections has one request on each of many connections.
func TestShortConnections(t *testing.T) {
	k := openProbe(t)
	const times = 500
	request := "GET /hello HTTP/1.1\r\nConnection: close\r\n\r\n"
	untilClose := "HTTP/1.0 200 OK\r\n\r\nhello"
	cases := []struct {
		name           string
		client, server []step
	}{
		{
			"the server closes after its answer",
			[]step{send(request), receive(okHello), end(endDrain)},
			[]step{receive(request), send(okHello), end(endClose)},
		},
		{
			"the client closes after the answer",
			[]step{send(request), receive(okHello), end(endClose)},
			[]step{receive(request), send(okHello), end(endDrain)},
		},
		{
			"the end of the connection ends the answer",
			[]step{send(request), receive(untilClose), end(endDrain)},
			[]step{receive(request), send(untilClose[:len(untilClose)-2]), send("lo"), end(endClose)},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			server := start(t, part{Script: c.server, Once: true})
			callFromOutside(t, call{Address: server.address, Connections: times, Script: c.client})
			k.expect(t, k.instanceOf(t, server), tally{"server GET /hello 200": times})
		})
	}
}

// TestInheritedListener is socket activation: the process that listens starts
// another program, which answers, and is gone before the first request.
func TestInheritedListener(t *testing.T) {
	k := openProbe(t)
	const times = 20
	server := start(t, part{HandsOver: true, Script: answer(getHello, okHello)})
	if server.serving == server.pid {
		t.Fatal("the process that listens also serves")
	}
	callFromOutside(t, call{Address: server.address, Connections: times, Script: exchange(getHello, okHello)})
	instance := k.instanceOf(t, server)
	k.expect(t, instance, tally{"server GET /hello 200": times})
	eventually(t, func() string {
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.joined[server.serving] != instance {
			return "the process that serves has not joined the instance of the one that listened"
		}
		return ""
	})
}

// TestExec has a server that becomes another program, as an upgrade in place does.
func TestExec(t *testing.T) {
	k := openProbe(t)
	server := start(t, part{Becomes: true, Script: answer(getHello, okHello)})
	callFromOutside(t, call{Address: server.address, Times: 10, Script: exchange(getHello, okHello)})
	instance := k.instanceOf(t, server)
	k.expect(t, instance, tally{"server GET /hello 200": 10})
	eventually(t, func() string {
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.executed[server.pid] != instance {
			return "no event tells that the process became another program"
		}
		return ""
	})
	if complaint := k.lives(t, instance, 1, 1); complaint != "" {
		t.Error(complaint)
	}
}

// TestClientRole has services that call others, and themselves.
func TestClientRole(t *testing.T) {
	k := openProbe(t)
	const times = 25
	server := start(t, part{Script: answer(getHello, okHello)})
	t.Run("of a service", func(t *testing.T) {
		caller := start(t, part{Script: answer(getHello, okHello)})
		caller.call(t, call{Address: server.address, Times: times, Script: exchange(getHello, okHello)})
		caller.call(t, call{Address: server.address, Connections: times, Script: exchange(getHello, okHello)})
		k.expect(t, k.instanceOf(t, caller), tally{"client GET http://example/hello 200": 2 * times})
		k.expect(t, k.instanceOf(t, server), tally{"server GET /hello 200": 2 * times})
	})
	t.Run("of a process that called before it listened", func(t *testing.T) {
		again := call{Address: server.address, Keeps: true, Times: times, Script: exchange(getHello, okHello)}
		caller := start(t, part{First: &again, Script: answer(getHello, okHello)})
		instance := k.instanceOf(t, caller)
		k.expect(t, instance, tally{})
		caller.call(t, again)
		k.expect(t, instance, tally{"client GET http://example/hello 200": times})
	})
	t.Run("of a service that calls itself over IPv6", func(t *testing.T) {
		caller := start(t, part{Network: "tcp6", Address: "[::1]:0", Script: answer(getHello, okHello)})
		caller.call(t, call{Address: caller.address, Times: times, Script: exchange(getHello, okHello)})
		k.expect(t, k.instanceOf(t, caller), tally{
			"client GET http://example/hello 200": times, "server GET /hello 200": times,
		})
	})
	t.Run("in another network namespace", func(t *testing.T) {
		caller := start(t, part{Script: answer(getHello, okHello)}, elsewhere)
		caller.call(t, call{Address: caller.address, Times: times, Script: exchange(getHello, okHello)})
		k.expect(t, k.instanceOf(t, caller), tally{
			"client GET http://example/hello 200": times, "server GET /hello 200": times,
		})
	})
}
