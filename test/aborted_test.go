package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// unanswered is a request that ended without an answer: an error, no status.
func unanswered(method, route string) []harness.Row {
	return []harness.Row{{Count: 1, Labels: harness.Labels{
		"http_request_method":       method,
		"http_route":                route,
		"http_response_status_code": "",
		"error_type":                harness.Present,
	}}}
}

// TestAborted: requests whose end never came are counted once, as errors.
func TestAborted(t *testing.T) {
	get := client(request("/x"))
	part := head("POST /x HTTP/1.1", "Host: test", "Content-Length: 1000") + "part"
	cases := []exchange{
		{name: "server closes without an answer", steps: []step{get, serverCloses}, want: unanswered("GET", "/x")},
		{name: "server resets without an answer", steps: []step{get, serverResets}, want: unanswered("GET", "/x")},
		{name: "client closes before the answer", steps: []step{get, clientCloses}, want: unanswered("GET", "/x")},
		{name: "client resets before the answer", steps: []step{get, clientResets}, want: unanswered("GET", "/x")},
		{name: "client leaves in the middle of its body", steps: []step{client(part), clientCloses}, want: unanswered("POST", "/x")},
		{name: "client resets in the middle of its body", steps: []step{client(part), clientResets}, want: unanswered("POST", "/x")},
		{name: "only a 100 and then the end", steps: []step{
			client(part), server(head("HTTP/1.1 100 Continue")), serverCloses,
		}, want: unanswered("POST", "/x")},
	}
	s := newStage(t)
	for _, x := range cases {
		x.once = true
		t.Run(x.name, func(t *testing.T) { s.perform(t, x) })
	}
}

// TestCutAnswer: an answer that began and did not end is counted once, as an
// error.
func TestCutAnswer(t *testing.T) {
	get, cut := client(request("/x")), server(head("HTTP/1.1 200 OK", "Content-Length: 1000")+"part")
	chunked := server(head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + "5\r\nhello\r\n")
	failed := []harness.Row{{Count: 1, Labels: harness.Labels{
		"http_request_method": "GET", "http_route": "/x", "error_type": harness.Present,
	}}}
	cases := []exchange{
		{name: "client closes", steps: []step{get, cut, clientCloses}},
		{name: "client resets", steps: []step{get, cut, clientResets}},
		{name: "server closes", steps: []step{get, cut, serverCloses}},
		{name: "server resets", steps: []step{get, cut, serverResets}},
		{name: "server closes between chunks", steps: []step{get, chunked, serverCloses}},
	}
	s := newStage(t)
	for _, x := range cases {
		x.once, x.want = true, failed
		t.Run(x.name, func(t *testing.T) { s.perform(t, x) })
	}
}

// TestPipelineCut: of ten requests in flight three were answered.
func TestPipelineCut(t *testing.T) {
	lost := unanswered("GET", "/x")
	lost[0].Count = 7
	newStage(t).perform(t, exchange{
		once: true,
		steps: []step{
			client(strings.Repeat(request("/x"), 10)), server(strings.Repeat(answer("hello"), 3)), serverCloses,
		},
		want: append(lost, row(3, "GET", "/x", "200")),
	})
}

// TestNoRequest: connections without a request are not requests.
func TestNoRequest(t *testing.T) {
	cases := []exchange{
		{name: "opened and closed", steps: []step{clientCloses}},
		{name: "opened and reset", steps: []step{clientResets}},
		{name: "closed by the server", steps: []step{serverCloses}},
	}
	s := newStage(t)
	for _, x := range cases {
		x.once = true
		t.Run(x.name, func(t *testing.T) { s.perform(t, x) })
	}
}

// TestUpgrade: an upgrade is one request; what follows belongs to another
// protocol, even where it looks like HTTP.
func TestUpgrade(t *testing.T) {
	after := []step{client(looksLikeRequest), server(looksLikeAnswer), client(request("/y")), server(answer("hello"))}
	upgrade := client(request("/socket", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="))
	switching := head("HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: websocket")
	cases := []exchange{
		{name: "101", steps: append([]step{upgrade, server(switching)}, after...), want: one("GET", "/socket", "101")},
		{name: "101 with more in its segment", steps: append([]step{upgrade, server(switching + answer("hello"))}, after...), want: one("GET", "/socket", "101")},
		{name: "refused", steps: []step{upgrade, server(answer("no")), client(request("/y")), server(answer("hello"))},
			want: append(one("GET", "/socket", "200"), one("GET", "/y", "200")...)},
		{name: "tunnel", steps: append([]step{client(head("CONNECT test:443 HTTP/1.1", "Host: test:443")), server(head("HTTP/1.1 200 OK"))}, after...),
			want: []harness.Row{{Count: 1, Labels: harness.Labels{"http_request_method": "CONNECT", "http_response_status_code": "200"}}}},
	}
	s := newStage(t)
	for _, x := range cases {
		x.once = true
		t.Run(x.name, func(t *testing.T) { s.perform(t, x) })
	}
}

// TestServerKilled: the requests that a server was working on when it died.
func TestServerKilled(t *testing.T) {
	const inFlight = 20
	server := servers.Go(t, programs(t).GoServer)
	caller := servers.StartPeer(t, programs(t).Peer)
	for range inFlight {
		caller.Dial(t, server.Addr()).Write(t, request("/sleep/60000"))
	}
	harness.Eventually(t, "goserver to have all requests", func() bool { return server.Handled(t) == inFlight })
	server.Kill()
	base := harness.Labels{"server_port": server.PortLabel()}
	want := unanswered("GET", "/sleep/*")
	want[0].Count = inFlight
	shared(t).Expect(t, harness.Server, base, want...)
	shared(t).Expect(t, harness.Client, base, want...)
}

// TestErrorType: 5xx is an error of the server; 4xx and 5xx are errors of the
// call.
func TestErrorType(t *testing.T) {
	s := newStage(t)
	for _, c := range []struct {
		status                   int
		serverError, clientError string
	}{
		{200, "", ""}, {302, "", ""}, {404, "", "404"}, {429, "", "429"}, {500, "500", "500"}, {503, "503", "503"},
	} {
		labelled := func(errorType string) []harness.Row {
			return []harness.Row{{Count: 1, Labels: harness.Labels{
				"http_response_status_code": fmt.Sprint(c.status), "error_type": errorType,
			}}}
		}
		t.Run(fmt.Sprint(c.status), func(t *testing.T) {
			s.perform(t, exchange{
				steps:      []step{client(request("/x")), server(sized(fmt.Sprintf("HTTP/1.1 %d Reason", c.status), ""))},
				want:       labelled(c.serverError),
				clientWant: labelled(c.clientError),
			})
		})
	}
}

// TestLateSpeaker: time starts at the first byte of the request, not when the
// connection was made or the one before was answered.
func TestLateSpeaker(t *testing.T) {
	const silence = 3 * time.Second
	s := newStage(t)
	listener := s.server.Listen(t)
	c := conversation{client: s.client.Dial(t, listener.Addr), server: listener.Accept(t)}
	play(t, c, []step{pause(silence), client(request("/x")), server(answer("hello")), pause(silence), client(request("/x")), server(answer("hello"))})
	base := harness.Labels{"server_port": portOf(t, listener.Addr)}
	for _, role := range []string{harness.Server, harness.Client} {
		snap := shared(t).WaitCount(t, role, base, 2)
		if sum := snap.Sum(role, base); sum > 0.5 {
			t.Errorf("%s: 2 requests of a few milliseconds took %.3f s by Sonde", role, sum)
		}
	}
}
