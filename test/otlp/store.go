package main

import (
	"maps"
	"slices"
	"sync"
)

// request is one request for export as the control socket tells it.
type request struct {
	Signal      string            `json:"signal"`   // traces or metrics
	Protocol    string            `json:"protocol"` // grpc or http
	Path        string            `json:"path"`     // or the method of gRPC
	Compression string            `json:"compression"`
	Headers     map[string]string `json:"headers"`     // names in lower case
	Certificate string            `json:"certificate"` // common name of the client's; empty without one
	Status      int               `json:"status"`      // answered, as a status of HTTP; 0 if the client gave up
}

// counts are sums since the last reset.
type counts struct {
	Unauthorized int `json:"unauthorized"` // requests without the right password
	Requests     int `json:"requests"`     // all others
	Refused      int `json:"refused"`      // of these, answered with an error
	GivenUp      int `json:"given_up"`     // of these, whose client did not wait for the answer
	Spans        int `json:"spans"`        // taken in, each once
	Duplicates   int `json:"duplicates"`   // spans that were taken in before
	Rejected     int `json:"rejected"`     // spans and data points of partial successes
	Points       int `json:"points"`       // data points taken in

	// Services are the spans by service.name and kind, such as "shop Server".
	Services map[string]int `json:"services"`
}

// store keeps what was received.
type store struct {
	keep int

	mu       sync.Mutex
	counts   counts
	known    map[string]bool // identity of every span
	spans    []span
	points   []point
	requests []request
}

func newStore(keep int) *store {
	s := &store{keep: keep}
	s.reset()
	return s
}

func (s *store) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts = counts{Services: map[string]int{}}
	s.known = map[string]bool{}
	s.spans, s.points, s.requests = []span{}, []point{}, []request{}
}

func (s *store) addSpan(one span) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := one.TraceID + one.SpanID
	if s.known[id] {
		s.counts.Duplicates++
		return
	}
	s.known[id] = true
	s.counts.Spans++
	name, _ := one.Resource["service.name"].(string)
	s.counts.Services[name+" "+one.Kind]++
	s.spans = kept(s.spans, one, s.keep)
}

func (s *store) addPoint(p point) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.Points++
	s.points = kept(s.points, p, s.keep)
}

func (s *store) countRejected() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.Rejected++
}

func (s *store) countUnauthorized() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.Unauthorized++
}

func (s *store) countRequest(r request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.Requests++
	switch {
	case r.Status == 0:
		s.counts.GivenUp++
	case r.Status >= 300:
		s.counts.Refused++
	}
	s.requests = kept(s.requests, r, s.keep)
}

// kept adds one to list, from which the older half goes when it is full.
func kept[T any](list []T, one T, limit int) []T {
	if len(list) >= limit {
		list = slices.Clone(list[limit/2:])
	}
	return append(list, one)
}

// snapshot is a copy of everything.
func (s *store) snapshot() (c counts, spans []span, points []point, requests []request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c = s.counts
	c.Services = maps.Clone(c.Services)
	return c, slices.Clone(s.spans), slices.Clone(s.points), slices.Clone(s.requests)
}
