package tracing

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"sonde_exporter/bpf"
	"sonde_exporter/config"
	"sonde_exporter/discovery"
	"sonde_exporter/discovery/inspect"
	"sonde_exporter/probe"
	"sonde_exporter/series"
)

const (
	shop        = 1 // number of an instance
	userByID    = 7 // number of an operation
	overflowing = 8
)

// options are those of a tracer that knows one service.
func options() Options {
	return Options{
		Host: "node1", Version: "1.2.3", Logger: slog.New(slog.DiscardHandler),
		Instance: func(number uint32) (discovery.Instance, bool) {
			return discovery.Instance{
				ID: number, Selected: true, Process: inspect.Process{PID: 42}, Identity: inspect.Identity{Name: "shop"},
			}, number == shop
		},
		Operation: func(number uint32) (series.Operation, bool) {
			route, known := map[uint32]string{userByID: "/users/{id}", overflowing: series.OtherRoute}[number]
			return series.Operation{Route: route}, known
		},
	}
}

// served is a request that was answered well.
func served(head string) probe.Span {
	return probe.Span{
		StartNs: 1000, EndNs: 3000, Service: shop, Operation: userByID,
		Method: uint8(bpf.SondeMethodMETHOD_GET), Version: 1, Status: 200,
		Local: netip.MustParseAddrPort("10.0.0.1:8080"), Peer: netip.MustParseAddrPort("10.0.0.2:40000"),
		TraceID: [16]byte{1}, SpanID: [8]byte{2}, Sampled: true,
		Head: []byte(head),
	}
}

// called is the same request from the other side.
func called(head string) probe.Span {
	span := served(head)
	span.Client = true
	span.Local, span.Peer = span.Peer, span.Local
	return span
}

// made returns the spans of OTLP that one of the kernel becomes.
func made(o Options, span probe.Span) []*tracepb.Span {
	b := newBuilder(o)
	b.offset = func() int64 { return 1_000_000 }
	batch := b.build([]probe.Span{span})
	return batch.resources[0].GetScopeSpans()[0].GetSpans()
}

// table makes attributes comparable.
func table(attributes []*commonpb.KeyValue) map[string]any {
	values := map[string]any{}
	for _, attribute := range attributes {
		switch value := attribute.GetValue().GetValue().(type) {
		case *commonpb.AnyValue_StringValue:
			values[attribute.GetKey()] = value.StringValue
		case *commonpb.AnyValue_IntValue:
			values[attribute.GetKey()] = value.IntValue
		case *commonpb.AnyValue_ArrayValue:
			var texts []string
			for _, text := range value.ArrayValue.GetValues() {
				texts = append(texts, text.GetStringValue())
			}
			values[attribute.GetKey()] = strings.Join(texts, "|")
		}
	}
	return values
}

// compare tells which attributes are not as they should be.
func compare(t *testing.T, got map[string]any, want attributesOf) {
	t.Helper()
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s is %#v, want %#v", key, got[key], value)
		}
	}
	for key, value := range got {
		if _, wanted := want[key]; !wanted {
			t.Errorf("%s is %#v, which is too much", key, value)
		}
	}
}

func tracesConfig() config.Traces {
	return config.Traces{QueueSize: 100, BatchSize: 10, BatchTimeout: 500e6}
}
