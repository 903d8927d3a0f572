package web

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

func discardLogger() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestContentNegotiation(t *testing.T) {
	const protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
	server := startServer(t, Options{})
	tests := map[string]struct {
		accept string
		want   string
	}{
		"browser":     {"*/*", "text/plain"},
		"text":        {"text/plain;version=0.0.4", "text/plain; version=0.0.4"},
		"openmetrics": {"application/openmetrics-text;version=1.0.0", "application/openmetrics-text; version=1.0.0"},
		"protobuf":    {protobuf, "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			header := http.Header{"Accept": {test.accept}}
			response, body := fetch(t, server.Client(), http.MethodGet, server.URL+"/metrics", header)
			if got := response.Header.Get("Content-Type"); !strings.HasPrefix(got, test.want) {
				t.Fatalf("content type %q, want %q", got, test.want)
			}
			if got := counterValue(t, response.Header, body); got != 42 {
				t.Errorf("the counter is %v, want 42", got)
			}
			if name == "openmetrics" && !strings.HasSuffix(body, "# EOF\n") {
				t.Errorf("OpenMetrics without # EOF:\n%s", body)
			}
		})
	}
}

// counterValue decodes an answer in any format with the client library's decoder.
func counterValue(t *testing.T, header http.Header, body string) float64 {
	t.Helper()
	format := expfmt.ResponseFormat(header)
	if format.FormatType() == expfmt.TypeUnknown { // OpenMetrics: there is no decoder.
		if strings.Contains(body, "sonde_test_total 42.0\n") {
			return 42
		}
		t.Fatalf("no counter in:\n%s", body)
	}
	var family dto.MetricFamily
	if err := expfmt.NewDecoder(strings.NewReader(body), format).Decode(&family); err != nil {
		t.Fatal(err)
	}
	return family.GetMetric()[0].GetCounter().GetValue()
}

func TestMaxRequests(t *testing.T) {
	release := make(chan struct{})
	started := make(chan struct{}, 3)
	gather := gatherCounter(t)
	server := startServer(t, Options{MaxRequests: 2, Gather: func(ctx context.Context) prometheus.Gatherer {
		started <- struct{}{}
		<-release
		return gather(ctx)
	}})
	finished := make(chan int, 2)
	for range 2 {
		go func() {
			response, err := server.Client().Get(server.URL + "/metrics")
			if err != nil {
				finished <- 0
				return
			}
			defer response.Body.Close()
			_, _ = io.Copy(io.Discard, response.Body)
			finished <- response.StatusCode
		}()
	}
	<-started
	<-started
	response, body := fetch(t, server.Client(), http.MethodGet, server.URL+"/metrics", nil)
	if response.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "(2)") {
		t.Errorf("third request: %d %q, want 503 and the limit", response.StatusCode, body)
	}
	close(release)
	for range 2 {
		if status := <-finished; status != http.StatusOK {
			t.Errorf("a request within the limit got %d", status)
		}
	}
	if response, _ := fetch(t, server.Client(), http.MethodGet, server.URL+"/metrics", nil); response.StatusCode != http.StatusOK {
		t.Errorf("after the others ended: %d, want 200", response.StatusCode)
	}
}

func TestScrapeTimeoutReachesCollectors(t *testing.T) {
	tests := map[string]struct {
		header string
		want   time.Duration // Zero: no deadline.
	}{
		"prometheus":    {"10", 9750 * time.Millisecond},
		"fraction":      {"2.500000", 2250 * time.Millisecond},
		"very short":    {"0.2", 100 * time.Millisecond},
		"none":          {"", 0},
		"junk":          {"soon", 0},
		"zero":          {"0", 0},
		"negative":      {"-5", 0},
		"not a number":  {"NaN", 0},
		"infinite":      {"+Inf", 0},
		"overflowing":   {"1e300", 0},
		"hexadecimal":   {"0x1p2", 3750 * time.Millisecond},
		"two in a row":  {"10, 10", 0},
		"not UTF-8":     {"\xff\xfe", 0},
		"beyond a day":  {"86401", 0},
		"exactly a day": {"86400", 24*time.Hour - 250*time.Millisecond},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var remaining time.Duration
			var bounded bool
			gather := gatherCounter(t)
			server := startServer(t, Options{Gather: func(ctx context.Context) prometheus.Gatherer {
				deadline, ok := ctx.Deadline()
				remaining, bounded = time.Until(deadline), ok
				return gather(ctx)
			}})
			header := http.Header{}
			if test.header != "" {
				header.Set(timeoutHeader, test.header)
			}
			response, _ := fetch(t, server.Client(), http.MethodGet, server.URL+"/metrics", header)
			if response.StatusCode != http.StatusOK {
				t.Fatalf("status %d, want 200", response.StatusCode)
			}
			if bounded != (test.want > 0) {
				t.Fatalf("deadline set: %v, want %v", bounded, test.want > 0)
			}
			// The handler ran a moment after the deadline was set.
			if bounded && (remaining > test.want || remaining < test.want-90*time.Millisecond) {
				t.Errorf("%v remain, want about %v", remaining, test.want)
			}
		})
	}
}

func TestContextEndsWithTheClient(t *testing.T) {
	ended := make(chan struct{})
	started := make(chan struct{})
	gather := gatherCounter(t)
	server := startServer(t, Options{Gather: func(ctx context.Context) prometheus.Gatherer {
		close(started)
		<-ctx.Done()
		close(ended)
		return gather(ctx)
	}})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-started
		cancel()
	}()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if response, err := server.Client().Do(request); err == nil {
		response.Body.Close()
		t.Fatal("the request was not cancelled")
	}
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Fatal("the collectors' context did not end with the client")
	}
}

func TestBrokenCollectorKeepsTheOthers(t *testing.T) {
	var logged bytes.Buffer
	good := gatherCounter(t)
	broken := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		return nil, errors.New("the map is gone")
	})
	self := prometheus.NewRegistry()
	server := startServer(t, Options{
		Logger:     slog.New(slog.NewTextHandler(&logged, nil)),
		Registerer: self,
		Gather: func(ctx context.Context) prometheus.Gatherer {
			return prometheus.Gatherers{good(ctx), broken, self}
		},
	})
	fetch(t, server.Client(), http.MethodGet, server.URL+"/metrics", nil)
	response, body := fetch(t, server.Client(), http.MethodGet, server.URL+"/metrics", nil)
	if response.StatusCode != http.StatusOK || !strings.Contains(body, "sonde_test_total 42") {
		t.Errorf("%d, want 200 with the good collector's metric:\n%s", response.StatusCode, body)
	}
	for _, want := range []string{
		`promhttp_metric_handler_errors_total{cause="gathering"} 1`,
		`promhttp_metric_handler_requests_total{code="200"} 1`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in:\n%s", want, body)
		}
	}
	if !strings.Contains(logged.String(), "the map is gone") || !strings.Contains(logged.String(), "level=ERROR") {
		t.Errorf("the error was not logged: %q", logged.String())
	}
}
