package probe

import (
	"testing"
	"time"

	"sonde_exporter/bpf"
)

// TestFailures breaks conversations in every way. A request without a whole
// answer counts, with what broke it.
func TestFailures(t *testing.T) {
	k := openProbe(t)
	const times = 10
	half := okHello[:len(okHello)-2]
	cases := []struct {
		name           string
		client, server []step
		want           tally
	}{
		{
			"the server closes without an answer",
			[]step{send(getHello), end(endDrain)}, []step{receive(getHello), end(endClose)},
			tally{"server GET /hello closed": times},
		},
		{
			"the server closes in the middle of its answer",
			[]step{send(getHello), receive(half), end(endDrain)}, []step{receive(getHello), send(half), end(endClose)},
			tally{"server GET /hello 200 truncated": times},
		},
		{
			"the server closes with three requests to answer",
			[]step{send(getHello + getHello + getHello), end(endDrain)},
			[]step{receive(getHello + getHello + getHello), end(endClose)},
			tally{"server GET /hello closed": 3 * times},
		},
		{
			"the client resets while it waits",
			[]step{send(getHello), receive(okHello), send(getHello), pause(patience(20 * time.Millisecond)), end(endReset)},
			[]step{receive(getHello), send(okHello), receive(getHello), end(endDrain)},
			tally{"server GET /hello 200": times, "server GET /hello reset": times},
		},
		{
			"the client leaves in order and is answered all the same",
			[]step{send(getHello), end(endClose)},
			[]step{receive(getHello), pause(patience(5 * time.Millisecond)), send(okHello), end(endDrain)},
			tally{"server GET /hello 200": times},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			server := start(t, part{Script: c.server, Once: true})
			callFromOutside(t, call{Address: server.address, Connections: times, Script: c.client})
			k.expect(t, k.instanceOf(t, server), c.want)
		})
	}
	t.Run("a client is reset", func(t *testing.T) {
		server := start(t, part{Script: []step{receive(getHello), end(endReset)}, Once: true})
		caller := start(t, part{Script: answer(getHello, okHello)})
		caller.call(t, call{Address: server.address, Connections: times, Script: []step{
			send(getHello), pause(patience(20 * time.Millisecond)), end(endClose),
		}})
		k.expect(t, k.instanceOf(t, caller), tally{"client GET http://example/hello reset": times})
	})
}

// TestTimeout pulls the plug before a request: TCP gives up after a while.
func TestTimeout(t *testing.T) {
	k := openProbe(t)
	service := start(t, part{Script: answer(getHello, okHello)}, elsewhere)
	service.call(t, call{
		Address: service.address, GiveUpAfter: patience(300 * time.Millisecond),
		Script: []step{send(getHello), receive(okHello), end(endUnplug), send(getHello), end(endDrain)},
	})
	k.expect(t, k.instanceOf(t, service), tally{
		"server GET /hello 200": 1, "client GET http://example/hello 200": 1, "client GET http://example/hello timeout": 1,
	})
}

// TestForeignProtocols talks what is not HTTP/1: recognised, and left alone.
func TestForeignProtocols(t *testing.T) {
	k := openProbe(t)
	preface := "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	clientHello := "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03"
	upgrade := "GET /chat HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
	switching := "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
	cases := []struct {
		name     string
		protocol bpf.SondeProtocol
		client   []step
		server   []step
		want     tally
	}{
		{"HTTP/2", bpf.SondeProtocolPROTOCOL_HTTP2, exchange(preface, "frames"), answer(preface, "frames"), tally{}},
		{"TLS", bpf.SondeProtocolPROTOCOL_TLS, exchange(clientHello, "hello"), answer(clientHello, "hello"), tally{}},
		{"unknown", bpf.SondeProtocolPROTOCOL_UNKNOWN, exchange("*1\r\n$4\r\nPING\r\n", "+PONG\r\n"), answer("*1\r\n$4\r\nPING\r\n", "+PONG\r\n"), tally{}},
		{
			"WebSocket", bpf.SondeProtocolPROTOCOL_UPGRADED,
			[]step{send(upgrade), receive(switching), send(getHello), receive(okHello)},
			[]step{receive(upgrade), send(switching), receive(getHello), send(okHello)},
			tally{"server GET /chat 101": 1},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			server := start(t, part{Script: c.server})
			callFromOutside(t, call{Address: server.address, Script: c.client})
			instance := k.instanceOf(t, server)
			eventually(t, func() string {
				if k.connectionsOf(t, instance, bpf.SondeRoleROLE_SERVER, c.protocol) != 1 {
					return "the connection was not recognised"
				}
				return ""
			})
			k.expect(t, instance, c.want)
		})
	}
}
