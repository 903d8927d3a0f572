package e2e

import (
	"fmt"
	"math"
	"testing"
	"time"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// TestDuration: a server that sleeps a known time is measured within 2 % or
// 1 ms, whichever is more. The truth lies between the sleep and what the caller
// saw with its own clock, which also covers how late a timer fires.
func TestDuration(t *testing.T) {
	cases := []struct {
		sleep    time.Duration
		requests int
	}{
		{2 * time.Millisecond, 200}, {20 * time.Millisecond, 50}, {100 * time.Millisecond, 20}, {500 * time.Millisecond, 4},
	}
	caller := servers.StartPeer(t, programs(t).Peer)
	for _, c := range cases {
		t.Run(c.sleep.String(), func(t *testing.T) {
			server := servers.Go(t, programs(t).GoServer)
			seen := caller.Fetch(t, servers.Fetch{
				URL: server.URL(fmt.Sprintf("/sleep/%d", c.sleep.Milliseconds())), Requests: c.requests, Connections: 1,
			})
			base := harness.Labels{"server_port": server.PortLabel(), "http_route": "/sleep/*"}
			for _, role := range []string{harness.Server, harness.Client} {
				snap := shared(t).WaitCount(t, role, base, uint64(c.requests))
				mean := snap.Sum(role, base) / float64(c.requests)
				slack := math.Max(0.02*c.sleep.Seconds(), 0.001)
				if mean < c.sleep.Seconds() || mean > seen.Seconds() || seen.Seconds()-mean > slack {
					t.Errorf("%s: the mean is %.6f s; the server slept %v, the caller saw %.6f s, the slack is %.6f s",
						role, mean, c.sleep, seen.Seconds(), slack)
				}
			}
		})
	}
}

// TestDurationOfSlowAnswer: time runs to the last byte of the answer, and from
// the first byte of the request.
func TestDurationOfSlowAnswer(t *testing.T) {
	const wait = 400 * time.Millisecond
	body := sized("POST /x HTTP/1.1", "hello", "Host: test")
	cases := map[string][]step{
		"slow head":      {client(body[:5]), pause(wait), client(body[5:]), server(answer("hello"))},
		"slow body":      {client(body[:len(body)-1]), pause(wait), client(body[len(body)-1:]), server(answer("hello"))},
		"slow answer":    {client(body), server(answer("hello")[:20]), pause(wait), server(answer("hello")[20:])},
		"slow last byte": {client(body), serverSlowEnd(answer("hello"), wait)},
		"slow chunk":     {client(body), serverSlowEnd(chunkedAnswer("hello"), wait)},
		"slow close":     {client(body), server(head("HTTP/1.1 200 OK")), pause(wait), server("hello"), serverCloses},
		"slow interim":   {client(body), server(head("HTTP/1.1 103 Early Hints")), pause(wait), server(answer("hello"))},
	}
	s := newStage(t)
	for name, steps := range cases {
		t.Run(name, func(t *testing.T) {
			listener := s.server.Listen(t)
			c := conversation{client: s.client.Dial(t, listener.Addr), server: listener.Accept(t)}
			start := time.Now()
			play(t, c, steps)
			most := time.Since(start)
			base := harness.Labels{"server_port": portOf(t, listener.Addr)}
			for _, role := range []string{harness.Server, harness.Client} {
				got := shared(t).WaitCount(t, role, base, 1).Sum(role, base)
				if got < wait.Seconds() || got > most.Seconds() {
					t.Errorf("%s: %.6f s, want between %v and %v", role, got, wait, most)
				}
			}
		})
	}
}

func serverSlowEnd(data string, wait time.Duration) step {
	return func(t testing.TB, c conversation) {
		t.Helper()
		server(data[:len(data)-1])(t, c)
		time.Sleep(wait)
		server(data[len(data)-1:])(t, c)
	}
}

// TestCloseIsNotPartOfAnAnswer: an answer with no length ends with its last
// byte, however much later the connection does.
func TestCloseIsNotPartOfAnAnswer(t *testing.T) {
	s := newStage(t)
	listener := s.server.Listen(t)
	c := conversation{client: s.client.Dial(t, listener.Addr), server: listener.Accept(t)}
	play(t, c, []step{client(request("/x")), server(head("HTTP/1.1 200 OK") + "the end"), pause(time.Second), serverCloses})
	base := harness.Labels{"server_port": portOf(t, listener.Addr)}
	snap := shared(t).WaitCount(t, harness.Server, base, 1)
	if sum := snap.Sum(harness.Server, base); sum > 0.5 {
		t.Errorf("an answer of a few milliseconds took %.3f s by Sonde", sum)
	}
}
