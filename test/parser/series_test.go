package parser

import (
	"strings"
	"testing"
	"time"
)

// taught returns a link whose kernel knows the operation GET /a by a number.
func taught(t *testing.T, operation uint32) *link {
	t.Helper()
	l := newLink(Server)
	l.play([]turn{client(get("/a")), server(ok(""))}, whole)
	if len(l.told) != 1 {
		t.Fatalf("%d operations were told, want 1", len(l.told))
	}
	key := l.told[0].Key
	l = newLink(Server)
	l.host.Learn(key, operation)
	return l
}

// TestSeriesOfKnownOperation: user space hears nothing of it, and each
// observation is in the slot of its duration.
func TestSeriesOfKnownOperation(t *testing.T) {
	l := taught(t, 7)
	for _, ticks := range []int{1, 2, 3, 4, 5, 8, 9, 1000} {
		l.send(true, []byte(get("/a")), false)
		l.now += time.Duration(ticks-1) * tick
		l.send(false, []byte(ok("")), false)
	}
	if len(l.told) != 0 || len(l.got) != 0 {
		t.Errorf("told %d operations and %d observations, want none", len(l.told), len(l.got))
	}
	h := l.host.Series(7, 200, Complete, 1)
	if h == nil {
		t.Fatal("there is no series")
	}
	// The bounds in host.c are 1, 2, 4, 8 and 16 µs; above them all is the last slot.
	want := map[int]uint64{0: 1, 1: 1, 2: 2, 3: 2, 4: 1, 5: 1}
	for slot, n := range h.Slots {
		if n != want[slot] {
			t.Errorf("slot %d has %d observations, want %d", slot, n, want[slot])
		}
	}
	if h.Sum != 1032*tick {
		t.Errorf("the sum is %v, want %v", h.Sum, 1032*tick)
	}
}

// TestSeriesKey: status, failure and version make series of their own.
func TestSeriesKey(t *testing.T) {
	l := taught(t, 7)
	l.play([]turn{
		client(get("/a"), get("/a"), "GET /a HTTP/1.0\r\n\r\n", get("/a"), get("/a")),
		server(ok(""), head("HTTP/1.1 503 No", "Content-Length: 0"), ok(""), head("HTTP/1.1 200 OK", "Content-Length: 1")), breaks(Reset),
	}, whole)
	for _, c := range []struct {
		status  uint16
		failure Failure
		version uint8
	}{{200, Complete, 1}, {503, Complete, 1}, {200, Complete, 0}, {200, Reset, 1}, {0, Reset, 1}} {
		h := l.host.Series(7, c.status, c.failure, c.version)
		if h == nil || total(h) != 1 {
			t.Errorf("%+v: want one observation in a series of its own", c)
		}
	}
}

func total(h *Histogram) uint64 {
	var n uint64
	if h != nil {
		for _, slot := range h.Slots {
			n += slot
		}
	}
	return n
}

// TestOverflow: what has no series, and what user space cannot be told, is
// counted in the overflow series, failures apart.
func TestOverflow(t *testing.T) {
	cases := []struct {
		name    string
		prepare func(h Host)
	}{
		{"limit of the service", func(h Host) { h.SetSeriesLimits(1000, 0) }},
		{"limit of all", func(h Host) { h.SetSeriesLimits(0, 1000) }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l := taught(t, 7)
			c.prepare(l.host)
			l.play([]turn{client(get("/a"), get("/a")), server(ok(""), head("HTTP/1.1 500 Oops", "Content-Length: 0"))}, whole)
			l.checkOverflow(t)
		})
	}
	t.Run("full ring", func(t *testing.T) {
		l := newLink(Server)
		l.host.SetRingFull(true)
		l.play([]turn{client(get("/a"), get("/b")), server(ok(""), head("HTTP/1.1 500 Oops", "Content-Length: 0"))}, whole)
		l.checkOverflow(t)
	})
}

