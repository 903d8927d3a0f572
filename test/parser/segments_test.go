package parser

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// packet is a range of one stream that passes the hook, in any order.
type packet struct {
	fromClient bool
	from, to   int
	fin        bool
}

func fromClient(from, to int) packet { return packet{fromClient: true, from: from, to: to} }
func fromServer(from, to int) packet { return packet{from: from, to: to} }

// TestDisorder: whatever the network repeats, drops or reorders, every byte is
// parsed once and in order.
func TestDisorder(t *testing.T) {
	request := sized("POST /x HTTP/1.1", strings.Repeat("b", 50)) // 84 bytes
	answer := sized("HTTP/1.1 200 OK", strings.Repeat("b", 50))   // 86 bytes
	r, a := len(request), len(answer)
	next := get("/y")
	client, server := request+next, answer+ok("2")
	rest := []packet{fromClient(r, len(client)), fromServer(a, len(server))}
	both := []string{"POST /x 200", "GET /y 200"}
	cases := []struct {
		name string
		role Role // of the side at whose hook the packets pass
		pass []packet
		want []string
		lost map[Loss]uint64
	}{
		{name: "request twice", pass: []packet{fromClient(0, r), fromClient(0, r), fromServer(0, a)}},
		{name: "answer twice", pass: []packet{fromClient(0, r), fromServer(0, a), fromServer(0, a)}},
		{name: "request once more after its answer", pass: []packet{fromClient(0, r), fromServer(0, a), fromClient(0, r)}},
		{name: "overlap with new bytes", pass: []packet{fromClient(0, 20), fromClient(10, r), fromServer(0, 20), fromServer(5, a)}},
		{name: "arrives in reverse", pass: []packet{fromClient(60, r), fromClient(40, 60), fromClient(20, 40), fromClient(0, 20), fromServer(0, a)}},
		{name: "arrives in reverse, then again", pass: []packet{
			fromClient(40, r), fromClient(20, 40), fromClient(20, 40), fromClient(40, r), fromClient(0, 20), fromClient(0, r), fromServer(0, a),
		}},
		{name: "early segment grows", pass: []packet{fromClient(40, 60), fromClient(40, r), fromClient(0, 40), fromServer(0, a)}},
		{name: "early segment shrinks", pass: []packet{fromClient(40, r), fromClient(40, 60), fromClient(0, 40), fromClient(60, r), fromServer(0, a)}},
		{name: "body segment early", pass: []packet{fromClient(0, 40), fromClient(60, 70), fromClient(40, 60), fromClient(70, r), fromServer(0, a)}},
		{name: "answer arrives in reverse", role: Client, pass: []packet{fromClient(0, r), fromServer(60, a), fromServer(30, 60), fromServer(0, 30)}},
		{name: "answer's body is missing", pass: []packet{fromClient(0, r), fromServer(0, 60), fromServer(80, a)}},
		{
			name: "answer's head is missing, as nothing leaves out of order",
			pass: []packet{fromClient(0, r), fromServer(0, 10), fromServer(60, a)},
			want: []string{"GET /y 200"}, lost: map[Loss]uint64{SegmentGap: 2},
		},
		{
			name: "request's head is missing, as nothing leaves out of order", role: Client,
			pass: []packet{fromClient(0, 10), fromClient(40, r), fromServer(0, a)},
			want: []string{"GET /y 200"}, lost: map[Loss]uint64{SegmentGap: 1},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l := newLink(c.role)
			for _, p := range append(c.pass, rest...) {
				stream := server
				if p.fromClient {
					stream = client
				}
				l.deliver(p.fromClient, p.from, []byte(stream[p.from:p.to]), p.fin)
			}
			l.close(Closed)
			l.checkSanity(t)
			if c.want == nil {
				c.want = both
			}
			if got := l.summary(); !slices.Equal(got, c.want) {
				t.Errorf("measured %q, want %q", got, c.want)
			}
			if lost := l.losses(); !maps.Equal(lost, c.lost) {
				t.Errorf("lost %v, want %v", lost, c.lost)
			}
		})
	}
}

// TestRetransmissionMergedWithEarlySegment: GRO may merge what is sent again with
// what had arrived, so that its end lies inside an early segment.
func TestRetransmissionMergedWithEarlySegment(t *testing.T) {
	request := sized("POST /x HTTP/1.1", strings.Repeat("b", 50), "X: y")
	l := newLink(Server)
	l.deliver(true, 10, []byte(request[10:40]), false)
	l.deliver(true, 0, []byte(request[:25]), false)
	l.deliver(true, 40, []byte(request[40:]), false)
	l.deliver(false, 0, []byte(ok("")), false)
	l.deliver(true, len(request), []byte(get("/y")), false)
	l.deliver(false, len(ok("")), []byte(ok("")), false)
	l.close(Closed)
	l.checkSanity(t)
	if got := l.summary(); !slices.Equal(got, []string{"POST /x 200", "GET /y 200"}) {
		t.Errorf("measured %q and lost %v, want both requests", got, l.losses())
	}
}

