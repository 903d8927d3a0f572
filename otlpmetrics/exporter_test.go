package otlpmetrics

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"

	"sonde_exporter/config"
	"sonde_exporter/series"
)

func isTransient(err error) bool {
	var transient *transientError
	return errors.As(err, &transient)
}

func TestNewRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(*config.MetricsExport)
		text   string
	}{
		{"endpoint", func(c *config.MetricsExport) { c.Endpoint = "http://user:secret@%zz" }, "endpoint is not a URL"},
		{"no host", func(c *config.MetricsExport) { c.Endpoint = "localhost" }, "endpoint is not a URL"},
		{"no interval", func(c *config.MetricsExport) { c.Interval = 0 }, "interval is 0s"},
		{"protocol", func(c *config.MetricsExport) { c.Protocol = "http/json" }, `"http/json" is not known`},
		{"authority", func(c *config.MetricsExport) { c.TLS.CAFile = "/missing/ca.pem" }, "/missing/ca.pem"},
		{"authority by gRPC", func(c *config.MetricsExport) { c.Protocol, c.TLS.CAFile = config.ProtocolGRPC, "/missing/ca.pem" }, "/missing/ca.pem"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			opts := testOptions(t)
			opts.Config.Target = httpTarget("https://localhost:4318")
			test.change(&opts.Config)
			_, err := New(opts)
			if err == nil || !strings.Contains(err.Error(), test.text) || strings.Contains(err.Error(), "secret") {
				t.Errorf("error %v, want one with %q and without the password", err, test.text)
			}
		})
	}
}

func TestPartialSuccess(t *testing.T) {
	r := startReceiver(t, func(w http.ResponseWriter, _ int) {
		accept(w, &collectorpb.ExportMetricsPartialSuccess{RejectedDataPoints: 3, ErrorMessage: "too old"})
	})
	e, log := newExporter(t, httpTarget(r.URL), time.Minute)
	e.exportWithin(t.Context(), time.Second)
	e.exportWithin(t.Context(), time.Second)
	wantCounts(t, e, 2, 0, 6)
	if r.received() != 2 {
		t.Errorf("%d requests, want 2: what was rejected must not be sent again", r.received())
	}
	if n := strings.Count(log.String(), `reason="too old"`); n != 1 {
		t.Errorf("the reason is logged %d times, want once: %s", n, log)
	}
}

// TestSuccessInAnotherWay: proxies answer without protobuf.
func TestSuccessInAnotherWay(t *testing.T) {
	r := startReceiver(t, func(w http.ResponseWriter, _ int) {
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write([]byte{0x0a, 0x02, 0x08, 0x09}) // would be 9 rejected points
	})
	e, _ := newExporter(t, httpTarget(r.URL), time.Minute)
	e.exportWithin(t.Context(), time.Second)
	wantCounts(t, e, 1, 0, 0)
}

// TestOutage: what was counted while the endpoint was away arrives afterwards.
func TestOutage(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	target := httpTarget("http://" + address)
	target.BasicAuth = config.BasicAuth{Username: "user", Password: "secret"}
	target.Headers = config.Headers{"X-Key": "secret"}
	e, log := newExporter(t, target, time.Minute)
	e.exportWithin(t.Context(), 300*time.Millisecond)
	e.exportWithin(t.Context(), 300*time.Millisecond)
	wantCounts(t, e, 0, 2, 0)

	r := newReceiver(t, nil)
	if r.Listener, err = net.Listen("tcp", address); err != nil {
		t.Fatal(err)
	}
	r.Start()
	e.exportWithin(t.Context(), time.Second)
	e.exportWithin(t.Context(), time.Second)
	wantCounts(t, e, 2, 2, 0)
	if got := anyPoint(t, r.requests[0].ResourceMetrics[0].ScopeMetrics[0].Metrics[0]).GetCount(); got != 3 {
		t.Errorf("%d observations arrive after two failed exports, want all 3", got)
	}
	if lines := strings.Count(log.String(), "\n"); lines != 2 || !strings.Contains(log.String(), "connection refused") || !strings.Contains(log.String(), "again") {
		t.Errorf("%d lines, want one when it began to fail and one when it worked again: %s", lines, log)
	}
	if strings.Contains(log.String(), "secret") || strings.Contains(log.String(), "dXNlcjpzZWNyZXQ") {
		t.Errorf("credentials are logged: %s", log)
	}
}

