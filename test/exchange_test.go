package e2e

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// exchange is a scripted conversation between two services of this host, and
// what Sonde must make of it in both roles.
type exchange struct {
	name  string
	steps []step
	// want are the requests of one run of the steps. The same labels hold for
	// the server and the client unless clientWant says otherwise.
	want       []harness.Row
	clientWant []harness.Row
	// once is set where the connection does not survive the steps, so that
	// they cannot be run again on the same one.
	once bool
}

// repeats is how often each exchange is run, on connections of its own and, if
// the connection survives, once more as often on a single one.
const repeats = 10

// conversation is a connection with both of its ends.
type conversation struct {
	client, server servers.Endpoint
}

// step is one line of a script.
type step func(t testing.TB, c conversation)

// client sends data in one write; the server reads it.
func client(data string) step {
	return func(t testing.TB, c conversation) {
		t.Helper()
		c.client.Write(t, data)
		c.server.Read(t, len(data))
	}
}

// server sends data in one write; the client reads it.
func server(data string) step { return serverBy(servers.Endpoint.Write, data) }

// serverBy sends data by another system call.
func serverBy(send func(servers.Endpoint, testing.TB, string), data string) step {
	return func(t testing.TB, c conversation) {
		t.Helper()
		send(c.server, t, data)
		c.client.Read(t, len(data))
	}
}

// clientIn and serverIn send data in segments of size bytes.
func clientIn(size int, data string) step { return inPieces(size, data, client) }
func serverIn(size int, data string) step { return inPieces(size, data, server) }

func inPieces(size int, data string, send func(string) step) step {
	return func(t testing.TB, c conversation) {
		t.Helper()
		for rest := data; rest != ""; {
			n := min(size, len(rest))
			send(rest[:n])(t, c)
			rest = rest[n:]
		}
	}
}

// serverLarge sends more than the socket buffers hold, in one call.
func serverLarge(op, data string) step {
	return func(t testing.TB, c conversation) {
		t.Helper()
		wait := c.server.Post(t, op, data)
		c.client.Read(t, len(data))
		wait()
	}
}

// clientLarge is serverLarge in the other direction.
func clientLarge(op, data string) step {
	return func(t testing.TB, c conversation) {
		t.Helper()
		wait := c.client.Post(t, op, data)
		c.server.Read(t, len(data))
		wait()
	}
}

// pause lets time pass, for what only happens when nothing does.
func pause(d time.Duration) step {
	return func(testing.TB, conversation) { time.Sleep(d) }
}

func serverCloses(t testing.TB, c conversation) {
	t.Helper()
	c.server.Close(t)
	c.client.ReadAll(t)
}

func serverResets(t testing.TB, c conversation) {
	t.Helper()
	c.server.Reset(t)
	c.client.ReadUntilGone(t)
}

// clientCloses is the end of both: as long as the server has not closed too, it
// may still answer.
func clientCloses(t testing.TB, c conversation) {
	t.Helper()
	c.client.Close(t)
	c.server.ReadUntilGone(t)
	c.server.Close(t)
}

// clientFinishes tells the server that nothing more will come; it may answer.
func clientFinishes(t testing.TB, c conversation) {
	t.Helper()
	c.client.CloseWrite(t)
	c.server.ReadAll(t)
}

func clientResets(t testing.TB, c conversation) {
	t.Helper()
	c.client.Reset(t)
	c.server.ReadUntilGone(t)
	c.server.Close(t)
}

// stage is the pair of services that exchanges run between.
type stage struct {
	client, server *servers.Peer
}

func newStage(t testing.TB) stage {
	t.Helper()
	return stage{
		client: servers.StartPeer(t, programs(t).Peer),
		server: servers.StartPeer(t, programs(t).Peer),
	}
}

// perform runs an exchange on a listener of its own and checks both roles.
func (s stage) perform(t *testing.T, x exchange) {
	t.Helper()
	listener := s.server.Listen(t)
	open := func() conversation {
		return conversation{client: s.client.Dial(t, listener.Addr), server: listener.Accept(t)}
	}
	runs := uint64(repeats)
	for range repeats {
		c := open()
		play(t, c, x.steps)
		if !x.once {
			c.client.Close(t)
			c.server.ReadUntilGone(t)
			c.server.Close(t)
		}
	}
	if !x.once {
		c := open()
		for range repeats {
			play(t, c, x.steps)
		}
		c.client.Close(t)
		runs += repeats
	}
	base := harness.Labels{"server_port": portOf(t, listener.Addr)}
	clientWant := x.clientWant
	if clientWant == nil {
		clientWant = x.want
	}
	shared(t).Expect(t, harness.Server, base, times(runs, x.want)...)
	shared(t).Expect(t, harness.Client, base, times(runs, clientWant)...)
	listener.Close(t)
}

func play(t testing.TB, c conversation, steps []step) {
	t.Helper()
	for _, do := range steps {
		do(t, c)
	}
}

func times(n uint64, rows []harness.Row) []harness.Row {
	scaled := make([]harness.Row, 0, len(rows))
	for _, r := range rows {
		scaled = append(scaled, harness.Row{Labels: r.Labels, Count: r.Count * n})
	}
	return scaled
}

func portOf(t testing.TB, addr string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatalf("%q is no address: %v", addr, err)
	}
	return port
}

// one is a single request with these labels.
func one(method, route, status string) []harness.Row {
	return []harness.Row{row(1, method, route, status)}
}

func row(n uint64, method, route, status string) harness.Row {
	return harness.Row{Count: n, Labels: harness.Labels{
		"http_request_method":       method,
		"http_route":                route,
		"http_response_status_code": status,
	}}
}

// request is a GET of path with a Host and further header lines.
func request(path string, headers ...string) string {
	return head("GET "+path+" HTTP/1.1", append([]string{"Host: test"}, headers...)...)
}

// head joins a first line and header lines, and ends with the empty line.
func head(first string, headers ...string) string {
	return strings.Join(append([]string{first}, headers...), "\r\n") + "\r\n\r\n"
}

// sized is a message with a body that Content-Length delimits.
func sized(first, body string, headers ...string) string {
	return head(first, append(headers, fmt.Sprintf("Content-Length: %d", len(body)))...) + body
}

// answer is a 200 with a body.
func answer(body string) string { return sized("HTTP/1.1 200 OK", body) }
