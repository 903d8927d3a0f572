package main

import (
	"fmt"
	"net"
	"net/http"
	"reflect"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
)

// TestSpans: what a client sends is told again, with nothing changed.
func TestSpans(t *testing.T) {
	b := newBench(t, settings{keep: 10})
	b.each(t, plain(), func(t *testing.T, client otlptrace.Client) {
		if err := upload(t, client, 1, 3); err != nil {
			t.Fatal(err)
		}
		spans := get[[]span](t, b, "/spans")
		if len(spans) != 3 {
			t.Fatalf("%d spans, want 3", len(spans))
		}
		want := span{
			Resource: map[string]any{"service.name": "shop"}, Scope: "sonde", Name: "GET /users/{id}", Kind: "Server",
			TraceID: fmt.Sprintf("%x", "trace 0000000002"), SpanID: fmt.Sprintf("%x", "a span 1"), ParentID: fmt.Sprintf("%x", "a parent"),
			TraceState: "a=1", Flags: 0x301, Start: 1_000_000_000_000_000_001, End: 1_000_000_000_000_000_002,
			Status: "Error", Message: "broken",
			Attributes: map[string]any{"url.path": "/users/7", "http.response.status_code": 500.0},
		}
		if !reflect.DeepEqual(spans[1], want) {
			t.Errorf("got  %+v\nwant %+v", spans[1], want)
		}
		if err := upload(t, client, 2, 10); err != nil {
			t.Fatal(err)
		}
		got := get[counts](t, b, "/counts")
		wanted := counts{Requests: 2, Spans: 11, Duplicates: 2, Services: map[string]int{"shop Server": 11}}
		if !reflect.DeepEqual(got, wanted) {
			t.Errorf("got  %+v\nwant %+v", got, wanted)
		}
		spans = get[[]span](t, b, "/spans")
		if len(spans) > 10 || spans[len(spans)-1].TraceID != fmt.Sprintf("%x", "trace 0000000011") {
			t.Errorf("%d spans are kept, want at most 10, and the last among them", len(spans))
		}
	})
}

// TestRequests: what is told about the requests themselves.
func TestRequests(t *testing.T) {
	b := newBench(t, settings{})
	o := plain()
	tenant := map[string]string{"X-Scope-OrgID": "one"}
	o.grpc = append(o.grpc, otlptracegrpc.WithCompressor("gzip"), otlptracegrpc.WithHeaders(tenant))
	o.http = append(o.http, otlptracehttp.WithCompression(otlptracehttp.GzipCompression), otlptracehttp.WithHeaders(tenant))
	var protocols []string
	b.each(t, o, func(t *testing.T, client otlptrace.Client) {
		if err := upload(t, client, 1, 1); err != nil {
			t.Fatal(err)
		}
		got := get[[]request](t, b, "/requests")
		if len(got) != 1 {
			t.Fatalf("%d requests, want one", len(got))
		}
		if got[0].Signal != traces || got[0].Compression != "gzip" || got[0].Headers["x-scope-orgid"] != "one" || got[0].Status != http.StatusOK {
			t.Errorf("got %+v, want traces, gzip, the tenant one, and the status 200", got[0])
		}
		protocols = append(protocols, got[0].Protocol)
	})
	if slices.Sort(protocols); !slices.Equal(protocols, []string{"grpc", "http"}) {
		t.Errorf("the protocols were %v", protocols)
	}
}

