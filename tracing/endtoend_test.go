package tracing

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"sonde_exporter/config"
	"sonde_exporter/otlp"
)

// TestEndToEnd has a receiver of OTLP/HTTP that is down, wants other credentials,
// is busy, takes a part, takes all: one after the other.
func TestEndToEnd(t *testing.T) {
	phases := []struct {
		name   string
		answer http.HandlerFunc
		want   map[string]uint64 // added by ten spans
	}{
		{"credentials", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
			map[string]uint64{"failed unauthorized": 10}},
		{"busy", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusServiceUnavailable)
		}, map[string]uint64{"failed unavailable": 10}},
		{"hanging", func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // the server sees a client go only then
			<-r.Context().Done()
		}, map[string]uint64{"failed timeout": 10}},
		{"a part", func(w http.ResponseWriter, _ *http.Request) {
			body, err := proto.Marshal(&coltracepb.ExportTraceServiceResponse{
				PartialSuccess: &coltracepb.ExportTracePartialSuccess{RejectedSpans: 4, ErrorMessage: "too old"},
			})
			if err != nil {
				t.Error(err)
			}
			w.Header().Set("Content-Type", "application/x-protobuf")
			w.Write(body)
		}, map[string]uint64{"failed rejected": 4, "exported": 6}},
		{"all", func(http.ResponseWriter, *http.Request) {}, map[string]uint64{"exported": 10}},
	}
	var mu sync.Mutex
	answer := phases[0].answer
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		now := answer
		mu.Unlock()
		now(w, r)
	}))
	defer server.Close()
	client, err := otlp.NewTraceClient(config.Target{
		Endpoint: server.URL + "/v1/traces", Protocol: config.ProtocolHTTP, Compression: config.CompressionGzip, Timeout: 500 * time.Millisecond,
	}, "1.2.3", otlp.Retry{Initial: 10 * time.Millisecond, Max: 20 * time.Millisecond, Elapsed: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	o := options()
	o.Config, o.Client = tracesConfig(), client
	tracer := New(o)
	tracer.pause = time.Millisecond
	stop := start(t, tracer)
	want := map[string]uint64{}
	for i, phase := range phases {
		mu.Lock()
		answer = phase.answer
		mu.Unlock()
		tracer.feed(10)
		for name, value := range phase.want {
			want[name] += value
		}
		awaitCounted(t, tracer, uint64(10*(i+1)))
		expect(t, tracer, want)
	}
	stop()
	expect(t, tracer, map[string]uint64{"sampled": 50, "dropped": 0})
}

// awaitCounted waits until so many spans are exported, dropped or failed.
func awaitCounted(t *testing.T, tracer *Tracer, spans uint64) {
	t.Helper()
	for range 1000 {
		counts := totals(t, tracer)
		if counts["exported"]+counts["dropped"]+counts["failed"] == spans {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("of %d spans, these are counted: %v", spans, totals(t, tracer))
}
