package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
)

// bench is an endpoint with a control socket, and a client for each protocol.
type bench struct {
	settings settings
	control  *httptest.Server
}

func newBench(t *testing.T, s settings) bench {
	t.Helper()
	s.grpc, s.http = freeAddress(t), freeAddress(t)
	if s.keep == 0 {
		s.keep = 1000
	}
	into := newStore(s.keep)
	e := newEndpoint(s, into)
	if err := e.up(t.Context()); err != nil {
		t.Fatal(err)
	}
	control := httptest.NewServer(newControl(into, e))
	t.Cleanup(func() {
		control.Close()
		if err := e.down(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return bench{settings: s, control: control}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// clientOptions are what a client of either protocol is made with.
type clientOptions struct {
	grpc []otlptracegrpc.Option
	http []otlptracehttp.Option
}

// plain is a client without TLS that never tries twice.
func plain() clientOptions {
	return clientOptions{
		grpc: []otlptracegrpc.Option{otlptracegrpc.WithInsecure(), otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{})},
		http: []otlptracehttp.Option{otlptracehttp.WithInsecure(), otlptracehttp.WithRetry(otlptracehttp.RetryConfig{})},
	}
}

// clients are OpenTelemetry's own, one for each protocol.
func (b bench) clients(t *testing.T, o clientOptions) map[string]otlptrace.Client {
	t.Helper()
	all := map[string]otlptrace.Client{
		"grpc": otlptracegrpc.NewClient(append(o.grpc, otlptracegrpc.WithEndpoint(b.settings.grpc))...),
		"http": otlptracehttp.NewClient(append(o.http, otlptracehttp.WithEndpoint(b.settings.http))...),
	}
	for _, client := range all {
		if err := client.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Stop(context.Background()) })
	}
	return all
}

// each runs check for both protocols, on an endpoint that works and has received
// nothing.
func (b bench) each(t *testing.T, o clientOptions, check func(t *testing.T, client otlptrace.Client)) {
	t.Helper()
	for protocol, client := range b.clients(t, o) {
		b.do(t, http.MethodPost, "/reset", nil)
		b.do(t, http.MethodPut, "/fault", fault{})
		t.Run(protocol, func(t *testing.T) { check(t, client) })
	}
}

func (b bench) do(t *testing.T, method, path string, body any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(method, b.control.URL+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s is answered with %s", method, path, resp.Status)
	}
}

func get[T any](t *testing.T, b bench, path string) (v T) {
	t.Helper()
	resp, err := http.Get(b.control.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// upload sends n spans of the service shop, numbered from first on.
func upload(t *testing.T, client otlptrace.Client, first, n int) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	var spans []*trace.Span
	for i := range n {
		spans = append(spans, &trace.Span{
			TraceId: fmt.Appendf(nil, "trace %010d", first+i), SpanId: []byte("a span 1"), ParentSpanId: []byte("a parent"),
			TraceState: "a=1", Flags: 0x301, Name: "GET /users/{id}", Kind: trace.Span_SPAN_KIND_SERVER,
			StartTimeUnixNano: 1_000_000_000_000_000_001, EndTimeUnixNano: 1_000_000_000_000_000_002,
			Status: &trace.Status{Code: trace.Status_STATUS_CODE_ERROR, Message: "broken"},
			Attributes: []*common.KeyValue{
				text("url.path", "/users/7"),
				{Key: "http.response.status_code", Value: &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: 500}}},
			},
		})
	}
	return client.UploadTraces(ctx, []*trace.ResourceSpans{{
		Resource:   &resource.Resource{Attributes: []*common.KeyValue{text("service.name", "shop")}},
		ScopeSpans: []*trace.ScopeSpans{{Scope: &common.InstrumentationScope{Name: "sonde"}, Spans: spans}},
	}})
}

func text(key, value string) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}}}
}
