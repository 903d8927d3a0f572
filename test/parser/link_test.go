package parser

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// tick is how far the clock moves with each packet.
const tick = time.Microsecond

// measured is a request as user space is told of it.
type measured struct {
	method   Method
	path     string
	host     string
	status   uint16
	failure  Failure
	version  uint8
	duration time.Duration
}

// String is the form in which the tables expect it: GET /path 200.
func (m measured) String() string {
	s := m.method.String() + " " + m.path
	if m.status != 0 {
		s += fmt.Sprintf(" %d", m.status)
	}
	if m.failure != Complete {
		s += " " + m.failure.String()
	}
	if m.version != 1 {
		s += fmt.Sprintf(" HTTP/1.%d", m.version)
	}
	return s
}

// flow is one direction of the connection.
type flow struct {
	first    uint32 // sequence number of the first byte
	sent     int    // bytes sent in order
	received int    // bytes that the receiver has in order
	early    [][2]int
	passed   []mark
}

// mark says when a stream had passed up to an offset.
type mark struct {
	upTo int
	at   time.Duration
}

// take does to the receiver's state what TCP does, after the hook.
func (f *flow) take(from, to int, now time.Duration) {
	before := f.received
	f.early = append(f.early, [2]int{from, to})
	for moved := true; moved; {
		moved = false
		for _, r := range f.early {
			if r[0] <= f.received && r[1] > f.received {
				f.received, moved = r[1], true
			}
		}
	}
	f.early = slices.DeleteFunc(f.early, func(r [2]int) bool { return r[1] <= f.received })
	if f.received > before {
		f.passed = append(f.passed, mark{f.received, now})
	}
}

// link carries the packets of one connection by the hook of one of its ends.
type link struct {
	host    Host
	role    Role
	layout  layout
	paged   bool // only the headers are at hand without a copy
	now     time.Duration
	shaken  time.Duration // when the first bytes came to the listener
	client  flow
	server  flow
	waiting map[Key][]Operation // announced, not yet observed
	told    []Operation
	got     []measured
}

func newLink(role Role) *link {
	return &link{
		host: Boot(role),
		role: role,
		now:  time.Second,
		// Close to the end of the sequence numbers, so that most streams pass it.
		client:  flow{first: 0xffffffc0},
		server:  flow{first: 0xfffffff0},
		waiting: map[Key][]Operation{},
	}
}

func (l *link) flow(fromClient bool) *flow {
	if fromClient {
		return &l.client
	}
	return &l.server
}

// send lets the next bytes of a stream pass.
func (l *link) send(fromClient bool, payload []byte, fin bool) {
	f := l.flow(fromClient)
	l.deliver(fromClient, f.sent, payload, fin)
	f.sent += len(payload)
}

// deliver lets any bytes of a stream pass: again, too early, or overlapping.
func (l *link) deliver(fromClient bool, offset int, payload []byte, fin bool) {
	f := l.flow(fromClient)
	s := segment{fromClient: fromClient, seq: f.first + uint32(offset), fin: fin, payload: payload}
	l.pass(s, Packet{Received: f.first + uint32(f.received)})
	f.take(offset, offset+len(payload), l.now)
}

func (l *link) pass(s segment, p Packet) {
	headers := s.headers(l.layout)
	p.Bytes = append(headers, s.payload...)
	p.Linear = len(p.Bytes)
	if l.paged {
		p.Linear = len(headers)
	}
	p.Arrives = s.fromClient == (l.role == Server)
	l.now += tick
	l.host.SetTime(l.now)
	l.host.Deliver(p)
	l.collect()
}

func (l *link) close(failure Failure) {
	l.now += tick
	l.host.SetTime(l.now)
	l.host.Close(failure)
	l.collect()
}

// collect joins the observations with the operations announced before. Requests
// of one operation are answered in order, so each takes the oldest.
func (l *link) collect() {
	operations, observations := l.host.Take()
	for _, o := range operations {
		l.waiting[o.Key] = append(l.waiting[o.Key], o)
	}
	l.told = append(l.told, operations...)
	for _, o := range observations {
		m := measured{
			method: o.Key.Method, path: "?", status: o.Status,
			failure: o.Failure, version: o.Version, duration: o.Duration,
		}
		if known := l.waiting[o.Key]; len(known) > 0 {
			m.path, m.host = known[0].Path, known[0].Host
			l.waiting[o.Key] = known[1:]
		}
		l.got = append(l.got, m)
	}
}

func (l *link) summary() []string {
	lines := make([]string, len(l.got))
	for i, m := range l.got {
		lines[i] = m.String()
	}
	return lines
}

// checkSanity fails if the parser broke a rule that holds for any bytes.
func (l *link) checkSanity(t testing.TB) {
	t.Helper()
	if fault := l.host.Fault(); fault != "" {
		t.Errorf("fault: %s", fault)
	}
	s := l.host.State()
	for name, stream := range map[string]Stream{"request": s.Request, "response": s.Response} {
		if stream.State > lastState || stream.LongLine > lastLine || stream.Carried > fullCarry {
			t.Errorf("the %s stream is in an impossible state: %+v", name, stream)
		}
	}
	if s.Verdict > Watched || s.Protocol > Unknown || s.Waiting > QueueInline {
		t.Errorf("the connection is in an impossible state: %+v", s)
	}
}

// losses lists every loss that is not zero.
func (l *link) losses() map[Loss]uint64 {
	lost := map[Loss]uint64{}
	for reason := range Loss(losses) {
		if n := l.host.Lost(reason); n > 0 {
			lost[reason] = n
		}
	}
	return lost
}
