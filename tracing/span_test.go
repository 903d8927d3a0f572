package tracing

import (
	"bytes"
	"math"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"sonde_exporter/probe"
)

func TestPlaceInTrace(t *testing.T) {
	const withState = "GET / HTTP/1.1\r\nTracestate: a=1\r\n\r\n"
	tests := []struct {
		name   string
		change func(*probe.Span)
		parent []byte
		state  string
		flags  uint32
	}{
		{"root", func(*probe.Span) {}, nil, "", 0x101},
		{"remote parent", func(s *probe.Span) { s.ParentID, s.RemoteParent = [8]byte{9}, true }, []byte{9, 0, 0, 0, 0, 0, 0, 0}, "a=1", 0x301},
		{"local parent", func(s *probe.Span) { s.ParentID, s.Client = [8]byte{9}, true }, []byte{9, 0, 0, 0, 0, 0, 0, 0}, "", 0x101},
		{"kept for its outcome", func(s *probe.Span) { s.Sampled = false }, nil, "", 0x100},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			span := served(withState)
			test.change(&span)
			got := made(options(), span)[0]
			if !bytes.Equal(got.GetTraceId(), span.TraceID[:]) || !bytes.Equal(got.GetSpanId(), span.SpanID[:]) {
				t.Errorf("ids are %x and %x", got.GetTraceId(), got.GetSpanId())
			}
			if !bytes.Equal(got.GetParentSpanId(), test.parent) || got.GetTraceState() != test.state || got.GetFlags() != test.flags {
				t.Errorf("parent %x, state %q, flags %#x; want %x, %q, %#x",
					got.GetParentSpanId(), got.GetTraceState(), got.GetFlags(), test.parent, test.state, test.flags)
			}
		})
	}
}

func TestTimes(t *testing.T) {
	tests := []struct {
		name       string
		start, end uint64
		wantEnd    uint64
	}{
		{"forward", 1000, 3000, 1_003_000},
		{"ends before it starts", 1000, 10, 1_001_000},
		{"far away", 1000, math.MaxUint64, 999_999},
	}
	for _, test := range tests {
		span := served("")
		span.StartNs, span.EndNs = test.start, test.end
		got := made(options(), span)[0]
		if got.GetStartTimeUnixNano() != 1_001_000 || got.GetEndTimeUnixNano() != test.wantEnd {
			t.Errorf("%s: from %d to %d, want 1001000 to %d", test.name,
				got.GetStartTimeUnixNano(), got.GetEndTimeUnixNano(), test.wantEnd)
		}
	}
}

func TestPhases(t *testing.T) {
	tests := []struct {
		name   string
		change func(*probe.Span)
		want   bool
	}{
		{"read in between", func(s *probe.Span) { s.ReadNs = 2000 }, true},
		{"not known", func(*probe.Span) {}, false},
		{"read before it came", func(s *probe.Span) { s.ReadNs = 500 }, false},
		{"read after its end", func(s *probe.Span) { s.ReadNs = 4000 }, false},
		{"of a client", func(s *probe.Span) { s.ReadNs, s.Client = 2000, true }, false},
		{"kept for its outcome", func(s *probe.Span) { s.ReadNs, s.Sampled = 2000, false }, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			span := served("")
			test.change(&span)
			spans := made(options(), span)
			if (len(spans) == 3) != test.want {
				t.Fatalf("%d spans", len(spans))
			}
			if !test.want {
				return
			}
			checkPhase(t, spans[0], spans[1], "in queue", 1_001_000, 1_002_000)
			checkPhase(t, spans[0], spans[2], "processing", 1_002_000, 1_003_000)
			if bytes.Equal(spans[1].GetSpanId(), spans[2].GetSpanId()) {
				t.Error("both phases have the same id")
			}
		})
	}
}

func checkPhase(t *testing.T, whole, phase *tracepb.Span, name string, from, to uint64) {
	t.Helper()
	if phase.GetName() != name || phase.GetKind() != tracepb.Span_SPAN_KIND_INTERNAL {
		t.Errorf("phase is %s %q, want %q", phase.GetKind(), phase.GetName(), name)
	}
	if phase.GetStartTimeUnixNano() != from || phase.GetEndTimeUnixNano() != to {
		t.Errorf("%s lasts from %d to %d, want %d to %d", name, phase.GetStartTimeUnixNano(), phase.GetEndTimeUnixNano(), from, to)
	}
	if !bytes.Equal(phase.GetParentSpanId(), whole.GetSpanId()) || !bytes.Equal(phase.GetTraceId(), whole.GetTraceId()) {
		t.Errorf("%s is no child of the request", name)
	}
}

func TestWallOffset(t *testing.T) {
	before := time.Now().UnixNano()
	now := monotonic() + wallOffset()
	after := time.Now().UnixNano()
	// Of the three readings one may be off by the length of an interruption.
	if slack := int64(time.Millisecond); now < before-slack || now > after+slack {
		t.Errorf("now is %d, want %d to %d", now, before, after)
	}
}

func TestRequestsOf(t *testing.T) {
	tests := []struct {
		rejected int64
		want     uint64
	}{{0, 0}, {3, 3}, {10, 10}, {11, 10}, {math.MaxInt64, 10}, {-1, 0}, {math.MinInt64, 0}}
	for _, test := range tests {
		b := batch{requests: 10}
		if got := b.requestsOf(test.rejected); got != test.want {
			t.Errorf("%d rejected spans are %d of 10 requests, want %d", test.rejected, got, test.want)
		}
	}
}
