package otlpmetrics

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/protobuf/proto"

	"sonde_exporter/config"
	"sonde_exporter/series"
)

// receiver is an OTLP/HTTP endpoint. It answers as the test wants, and by default
// with success.
type receiver struct {
	*httptest.Server
	answer func(w http.ResponseWriter, attempt int)
	over   chan struct{}

	mu       sync.Mutex
	headers  []http.Header
	requests []*collectorpb.ExportMetricsServiceRequest
}

func newReceiver(t testing.TB, answer func(w http.ResponseWriter, attempt int)) *receiver {
	t.Helper()
	r := &receiver{answer: answer, over: make(chan struct{})}
	r.Server = httptest.NewUnstartedServer(r)
	t.Cleanup(r.Close)
	t.Cleanup(func() { close(r.over) })
	return r
}

func startReceiver(t testing.TB, answer func(w http.ResponseWriter, attempt int)) *receiver {
	t.Helper()
	r := newReceiver(t, answer)
	r.Start()
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	message, err := readRequest(request)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	r.headers = append(r.headers, request.Header)
	r.requests = append(r.requests, message)
	attempt := len(r.requests)
	r.mu.Unlock()
	if r.answer != nil {
		r.answer(w, attempt)
		return
	}
	accept(w, nil)
}

func readRequest(request *http.Request) (*collectorpb.ExportMetricsServiceRequest, error) {
	if request.Method != http.MethodPost || request.URL.Path != "/v1/metrics" || request.Header.Get("Content-Type") != "application/x-protobuf" {
		return nil, fmt.Errorf("%s %s of %s", request.Method, request.URL, request.Header.Get("Content-Type"))
	}
	var body io.Reader = request.Body
	if request.Header.Get("Content-Encoding") == "gzip" {
		reader, err := gzip.NewReader(request.Body)
		if err != nil {
			return nil, err
		}
		body = reader
	}
	content, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	message := &collectorpb.ExportMetricsServiceRequest{}
	return message, proto.Unmarshal(content, message)
}

// accept answers with success, partial or not.
func accept(w http.ResponseWriter, partial *collectorpb.ExportMetricsPartialSuccess) {
	answer, _ := proto.Marshal(&collectorpb.ExportMetricsServiceResponse{PartialSuccess: partial})
	w.Header().Set("Content-Type", "application/x-protobuf; charset=utf-8") // some add it
	_, _ = w.Write(answer)
}

// hang answers when the test is over.
func (r *receiver) hang(http.ResponseWriter, int) { <-r.over }

func (r *receiver) received() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.requests)
}

// caFile has the certificate of a receiver with TLS.
func (r *receiver) caFile(t testing.TB) string {
	t.Helper()
	return writePEM(t, "CERTIFICATE", r.Certificate().Raw)
}

func writePEM(t testing.TB, kind string, content []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), strings.ReplaceAll(kind, " ", "-")+".pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func httpTarget(endpoint string) config.Target {
	return config.Target{
		Endpoint: endpoint + "/v1/metrics", Protocol: config.ProtocolHTTP, Compression: config.CompressionGzip, Timeout: 5 * time.Second,
	}
}

// newExporter exports one series with one request more each time. Its log goes
// to the buffer.
func newExporter(t testing.TB, target config.Target, interval time.Duration) (*Exporter, *lockedBuffer) {
	t.Helper()
	opts := testOptions(t)
	opts.Config.Target, opts.Config.Interval = target, interval
	log := new(lockedBuffer)
	opts.Logger = slog.New(slog.NewTextHandler(log, nil))
	counted := new(series.Histogram)
	opts.Read = func(ctx context.Context) (series.Fold, error) {
		counted.Observe(opts.Table, 1e6)
		copied := *counted
		return series.Fold{shopServer(): &copied}, ctx.Err()
	}
	e, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.client.Close() })
	return e, log
}

// lockedBuffer is a log that may be read while it is written.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// wantCounts compares the counters with how many exports went well and failed,
// and how many points were rejected.
func wantCounts(t *testing.T, e *Exporter, success, failure, rejected int) {
	t.Helper()
	want := fmt.Sprintf(`# HELP sonde_otlp_metrics_exports_total Exports of all metrics by OTLP, one an interval. What one does not deliver, the next one does.
# TYPE sonde_otlp_metrics_exports_total counter
sonde_otlp_metrics_exports_total{result="failure"} %d
sonde_otlp_metrics_exports_total{result="success"} %d
# HELP sonde_otlp_metrics_rejected_data_points_total Data points that the OTLP endpoint rejected although it accepted the request.
# TYPE sonde_otlp_metrics_rejected_data_points_total counter
sonde_otlp_metrics_rejected_data_points_total %d
`, failure, success, rejected)
	if err := testutil.CollectAndCompare(e, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}
