package parser

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// passage is a range of a stream that passes as one packet.
type passage struct{ from, to int }

// cut cuts n bytes into segments of sizes that a network might choose.
func (a author) cut(n int) []passage {
	var parts []passage
	size := pick(a, 1, 10, 600, 1448, 5000, 65000)
	if n > 3000 {
		size = max(size, 100)
	}
	for from := 0; from < n; {
		to := min(n, from+1+a.IntN(size))
		parts = append(parts, passage{from, to})
		from = to
	}
	return parts
}

// repeated lets segments pass as they leave a host: in order, but with
// retransmissions that repeat any part of what was sent, and may add new bytes.
func (a author) repeated(parts []passage) []passage {
	var plan []passage
	for _, p := range parts {
		if a.chance(10) {
			p.from = a.IntN(p.from + 1)
		}
		plan = append(plan, p)
		if a.chance(10) {
			from := a.IntN(p.to)
			plan = append(plan, passage{from, from + 1 + a.IntN(p.to-from)})
		}
	}
	return plan
}

// reordered lets segments pass as they arrive: any of the next few, some of them
// more than once.
func (a author) reordered(parts []passage) []passage {
	plan := slices.Clone(parts)
	for i := range plan {
		j := min(len(plan)-1, i+a.IntN(6))
		if a.chance(30) {
			plan[i], plan[j] = plan[j], plan[i]
		}
	}
	// Not too early, since the kernel stashes a limited number of segments.
	twice := make([]passage, 0, len(plan))
	for i, p := range plan {
		twice = append(twice, p)
		if a.chance(10) {
			twice = append(twice, plan[a.IntN(min(len(plan), i+20))])
		}
	}
	return twice
}

// perform lets a conversation pass; returns the bytes of both streams.
func (l *link) perform(a author, c conversation) (client, server []byte) {
	streams := map[bool][]byte{}
	for _, turn := range c.turns {
		start := len(streams[turn.fromClient])
		stream := append(streams[turn.fromClient], turn.bytes...)
		streams[turn.fromClient] = stream
		parts := a.cut(len(turn.bytes))
		if turn.fromClient == (l.role == Server) {
			parts = a.reordered(parts)
		} else {
			parts = a.repeated(parts)
		}
		for _, p := range parts {
			l.host.SetGarbage(garbage(a.IntN(100)))
			l.deliver(turn.fromClient, start+p.from, stream[start+p.from:start+p.to], false)
		}
		if turn.fin {
			l.deliver(turn.fromClient, len(stream), nil, true)
		}
	}
	l.close(c.failure)
	return streams[true], streams[false]
}

// differ plays the conversation of a seed and compares what was measured with
// what net/http reads from the same bytes.
func differ(t testing.TB, seed uint64) {
	t.Helper()
	a := author{rand.New(rand.NewPCG(seed, 0))}
	c := a.conversation()
	l := newLink(Role(a.IntN(2)))
	l.layout, l.paged = layout(a.IntN(int(layouts))), a.chance(50)
	client, server := l.perform(a, c)
	want := readRequests(t, client)
	readAnswers(server, want, c.failure)
	l.checkSanity(t)
	if lost := l.losses(); len(lost) != 0 || l.host.Unsolicited() != 0 || l.host.Overflow() != 0 {
		t.Errorf("lost %v, %d answers to no request, %d in overflow series", lost, l.host.Unsolicited(), l.host.Overflow())
	}
	for i := range min(len(want), len(l.got)) {
		l.compare(t, i, want[i])
	}
	if len(l.got) != len(want) {
		t.Errorf("measured %d requests, net/http reads %d", len(l.got), len(want))
	}
	if t.Failed() {
		t.Logf("seed %d, role %d\nclient: %.3000q\nserver: %.3000q", seed, l.role, client, server)
	}
}

func (l *link) compare(t testing.TB, i int, want span) {
	t.Helper()
	got := l.got[i]
	duration := l.now - l.client.passedAt(want.start)
	if want.end >= 0 {
		duration = l.server.passedAt(want.end-1) - l.client.passedAt(want.start)
	}
	isExact := want.end >= 0 && !want.untilClose
	if isExact && got.duration != duration {
		t.Errorf("request %d: duration %v, want %v", i, got.duration, duration)
	}
	// Where nothing but the close ends a body, a segment that comes late is not waited for.
	if !isExact && got.duration > duration {
		t.Errorf("request %d: duration %v, want at most %v", i, got.duration, duration)
	}
	got.duration = 0
	if l.role == Server {
		want.host = ""
	}
	if got != want.measured {
		t.Errorf("request %d: measured %s of host %q, net/http reads %s of host %q", i, got, got.host, want.measured, want.host)
	}
}

// passedAt is when the stream had passed up to and with the byte at an offset.
func (f *flow) passedAt(offset int) time.Duration {
	i, _ := slices.BinarySearchFunc(f.passed, offset, func(m mark, offset int) int { return m.upTo - offset - 1 })
	if i == len(f.passed) {
		return 0
	}
	return f.passed[i].at
}

func TestDifferential(t *testing.T) {
	const conversations = 400
	for seed := range uint64(conversations) {
		differ(t, seed)
		if t.Failed() {
			return
		}
	}
}