func TestSlowEndpointIsLeftInTime(t *testing.T) {
	r := startReceiver(t, nil)
	r.answer = r.hang
	tests := map[string]struct {
		timeout, limit, least, most time.Duration
		attempts                    int
	}{
		"timeout of an attempt": {300 * time.Millisecond, 700 * time.Millisecond, 250 * time.Millisecond, 650 * time.Millisecond, 1},
		"end of the interval":   {0, 300 * time.Millisecond, 250 * time.Millisecond, time.Second, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			target := httpTarget(r.URL)
			target.Timeout = test.timeout
			e, log := newExporter(t, target, time.Minute)
			begin := time.Now()
			e.exportWithin(t.Context(), test.limit)
			if took := time.Since(begin); took < test.least || took > test.most {
				t.Errorf("the export took %s, want %s to %s", took, test.least, test.most)
			}
			wantCounts(t, e, 0, 1, 0)
			if !strings.Contains(log.String(), context.DeadlineExceeded.Error()) {
				t.Errorf("the log does not say that time was up: %s", log)
			}
		})
	}
}

// TestRun: one export an interval, and the last one when Sonde stops.
func TestRun(t *testing.T) {
	r := startReceiver(t, nil)
	e, log := newExporter(t, httpTarget(r.URL), 200*time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.Run(ctx)
	}()
	for deadline := time.Now().Add(10 * time.Second); r.received() < 3 && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	cancel()
	<-done
	received := r.received()
	if received < 4 {
		t.Fatalf("%d requests, want 3 and the last; log: %s", received, log)
	}
	for i, request := range r.requests {
		point := anyPoint(t, request.ResourceMetrics[0].ScopeMetrics[0].Metrics[0])
		if i == 0 {
			continue
		}
		before := anyPoint(t, r.requests[i-1].ResourceMetrics[0].ScopeMetrics[0].Metrics[0])
		if point.GetCount() <= before.GetCount() || point.GetTimeUnixNano() <= before.GetTimeUnixNano() || point.GetStartTimeUnixNano() != before.GetStartTimeUnixNano() {
			t.Errorf("request %d is %v after %v", i, point, before)
		}
	}
}

// TestStopDuringAnExport: the attempt under way is given up, without an alarm,
// and the last export takes the time that it may take.
func TestStopDuringAnExport(t *testing.T) {
	r := startReceiver(t, nil)
	r.answer = r.hang
	e, _ := newExporter(t, httpTarget(r.URL), 400*time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.Run(ctx)
	}()
	for r.received() < 1 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	begin := time.Now()
	<-done
	if took := time.Since(begin); took < 300*time.Millisecond || took > 3*time.Second {
		t.Errorf("stopping took %s, want the 400 ms of one interval", took)
	}
	wantCounts(t, e, 0, 1, 0) // the last one alone
}

func TestNothingToReport(t *testing.T) {
	r := startReceiver(t, nil)
	e, log := newExporter(t, httpTarget(r.URL), time.Minute)
	e.read = func(context.Context) (series.Fold, error) { return series.Fold{}, nil }
	e.exportWithin(t.Context(), time.Second)
	wantCounts(t, e, 0, 0, 0)
	e.read = func(context.Context) (series.Fold, error) { return nil, errors.New("the kernel is silent") }
	e.exportWithin(t.Context(), time.Second)
	wantCounts(t, e, 0, 1, 0)
	if r.received() != 0 || !strings.Contains(log.String(), "the kernel is silent") {
		t.Errorf("%d requests, want none; log: %s", r.received(), log)
	}
}

// TestOneBadRequestOfMany: the others still go out.
func TestOneBadRequestOfMany(t *testing.T) {
	r := startReceiver(t, func(w http.ResponseWriter, attempt int) {
		if attempt == 1 {
			http.Error(w, "no", http.StatusBadRequest)
			return
		}
		accept(w, &collectorpb.ExportMetricsPartialSuccess{RejectedDataPoints: 1, ErrorMessage: "late"})
	})
	e, log := newExporter(t, httpTarget(r.URL), time.Minute)
	e.encoder.requestSize = 1
	e.read = func(context.Context) (series.Fold, error) { return crowd(e.encoder.table, 1, 4), nil }
	e.exportWithin(t.Context(), 5*time.Second)
	wantCounts(t, e, 0, 1, 3)
	if r.received() != 4 || !strings.Contains(log.String(), "400 Bad Request") {
		t.Errorf("%d requests, want 4; log: %s", r.received(), log)
	}
}
