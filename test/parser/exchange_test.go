package parser

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
)

// turn is what one side does until the other side speaks.
type turn struct {
	fromClient bool
	bytes      string
	fin        bool // with its last segment
	close      Failure
}

func client(parts ...string) turn { return turn{fromClient: true, bytes: strings.Join(parts, "")} }
func server(parts ...string) turn { return turn{bytes: strings.Join(parts, "")} }

// serverLast is the server's last turn: it closes the connection with it.
func serverLast(parts ...string) turn {
	return turn{bytes: strings.Join(parts, ""), fin: true}
}

func breaks(failure Failure) turn { return turn{close: failure} }

// exchange is a dialogue and what must be measured of it, however it is cut.
type exchange struct {
	name        string
	only        []Role // else both roles
	turns       []turn
	want        []string
	lost        map[Loss]uint64
	unsolicited uint64
	overflow    uint64
	protocol    Protocol // HTTP1 if not set
	undecided   bool     // no request ended, so the protocol is not known
}

// head is a message head: a start line and header lines.
func head(lines ...string) string { return strings.Join(lines, "\r\n") + "\r\n\r\n" }

func get(path string) string { return head("GET "+path+" HTTP/1.1", "Host: test") }

func sized(start, body string, lines ...string) string {
	lines = append([]string{start}, lines...)
	return head(append(lines, fmt.Sprintf("Content-Length: %d", len(body)))...) + body
}

func ok(body string) string { return sized("HTTP/1.1 200 OK", body) }

// chunks is a chunked body with one chunk for each part.
func chunks(parts ...string) string {
	var b strings.Builder
	for _, part := range parts {
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(part), part)
	}
	return b.String() + "0\r\n\r\n"
}

// cutting cuts the bytes of the turn with the given number into segments.
type cutting func(turn int, bytes string) []string

func whole(_ int, bytes string) []string { return []string{bytes} }

func pieces(size int) cutting {
	return func(_ int, bytes string) []string {
		var parts []string
		for part := range slices.Chunk([]byte(bytes), size) {
			parts = append(parts, string(part))
		}
		return parts
	}
}

// halves cuts one turn in two and leaves the others whole.
func halves(which, at int) cutting {
	return func(turn int, bytes string) []string {
		if turn != which {
			return []string{bytes}
		}
		return []string{bytes[:at], bytes[at:]}
	}
}

// cuttings are the ways in which every exchange is cut: whole, in pieces of sizes
// at which the parser's buffers begin and end, and at every single place.
func cuttings(turns []turn) iter.Seq2[string, cutting] {
	const places = 400 // per turn: more are sampled
	return func(yield func(string, cutting) bool) {
		if !yield("whole", whole) {
			return
		}
		for _, size := range []int{1, 2, 3, 7, 239, 240, 241, 255, 256, 257, 511, 512, 513, 1448} {
			if !yield(fmt.Sprintf("in pieces of %d", size), pieces(size)) {
				return
			}
		}
		for i, turn := range turns {
			for at := 1; at < len(turn.bytes); at += 1 + len(turn.bytes)/places {
				if !yield(fmt.Sprintf("turn %d cut at %d", i, at), halves(i, at)) {
					return
				}
			}
		}
	}
}

// play lets an exchange pass in one cutting, and ends the connection.
func (l *link) play(turns []turn, cut cutting) {
	for i, turn := range turns {
		if turn.close != Complete {
			l.close(turn.close)
			continue
		}
		parts := cut(i, turn.bytes)
		for j, part := range parts {
			l.send(turn.fromClient, []byte(part), turn.fin && j == len(parts)-1)
		}
		if turn.fin && len(parts) == 0 {
			l.send(turn.fromClient, nil, true)
		}
	}
	l.close(Closed)
}

// garbage is what the parser may find in its buffers: nothing, or text that could
// complete a line which it reads too far.
func garbage(i int) uint64 {
	texts := []string{"\x00\x00\x00\x00\x00\x00\x00\x00", "\r\n\r\n\r\n\r\n", "HTTP/1.1", "GET / HT", "chunked\r", "5\r\n5\r\n5\n"}
	var word uint64
	for j, c := range []byte(texts[i%len(texts)]) {
		word |= uint64(c) << (8 * j)
	}
	return word
}

func (x exchange) run(t *testing.T) {
	t.Helper()
	roles := x.only
	if roles == nil {
		roles = []Role{Server, Client}
	}
	for _, role := range roles {
		i := 0
		for name, cut := range cuttings(x.turns) {
			l := newLink(role)
			l.layout, l.paged = layout(i)%layouts, i%2 == 1
			l.host.SetGarbage(garbage(i))
			l.play(x.turns, cut)
			if !x.check(t, l) {
				t.Fatalf("role %d, %s", role, name)
			}
			i++
		}
	}
}

func (x exchange) check(t *testing.T, l *link) bool {
	t.Helper()
	l.checkSanity(t)
	if got := l.summary(); !slices.Equal(got, x.want) {
		t.Errorf("measured %s\n    want %s", brief(got), brief(x.want))
	}
	if lost := l.losses(); !maps.Equal(lost, x.lost) {
		t.Errorf("lost %v, want %v", lost, x.lost)
	}
	if n := l.host.Unsolicited(); n != x.unsolicited {
		t.Errorf("%d answers to no request, want %d", n, x.unsolicited)
	}
	if n := l.host.Overflow(); n != x.overflow {
		t.Errorf("%d observations in overflow series, want %d", n, x.overflow)
	}
	want := x.protocol
	if want == Undecided && !x.undecided {
		want = HTTP1
	}
	if got := l.host.State().Protocol; got != want {
		t.Errorf("protocol %d, want %d", got, want)
	}
	if n := l.host.Classified(l.role, want); n != 1 && want != Undecided {
		t.Errorf("%d connections of protocol %d, want 1", n, want)
	}
	return !t.Failed()
}

// brief shows the beginning of a long list.
func brief(lines []string) string {
	const most = 12
	if len(lines) <= most {
		return fmt.Sprintf("%q", lines)
	}
	return fmt.Sprintf("%d: %q …", len(lines), lines[:most])
}

func runAll(t *testing.T, cases []exchange) {
	t.Helper()
	for _, x := range cases {
		t.Run(x.name, func(t *testing.T) { x.run(t) })
	}
}