// TestFaults: how each fault looks to a client that does not try again.
func TestFaults(t *testing.T) {
	b := newBench(t, settings{})
	for _, c := range []struct {
		name  string
		fault fault
		want  counts
	}{
		{"throttled", fault{Status: 429, RetryAfterSeconds: 1}, counts{Requests: 1, Refused: 1}},
		{"unavailable", fault{Status: 503}, counts{Requests: 1, Refused: 1}},
		{"broken", fault{Status: 500}, counts{Requests: 1, Refused: 1}},
		{"bad request", fault{Status: 400}, counts{Requests: 1, Refused: 1}},
		{"partial", fault{Reject: 2}, counts{Requests: 1, Rejected: 2, Spans: 3, Services: map[string]int{"shop Server": 3}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.each(t, plain(), func(t *testing.T, client otlptrace.Client) {
				b.do(t, http.MethodPut, "/fault", c.fault)
				if err := upload(t, client, 1, 5); err == nil {
					t.Error("the client does not notice")
				}
				if c.want.Services == nil {
					c.want.Services = map[string]int{}
				}
				if got := get[counts](t, b, "/counts"); !reflect.DeepEqual(got, c.want) {
					t.Errorf("got  %+v\nwant %+v", got, c.want)
				}
				b.do(t, http.MethodPut, "/fault", fault{})
				if err := upload(t, client, 10, 1); err != nil {
					t.Errorf("the endpoint works again, but: %v", err)
				}
			})
		})
	}
}

// TestRetryAfter: OpenTelemetry's clients understand when they may come back.
func TestRetryAfter(t *testing.T) {
	b := newBench(t, settings{})
	o := plain()
	o.grpc = append(o.grpc, otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{Enabled: true, MaxElapsedTime: time.Minute}))
	o.http = append(o.http, otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: true, MaxElapsedTime: time.Minute}))
	b.each(t, o, func(t *testing.T, client otlptrace.Client) {
		b.do(t, http.MethodPut, "/fault", fault{Status: 429, RetryAfterSeconds: 1, Requests: 1})
		start := time.Now()
		if err := upload(t, client, 1, 5); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < time.Second {
			t.Errorf("the client came back after %v, want a second", took)
		}
		if got := get[counts](t, b, "/counts"); got.Requests != 2 || got.Refused != 1 || got.Spans != 5 {
			t.Errorf("got %+v, want 2 requests of which one is refused, and 5 spans", got)
		}
	})
}

// TestSlow: a client that gives up leaves nothing behind.
func TestSlow(t *testing.T) {
	b := newBench(t, settings{})
	o := plain()
	o.grpc = append(o.grpc, otlptracegrpc.WithTimeout(100*time.Millisecond))
	o.http = append(o.http, otlptracehttp.WithTimeout(100*time.Millisecond))
	b.each(t, o, func(t *testing.T, client otlptrace.Client) {
		b.do(t, http.MethodPut, "/fault", fault{DelayMillis: 20})
		if err := upload(t, client, 1, 5); err != nil {
			t.Errorf("the client does not wait for 20 ms: %v", err)
		}
		b.do(t, http.MethodPut, "/fault", fault{DelayMillis: 5000})
		if err := upload(t, client, 10, 5); err == nil {
			t.Error("the client waits for 5 s, which is more than its time limit")
		}
		var got counts
		for deadline := time.Now().Add(2 * time.Second); got.GivenUp == 0 && time.Now().Before(deadline); {
			got = get[counts](t, b, "/counts")
		}
		if got.GivenUp != 1 || got.Spans != 5 {
			t.Errorf("got %+v, want one request that was given up, and 5 spans", got)
		}
	})
}

// TestDown: the ports are closed, and open again.
func TestDown(t *testing.T) {
	b := newBench(t, settings{})
	b.each(t, plain(), func(t *testing.T, client otlptrace.Client) {
		for round := range 3 {
			b.do(t, http.MethodPost, "/down", nil)
			for _, address := range []string{b.settings.grpc, b.settings.http} {
				if conn, err := net.Dial("tcp", address); err == nil {
					_ = conn.Close()
					t.Errorf("%s is open", address)
				}
			}
			b.do(t, http.MethodPost, "/up", nil)
			if err := upload(t, client, round, 1); err != nil {
				// A gRPC client may only notice now that its connection has gone.
				err = upload(t, client, round, 1)
				if err != nil {
					t.Errorf("the endpoint is up, but: %v", err)
				}
			}
		}
		if got := get[counts](t, b, "/counts"); got.Spans != 3 {
			t.Errorf("got %+v, want 3 spans", got)
		}
	})
}