func (l *link) checkOverflow(t *testing.T) {
	t.Helper()
	l.checkSanity(t)
	good, bad := l.host.Series(OtherOfServer, 0, Complete, 0), l.host.Series(OtherOfServer, 0, Other, 0)
	if total(good) != 1 || total(bad) != 1 || l.host.Overflow() != 2 {
		t.Errorf("overflow has %d, %d of them good and %d bad, want one of each", l.host.Overflow(), total(good), total(bad))
	}
}

// TestIgnoredOperation is counted nowhere.
func TestIgnoredOperation(t *testing.T) {
	l := taught(t, Ignored)
	l.play([]turn{client(get("/a")), server(ok(""))}, whole)
	if l.host.Series(Ignored, 200, Complete, 1) != nil || l.host.Overflow() != 0 || len(l.got) != 0 {
		t.Error("the ignored request was counted")
	}
}

// TestNoMemory: storage that the kernel refuses is a loss with a reason, and the
// connection goes on with the next request.
func TestNoMemory(t *testing.T) {
	t.Run("for an incomplete line", func(t *testing.T) {
		l := newLink(Server)
		l.host.SetNoMemory(true)
		l.send(true, []byte(get("/w")), false)
		l.send(false, []byte(ok("")), false)
		l.send(true, []byte("GET /x HT"), false)
		l.send(true, []byte("TP/1.1\r\n\r\n"), false)
		l.send(true, []byte(get("/y")), false)
		l.send(false, []byte(ok("")), false)
		l.close(Closed)
		exchange{want: []string{"GET /w 200", "GET /y 200"}, lost: map[Loss]uint64{ConnectionMemory: 1}}.check(t, l)
	})
	t.Run("for a deep pipeline", func(t *testing.T) {
		l := newLink(Server)
		l.host.SetNoMemory(true)
		l.send(true, []byte(strings.Repeat(get("/a"), 5)), false)
		for range 5 {
			l.send(false, []byte(ok("")), false)
		}
		l.close(Closed)
		exchange{
			want: []string{"GET /a 200", "GET /a 200"}, lost: map[Loss]uint64{ConnectionMemory: 3}, unsolicited: 3,
		}.check(t, l)
	})
}

// TestBusyBuffers: a packet that finds every buffer in use is lost, with a
// reason, and the connection goes on with the next request.
func TestBusyBuffers(t *testing.T) {
	l := newLink(Server)
	l.send(true, []byte(get("/w")), false)
	l.send(false, []byte(ok("")), false)
	l.host.SetBusy(true)
	l.send(true, []byte(get("/x")), false)
	l.host.SetBusy(false)
	l.send(true, []byte(get("/y")), false)
	l.send(false, []byte(ok("")), false)
	l.close(Closed)
	exchange{want: []string{"GET /w 200", "GET /y 200"}, lost: map[Loss]uint64{ScratchBusy: 1}}.check(t, l)
}

// TestDuration: from the first byte of the request to the last byte of its answer.
func TestDuration(t *testing.T) {
	const pause = 3 * time.Second
	l := newLink(Server)
	l.now += pause // connected, and silent
	for _, part := range []string{"G", "ET /x HTTP/1.1\r\n", "\r\n"} {
		l.send(true, []byte(part), false)
	}
	l.now += pause
	for _, part := range []string{"HTTP/1.1 200 OK\r\n", "Content-Length: 2\r\n\r\na", "b"} {
		l.send(false, []byte(part), false)
	}
	l.now += pause
	l.play([]turn{client(get("/y")), server(head("HTTP/1.1 200 OK") + "a"), server("b")}, whole)
	if len(l.got) != 2 {
		t.Fatalf("measured %q, want two requests", l.summary())
	}
	if want := pause + 5*tick; l.got[0].duration != want {
		t.Errorf("the first took %v, want %v", l.got[0].duration, want)
	}
	// Up to the last byte of its body, not to the close.
	if want := 2 * tick; l.got[1].duration != want {
		t.Errorf("the second took %v, want %v", l.got[1].duration, want)
	}
}
