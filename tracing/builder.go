package tracing

import (
	"slices"
	"strings"

	semconv "go.opentelemetry.io/otel/semconv/v1.38.0"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"sonde_exporter/probe"
	"sonde_exporter/series"
)

// builder makes spans of OTLP from those of the kernel.
type builder struct {
	options Options
	scrub   map[string]bool // names of query parameters, in lower case
	headers []string        // names of headers that are shown, in lower case
	offset  func() int64    // from CLOCK_MONOTONIC to the wall clock, in nanoseconds
}

func newBuilder(options Options) builder {
	b := builder{options: options, scrub: map[string]bool{}, offset: wallOffset}
	for _, name := range options.Config.ScrubQuery {
		b.scrub[strings.ToLower(name)] = true
	}
	for _, name := range options.Config.RequestHeaders {
		if name = strings.ToLower(name); !slices.Contains(b.headers, name) {
			b.headers = append(b.headers, name)
		}
	}
	return b
}

// batch is what one upload carries.
type batch struct {
	resources []*tracepb.ResourceSpans
	requests  uint64 // that are in it
	unknown   uint64 // requests left out because their service is not known
	ignored   uint64 // requests left out because their route is ignored
}

// requestsOf returns how many requests a number of rejected spans stands for. The
// receiver does not say which ones it rejected: they are taken for requests, not
// for phases, so that nothing is called exported that may be missing.
func (b *batch) requestsOf(rejected int64) uint64 {
	return min(uint64(max(rejected, 0)), b.requests)
}

// build makes a batch, with one resource for each instance of a service.
func (b *builder) build(spans []probe.Span) batch {
	var made batch
	offset := b.offset()
	instances := map[uint32]*tracepb.ScopeSpans{}
	details := map[*tracepb.ScopeSpans][]*tracepb.Span{}
	for i := range spans {
		scope, known := instances[spans[i].Service]
		if !known {
			scope = b.open(&made, spans[i].Service)
			instances[spans[i].Service] = scope
		}
		if scope == nil {
			made.unknown++
			continue
		}
		r := b.describe(spans[i])
		if r == nil {
			made.ignored++
			continue
		}
		made.requests++
		scope.Spans = append(scope.Spans, b.span(r, offset))
		details[scope] = append(details[scope], phases(r, offset)...)
	}
	// Last, so that a receiver with little room left takes the requests.
	for scope, phases := range details {
		scope.Spans = append(scope.Spans, phases...)
	}
	return made
}

// open adds the resource of an instance to the batch. It is nil if the instance
// is not known, or not to be measured.
func (b *builder) open(made *batch, number uint32) *tracepb.ScopeSpans {
	instance, known := b.options.Instance(number)
	if !known || !instance.Selected {
		return nil
	}
	scope := &tracepb.ScopeSpans{
		Scope:     &commonpb.InstrumentationScope{Name: distroName, Version: b.options.Version},
		SchemaUrl: semconv.SchemaURL,
	}
	made.resources = append(made.resources, &tracepb.ResourceSpans{
		Resource:   &resourcepb.Resource{Attributes: b.resource(&instance)},
		ScopeSpans: []*tracepb.ScopeSpans{scope},
		SchemaUrl:  semconv.SchemaURL,
	})
	return scope
}

// describe finds out all that is known of a span. It is nil if its route is
// ignored.
func (b *builder) describe(span probe.Span) *request {
	r := &request{Span: span, head: parseHead(span.Head, b.headers)}
	r.target = parseTarget(r.method(), r.head.target)
	operation, known := series.Operation{}, false
	if span.Operation != 0 {
		operation, known = b.options.Operation(span.Operation)
	}
	ignored := span.Operation == probe.Ignored
	if !known && span.Operation == 0 && b.options.Route != nil && r.target.path != "" {
		operation.Route, ignored = b.options.Route(span.Service, r.target.path)
	}
	if ignored {
		return nil
	}
	operation.OverTLS = span.OverTLS
	operation.Role = series.Server
	if span.Client {
		operation.Role = series.Client
	}
	r.labels = series.LabelsOf(operation, probe.SeriesKey{
		Status: span.Status, Failure: span.Failure, Version: span.Version,
	})
	if operation.Route != series.OtherRoute {
		r.route = operation.Route
	}
	return r
}
