package main

import (
	"context"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// span is one span as the control socket tells it.
type span struct {
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
	Attributes map[string]any `json:"attributes"`
}

// consumeTraces is what the receiver hands traces to.
func (s *store) consumeTraces(ctx context.Context, all ptrace.Traces) error {
	verdict := verdictOf(ctx)
	for _, fromResource := range all.ResourceSpans().All() {
		resource := fromResource.Resource().Attributes().AsRaw()
		for _, fromScope := range fromResource.ScopeSpans().All() {
			for _, one := range fromScope.Spans().All() {
				if verdict.isRejected() {
					s.countRejected()
					continue
				}
				s.addSpan(newSpan(resource, fromScope.Scope(), one))
			}
		}
	}
	return nil
}

func newSpan(resource map[string]any, scope pcommon.InstrumentationScope, from ptrace.Span) span {
	return span{
		Resource:   resource,
		Scope:      scope.Name(),
		Name:       from.Name(),
		Kind:       from.Kind().String(),
		TraceID:    from.TraceID().String(),
		SpanID:     from.SpanID().String(),
		ParentID:   from.ParentSpanID().String(),
		TraceState: from.TraceState().AsRaw(),
		Flags:      from.Flags(),
		Start:      uint64(from.StartTimestamp()),
		End:        uint64(from.EndTimestamp()),
		Status:     from.Status().Code().String(),
		Message:    from.Status().Message(),
		Attributes: from.Attributes().AsRaw(),
	}
}
