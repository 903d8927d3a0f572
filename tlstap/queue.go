package tlstap

import (
	"slices"
	"sync"
)

// maxRequests bounds the queue. Each is at most one read of a process's maps.
const maxRequests = 4096

// kind is what a request is about.
type kind uint8

const (
	spoken kind = iota + 1
	joined
	forgotten
)

// request is one event that waits for the worker.
type request struct {
	kind         kind
	service, pid uint32
}

// queue keeps requests in their order, each of them once. Adding never waits for
// the worker.
type queue struct {
	// ready holds a token while there is something to take.
	ready chan struct{}

	mu       sync.Mutex
	requests []request
	waiting  map[request]bool
	overflow bool
}

func newQueue() *queue {
	return &queue{ready: make(chan struct{}, 1), waiting: map[request]bool{}}
}

// add drops the request if the queue is full, and remembers that.
func (q *queue) add(r request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.waiting[r] {
		return
	}
	if len(q.requests) >= maxRequests {
		q.overflow = true
		return
	}
	q.append(r)
}

// forget takes back what was asked about a service before. It is never dropped:
// the number of the service may come back as another one.
func (q *queue) forget(service uint32) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.requests = slices.DeleteFunc(q.requests, func(r request) bool {
		if r.service == service {
			delete(q.waiting, r)
		}
		return r.service == service
	})
	q.append(request{kind: forgotten, service: service})
}

func (q *queue) append(r request) {
	q.requests = append(q.requests, r)
	q.waiting[r] = true
	select {
	case q.ready <- struct{}{}:
	default: // The worker will find this request, too.
	}
}

// take empties the queue, and says whether requests were dropped since the last
// time.
func (q *queue) take() (requests []request, overflow bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	requests, overflow = q.requests, q.overflow
	q.requests, q.overflow = nil, false
	clear(q.waiting)
	return requests, overflow
}
