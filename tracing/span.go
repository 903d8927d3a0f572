package tracing

import (
	"encoding/binary"
	"math"
	"math/rand/v2"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// span makes the span of a request. Offset leads from the kernel's clock to the
// wall clock.
func (b *builder) span(r *request, offset int64) *tracepb.Span {
	span := &tracepb.Span{
		TraceId:           r.TraceID[:],
		SpanId:            r.SpanID[:],
		Flags:             r.flags(),
		Name:              r.name(),
		Kind:              tracepb.Span_SPAN_KIND_SERVER,
		StartTimeUnixNano: wall(r.StartNs, offset),
		EndTimeUnixNano:   wall(max(r.StartNs, r.EndNs), offset),
		Attributes:        b.attributes(r),
		Status:            &tracepb.Status{},
	}
	if r.Client {
		span.Kind = tracepb.Span_SPAN_KIND_CLIENT
	}
	if r.ParentID != [8]byte{} {
		span.ParentSpanId = r.ParentID[:]
	}
	if r.RemoteParent {
		span.TraceState = traceState(r.head.traceState)
	}
	if r.labels.ErrorType != "" {
		span.Status.Code = tracepb.Status_STATUS_CODE_ERROR
	}
	return span
}

// flags are those of W3C, and whether the parent is in another process.
func (r *request) flags() uint32 {
	flags := uint32(tracepb.SpanFlags_SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK)
	if r.Sampled {
		flags |= 1 // https://www.w3.org/TR/trace-context/#sampled-flag
	}
	if r.RemoteParent {
		flags |= uint32(tracepb.SpanFlags_SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK)
	}
	return flags
}

// phases splits the time of a served request into waiting and work, under the
// names that Beyla gives them. There are none if it is not known when the service
// read the request, or if it is kept for its outcome only.
func phases(r *request, offset int64) []*tracepb.Span {
	if r.Client || !r.Sampled || r.ReadNs <= r.StartNs || r.ReadNs > r.EndNs {
		return nil
	}
	return []*tracepb.Span{
		phase(r, "in queue", wall(r.StartNs, offset), wall(r.ReadNs, offset)),
		phase(r, "processing", wall(r.ReadNs, offset), wall(r.EndNs, offset)),
	}
}

func phase(r *request, name string, start, end uint64) *tracepb.Span {
	return &tracepb.Span{
		TraceId:           r.TraceID[:],
		SpanId:            newSpanID(),
		ParentSpanId:      r.SpanID[:],
		Flags:             1 | uint32(tracepb.SpanFlags_SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK),
		Name:              name,
		Kind:              tracepb.Span_SPAN_KIND_INTERNAL,
		StartTimeUnixNano: start,
		EndTimeUnixNano:   end,
		Status:            &tracepb.Status{},
	}
}

// newSpanID is random and not zero, which would be no id.
func newSpanID() []byte {
	return binary.BigEndian.AppendUint64(nil, 1+rand.Uint64N(math.MaxUint64))
}

func wall(monotonic uint64, offset int64) uint64 { return uint64(int64(monotonic) + offset) }
