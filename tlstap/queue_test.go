package tlstap

import (
	"slices"
	"testing"
)

func TestQueue(t *testing.T) {
	speaks := func(service, pid uint32) request { return request{spoken, service, pid} }
	cases := []struct {
		name string
		fill func(*queue)
		want []request
		full bool
	}{
		{"nothing", func(*queue) {}, nil, false},
		{"each once, in order", func(q *queue) {
			q.add(speaks(2, 1))
			q.add(speaks(1, 1))
			q.add(speaks(2, 1))
		}, []request{speaks(2, 1), speaks(1, 1)}, false},
		{"a forgotten service", func(q *queue) {
			q.add(speaks(1, 1))
			q.add(speaks(2, 1))
			q.forget(1)
			q.add(speaks(1, 1)) // By now, it is another one.
		}, []request{speaks(2, 1), {kind: forgotten, service: 1}, speaks(1, 1)}, false},
		{"overflow", func(q *queue) {
			for pid := range uint32(maxRequests + 1) {
				q.add(speaks(1, pid))
			}
			q.forget(1)
		}, []request{{kind: forgotten, service: 1}}, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			q := newQueue()
			c.fill(q)
			if (len(q.ready) == 1) != (len(c.want) > 0) {
				t.Errorf("the worker is woken: %v, want %v", len(q.ready) == 1, len(c.want) > 0)
			}
			got, full := q.take()
			if !slices.Equal(got, c.want) || full != c.full {
				t.Errorf("got %v (overflow %v), want %v (%v)", got, full, c.want, c.full)
			}
			if got, full := q.take(); len(got) > 0 || full {
				t.Errorf("an empty queue has %v (overflow %v)", got, full)
			}
		})
	}
}

func TestOverflowMakesServicesStale(t *testing.T) {
	h := newHost(t)
	h.speaks(a, 0)
	for pid := range uint32(maxRequests + 1) {
		h.Joined(b, 1<<30+pid)
	}
	path := library(t, "openssl")
	lost := start(t).maps(path)
	h.members[a] = []uint32{lost.pid}
	h.Joined(a, lost.pid)
	h.settle()
	h.wantFiles()
	h.later(sweepInterval)
	h.wantFiles(openssl(path, 1, a))
}
