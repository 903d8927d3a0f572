package parser

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// script says how two streams are cut and in which order their segments pass.
type script struct {
	client, server []byte
	cuts           []byte
	role           Role
	layout         layout
	paged          bool
	disorder       bool
}

// newScript reads the options from a byte, so that a fuzzer can choose them.
func newScript(client, server, cuts []byte, options byte) script {
	return script{
		client: client, server: server, cuts: cuts,
		role:     Role(options & 1),
		paged:    options&2 != 0,
		layout:   layout(options >> 2 & 3),
		disorder: options&16 != 0,
	}
}

func (s script) stream(fromClient bool) []byte {
	if fromClient {
		return s.client
	}
	return s.server
}

// inOrder reads a cut from each byte: whose segment, and how long it is. What is
// left at the end passes whole.
func (s script) inOrder() []packet {
	var packets []packet
	at := map[bool]int{}
	add := func(fromClient bool, length int) {
		from := at[fromClient]
		to := min(from+length, len(s.stream(fromClient)))
		if to > from {
			packets = append(packets, packet{fromClient: fromClient, from: from, to: to})
			at[fromClient] = to
		}
	}
	for _, c := range s.cuts {
		length := int(c & 0x7f)
		if length == 0 {
			length = 1000
		}
		add(c&0x80 == 0, length)
	}
	add(true, len(s.client))
	add(false, len(s.server))
	return packets
}

// inDisorder reads a packet from each three bytes: whose it is, how long, and how
// far from the end of what has passed it begins.
func (s script) inDisorder() []packet {
	var packets []packet
	end := map[bool]int{}
	for c := range slices.Chunk(s.cuts, 3) {
		if len(c) < 3 {
			break
		}
		fromClient, size := c[0]&0x80 == 0, len(s.stream(c[0]&0x80 == 0))
		from := min(max(0, end[fromClient]+int(int8(c[1]))), size)
		to := min(from+int(c[0]&0x7f)+int(c[2]&0xfe)*8, size)
		packets = append(packets, packet{fromClient: fromClient, from: from, to: to, fin: c[2]&1 != 0 && !fromClient})
		end[fromClient] = max(end[fromClient], to)
	}
	return packets
}

// merged joins segments of one side that follow each other.
func merged(packets []packet) []packet {
	var all []packet
	for _, p := range packets {
		if n := len(all); n > 0 && all[n-1].fromClient == p.fromClient {
			all[n-1].to = p.to
			continue
		}
		all = append(all, p)
	}
	return all
}

// run lets the packets pass, and checks what must hold for any bytes.
func (s script) run(t *testing.T, packets []packet, soil int) *link {
	t.Helper()
	l := newLink(s.role)
	l.layout, l.paged = s.layout, s.paged
	l.host.SetGarbage(garbage(soil))
	bytes := 0
	for _, p := range packets {
		l.deliver(p.fromClient, p.from, s.stream(p.fromClient)[p.from:p.to], p.fin)
		bytes += p.to - p.from
	}
	l.close(Closed)
	l.checkSanity(t)
	// A packet may bring on what waits in the stash: 512 pieces at most.
	if most := uint64(4*bytes + 600*len(packets) + 600); l.host.Steps() > most {
		t.Errorf("%d steps for %d bytes in %d packets, want at most %d", l.host.Steps(), bytes, len(packets), most)
	}
	return l
}

// check runs a script in several ways that must not make a difference.
func (s script) check(t *testing.T) {
	packets := s.inOrder()
	if s.disorder {
		packets = s.inDisorder()
	}
	s.compare(t, packets)
}

// compare lets the packets pass more than once, and longer segments in their place.
func (s script) compare(t *testing.T, packets []packet) {
	l := s.run(t, packets, 0)
	for soil := 1; soil < 4; soil++ {
		l.equal(t, s.run(t, packets, soil), "with other garbage in the buffers")
	}
	// Behind a broken message its segment is given up, so then the cut matters.
	if !s.disorder && l.host.Lost(Malformed) == 0 {
		l.equal(t, s.run(t, merged(packets), 0), "in longer segments")
	}
}

func (l *link) equal(t *testing.T, other *link, how string) {
	t.Helper()
	a, b := l.account(), other.account()
	if !slices.Equal(a, b) || !maps.Equal(l.losses(), other.losses()) {
		t.Errorf("%s: measured %s\nlost %v, instead of %s\nlost %v", how, brief(b), other.losses(), brief(a), l.losses())
	}
}

// account is all that was told, but for times.
func (l *link) account() []string {
	lines := l.summary()
	for _, o := range l.told {
		lines = append(lines, fmt.Sprintf("%v %s %s", o.Key, o.Path, o.Host))
	}
	return append(lines, fmt.Sprint(l.host.Overflow(), l.host.Unsolicited(), l.host.State().Protocol))
}

// FuzzSegments: any bytes, cut in any way, by both sides.
func FuzzSegments(f *testing.F) {
	f.Add([]byte(get("/x")), []byte(ok("hello")), []byte{10, 10, 0, 0x85}, byte(0))
	f.Fuzz(func(t *testing.T, client, server, cuts []byte, options byte) {
		const most = 60000 // of a packet
		newScript(client[:min(len(client), most)], server[:min(len(server), most)], cuts, options).check(t)
	})
}

// tokens are what messages are made of, and what may confuse a parser.
func tokens() []string {
	return []string{
		"GET ", "HEAD ", "POST ", "CONNECT ", "X ", "/a", "/42", "?q", " HTTP/1.1\r\n", " HTTP/1.0\r\n", "\r\n", "\n", "\r", " ", ":",
		"HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n", "HTTP/1.1 101 Switch\r\n", "HTTP/1.1 204\r\n", "HTTP/1.1 304 \r\n", "HTTP/1.1 417 No\r\n",
		"HTTP/1.1 ", "Content-Length: 5\r\n", "Content-Length: 0\r\n", "Content-Length:", "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip\r\n",
		"Transfer-Encoding:", "chunked", "Host: h\r\n", "Host:", "Expect: 100-continue\r\n", "0\r\n", "5\r\n", "5", "hello", "hello\r\n", "f;x=y\r\n",
		"PROXY TCP4 a b 1 2\r\n", "PRI * HTTP/2.0\r\n\r\n", "\x16\x03\x01", "\x00\xff", "X: y\r\n", "\r\n\r\n",
		"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n",
		strings.Repeat("long", 60), strings.Repeat("longer", 60), "X: " + strings.Repeat("v", 250) + "\r\n",
	}
}

// speak makes a stream of tokens from bytes.
func speak(bytes []byte) []byte {
	const most = 500
	words := tokens()
	var b strings.Builder
	for _, c := range bytes[:min(len(bytes), most)] {
		b.WriteString(words[int(c)%len(words)])
	}
	return []byte(b.String())
}

// FuzzTokens: streams that look like HTTP, for which plain bytes would need luck.
func FuzzTokens(f *testing.F) {
	f.Add([]byte{0, 5, 8, 29, 10}, []byte{15, 22, 10, 35}, []byte{10, 10, 0, 0x85}, byte(0))
	f.Fuzz(func(t *testing.T, client, server, cuts []byte, options byte) {
		newScript(speak(client), speak(server), cuts, options).check(t)
	})
}

// FuzzDifferential: generated conversations, compared with net/http.
func FuzzDifferential(f *testing.F) {
	f.Add(uint64(1 << 40))
	f.Fuzz(func(t *testing.T, seed uint64) { differ(t, seed) })
}
