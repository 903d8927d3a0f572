package harness

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Span is one span that a Receiver has taken in.
type Span struct {
	Resource   map[string]any `json:"resource"`
	Scope      string         `json:"scope"`
	Name       string         `json:"name"`
	Kind       string         `json:"kind"` // Server, Client, Internal, …
	TraceID    string         `json:"trace_id"`
	SpanID     string         `json:"span_id"`
	ParentID   string         `json:"parent_id"` // empty for a root
	TraceState string         `json:"trace_state"`
	Flags      uint32         `json:"flags"`
	Start      uint64         `json:"start"` // nanoseconds since 1970
	End        uint64         `json:"end"`
	Status     string         `json:"status"` // Unset, Ok or Error
	Message    string         `json:"message"`
	Attributes map[string]any `json:"attributes"` // numbers are float64
}

// Duration is how long the span lasted.
func (s Span) Duration() time.Duration { return time.Duration(s.End - s.Start) }

// Service is the name of the span's service.
func (s Span) Service() string {
	name, _ := s.Resource["service.name"].(string)
	return name
}

// Point is one data point that a Receiver has taken in. What its type does not
// have is zero.
type Point struct {
	Resource    map[string]any `json:"resource"`
	Scope       string         `json:"scope"`
	Name        string         `json:"name"`
	Unit        string         `json:"unit"`
	Type        string         `json:"type"`        // Gauge, Sum, Histogram or ExponentialHistogram
	Temporality string         `json:"temporality"` // Cumulative or Delta
	Monotonic   bool           `json:"monotonic"`
	Attributes  map[string]any `json:"attributes"`
	Start       uint64         `json:"start"` // nanoseconds since 1970
	Time        uint64         `json:"time"`
	Value       float64        `json:"value"`
	Count       uint64         `json:"count"`
	Sum         float64        `json:"sum"`
	Bounds      []float64      `json:"bounds"`  // of an explicit histogram
	Buckets     []uint64       `json:"buckets"` // of an exponential one: those above zero
	Scale       int32          `json:"scale"`
	Offset      int32          `json:"offset"`
	ZeroCount   uint64         `json:"zero_count"`
	Exemplars   []struct {
		TraceID string  `json:"trace_id"`
		SpanID  string  `json:"span_id"`
		Value   float64 `json:"value"`
	} `json:"exemplars"`
}

// Request is one request for export that a Receiver has seen.
type Request struct {
	Signal      string            `json:"signal"`   // traces or metrics
	Protocol    string            `json:"protocol"` // grpc or http
	Path        string            `json:"path"`     // or the method of gRPC
	Compression string            `json:"compression"`
	Headers     map[string]string `json:"headers"`     // names in lower case
	Certificate string            `json:"certificate"` // common name of the client's
	Status      int               `json:"status"`      // of HTTP; 0 if the client gave up
}

// Counts are sums since the receiver's last reset.
type Counts struct {
	Unauthorized int            `json:"unauthorized"` // requests without the right password
	Requests     int            `json:"requests"`     // all others
	Refused      int            `json:"refused"`      // of these, answered with an error
	GivenUp      int            `json:"given_up"`     // of these, whose client did not wait
	Spans        int            `json:"spans"`        // taken in, each once
	Duplicates   int            `json:"duplicates"`   // spans that were taken in before
	Rejected     int            `json:"rejected"`     // items of partial successes
	Points       int            `json:"points"`
	Services     map[string]int `json:"services"` // spans by name and kind, as "shop Server"
}

// Counts asks for the sums.
func (r *Receiver) Counts(t testing.TB) Counts { t.Helper(); return tell[Counts](t, r, "/counts") }

// Spans asks for all spans that the receiver keeps.
func (r *Receiver) Spans(t testing.TB) []Span { t.Helper(); return tell[[]Span](t, r, "/spans") }

// Points asks for all data points that the receiver keeps, in the order in which
// they came.
func (r *Receiver) Points(t testing.TB) []Point { t.Helper(); return tell[[]Point](t, r, "/points") }

// Requests asks for all requests that the receiver keeps.
func (r *Receiver) Requests(t testing.TB) []Request {
	t.Helper()
	return tell[[]Request](t, r, "/requests")
}

// SpanFilter says which spans a test is about.
type SpanFilter func(Span) bool

// Of are the spans of a service and a kind, such as Server.
func Of(service, kind string) SpanFilter {
	return func(s Span) bool { return s.Service() == service && s.Kind == kind }
}

// WaitSpans waits until exactly want spans pass the filter, and still do a moment
// later. It returns them.
func (r *Receiver) WaitSpans(t testing.TB, want int, filter SpanFilter) []Span {
	t.Helper()
	deadline := time.Now().Add(countTimeout)
	for {
		found := r.matching(t, filter)
		if len(found) == want {
			time.Sleep(settle)
			found = r.matching(t, filter)
		}
		switch {
		case len(found) == want:
			return found
		case len(found) > want, time.Now().After(deadline):
			t.Fatalf("%d spans have arrived, want %d; all that have arrived:\n%s", len(found), want, describeSpans(r.Spans(t)))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (r *Receiver) matching(t testing.TB, filter SpanFilter) (found []Span) {
	t.Helper()
	for _, s := range r.Spans(t) {
		if filter(s) {
			found = append(found, s)
		}
	}
	return found
}

// describeSpans prints spans, one a line, for a failed test.
func describeSpans(spans []Span) string {
	var b strings.Builder
	for n, s := range spans {
		if n == described {
			fmt.Fprintf(&b, "  and %d more\n", len(spans)-n)
			break
		}
		fmt.Fprintf(&b, "  %s %s %q trace=%s span=%s parent=%s %v\n", s.Service(), s.Kind, s.Name, s.TraceID, s.SpanID, s.ParentID, s.Attributes)
	}
	if b.Len() == 0 {
		return "  none\n"
	}
	return b.String()
}