// TestFinBeforeItsAnswer: a FIN that arrives early ends nothing yet.
func TestFinBeforeItsAnswer(t *testing.T) {
	answer := ok("hello")
	l := newLink(Client)
	l.send(true, []byte(get("/x")), false)
	l.deliver(false, len(answer), nil, true)
	l.deliver(false, 30, []byte(answer[30:]), true)
	l.deliver(false, 0, []byte(answer[:30]), false)
	l.close(Closed)
	l.checkSanity(t)
	if got := l.summary(); !slices.Equal(got, []string{"GET /x 200"}) {
		t.Errorf("measured %q, want one complete request", got)
	}
}

// TestLargeSegments: offloading makes segments of up to half a megabyte.
func TestLargeSegments(t *testing.T) {
	for _, size := range []int{60000, 200000, 500000} {
		for _, paged := range []bool{false, true} {
			l := newLink(Server)
			l.paged = paged
			bytes := strings.Repeat(get("/a"), 100) + sized("PUT /b HTTP/1.1", strings.Repeat("b", size))
			l.send(true, []byte(bytes), false)
			l.send(false, []byte(strings.Repeat(ok("x"), 101)), false)
			l.close(Closed)
			l.checkSanity(t)
			if got := l.summary(); len(got) != 101 || got[100] != "PUT /b 200" {
				t.Errorf("%d bytes: measured %s", size, brief(got))
			}
		}
	}
}

// TestTunnel: a packet of the socket's tunnel is not a packet of the socket.
func TestTunnel(t *testing.T) {
	const protoIPIP = 4
	l := newLink(Server)
	packet := append(ipv4Header(ipv4), get("/inner")...)
	packet[9] = protoIPIP
	l.host.Deliver(Packet{Bytes: packet, Linear: len(packet), Arrives: true})
	l.play([]turn{client(get("/x")), server(ok(""))}, whole)
	exchange{want: []string{"GET /x 200"}}.check(t, l)
}

// TestBrokenHeaders: packets that are too short, or that lie about their headers.
func TestBrokenHeaders(t *testing.T) {
	whole := segment{fromClient: true, payload: []byte(get("/x"))}
	for l := range layouts {
		packet := append(whole.headers(l), whole.payload...)
		for n := range len(packet) {
			for _, arrives := range []bool{true, false} {
				k := newLink(Server)
				k.host.Deliver(Packet{Bytes: packet[:n], Linear: n, Arrives: arrives, Broken: true})
				k.checkSanity(t)
			}
		}
		for i := range whole.headers(l) {
			for _, value := range []byte{0, 0x0f, 0x40, 0x4f, 0x60, 0xff} {
				k := newLink(Server)
				broken := slices.Clone(packet)
				broken[i] = value
				k.host.Deliver(Packet{Bytes: broken, Linear: len(broken), Arrives: true, Broken: true})
				k.checkSanity(t)
				if t.Failed() {
					t.Fatalf("layout %d, byte %d is %#x", l, i, value)
				}
			}
		}
	}
}

// TestHandshakeWithPayload: TCP_DEFER_ACCEPT and Fast Open let a request come
// before there is a connection, wherever its first segment ends.
func TestHandshakeWithPayload(t *testing.T) {
	request := sized("POST /x HTTP/1.1", inner, "Host: test")
	for at := 1; at <= len(request); at++ {
		for l := range layouts {
			for _, repeated := range []bool{false, true} {
				k := newLink(Server)
				k.layout = l
				k.shakeHands([]byte(request[:at]))
				if repeated {
					k.shakeHands([]byte(request[:at]))
				}
				if at < len(request) {
					k.send(true, []byte(request[at:]), false)
				}
				k.send(false, []byte(ok("")), false)
				k.send(true, []byte(get("/y")), false)
				k.send(false, []byte(ok("")), false)
				k.close(Closed)
				k.checkSanity(t)
				if got := k.summary(); !slices.Equal(got, []string{"POST /x 200", "GET /y 200"}) {
					t.Fatalf("cut at %d, layout %d: measured %q, lost %v", at, l, got, k.losses())
				}
				if want := k.now - k.shaken; k.got[0].duration+k.got[1].duration > want {
					t.Fatalf("cut at %d: durations %v and %v, want less than %v in all", at, k.got[0].duration, k.got[1].duration, want)
				}
			}
		}
	}
}

// TestHandshakesOfTwoConnections: what came early is not given to another peer.
func TestHandshakesOfTwoConnections(t *testing.T) {
	l := newLink(Server)
	other := segment{fromClient: true, seq: 77, payload: []byte(get("/other"))}
	headers := other.headers(ipv4)
	headers[20], headers[21] = 1, 2 // another source port
	l.host.Deliver(Packet{Bytes: append(headers, other.payload...), Linear: len(headers), Arrives: true, Listener: true})
	l.play([]turn{client(get("/x")), server(ok(""))}, whole)
	exchange{want: []string{"GET /x 200"}}.check(t, l)
}

// shakeHands lets the first bytes of the client pass at the listener.
func (l *link) shakeHands(payload []byte) {
	s := segment{fromClient: true, seq: l.client.first, payload: payload}
	l.pass(s, Packet{Listener: true})
	if l.shaken == 0 {
		l.shaken = l.now - tick
	}
	l.client.sent = len(payload)
	l.client.received = len(payload)
}
