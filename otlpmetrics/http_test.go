package otlpmetrics

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"strings"
	"testing"
	"time"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"

	"sonde_exporter/config"
)

func TestHTTPRequest(t *testing.T) {
	for _, compression := range []string{config.CompressionGzip, config.CompressionNone} {
		t.Run(compression, func(t *testing.T) {
			r := startReceiver(t, nil)
			target := httpTarget(r.URL)
			target.Compression = compression
			target.Headers = config.Headers{"X-Scope-OrgID": "team"}
			target.BasicAuth = config.BasicAuth{Username: "user", Password: "pass:word"}
			e, log := newExporter(t, target, time.Minute)
			e.exportWithin(t.Context(), time.Second)
			wantCounts(t, e, 1, 0, 0)
			if r.received() != 1 || log.String() != "" {
				t.Fatalf("%d requests, want 1; log: %s", r.received(), log)
			}
			want := map[string]string{
				"X-Scope-Orgid": "team", "Authorization": "Basic dXNlcjpwYXNzOndvcmQ=", "User-Agent": "sonde_exporter/1.2.3",
				"Content-Encoding": strings.TrimPrefix(compression, config.CompressionNone),
			}
			for name, value := range want {
				if got := r.headers[0].Get(name); got != value {
					t.Errorf("%s is %q, want %q", name, got, value)
				}
			}
			if got := anyPoint(t, r.requests[0].ResourceMetrics[0].ScopeMetrics[0].Metrics[0]); got.GetCount() != 1 {
				t.Errorf("%d observations arrive, want 1", got.GetCount())
			}
		})
	}
}

func TestHTTPS(t *testing.T) {
	r := newReceiver(t, nil)
	r.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	r.StartTLS()
	key, err := x509.MarshalPKCS8PrivateKey(r.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile := r.caFile(t), writePEM(t, "PRIVATE KEY", key) // one certificate serves both sides
	tests := []struct {
		name    string
		tls     config.ClientTLS
		success int
		log     string
	}{
		{"trusted", config.ClientTLS{CAFile: certFile, CertFile: certFile, KeyFile: keyFile}, 1, ""},
		{"other name", config.ClientTLS{CAFile: certFile, CertFile: certFile, KeyFile: keyFile, ServerName: "example.com"}, 1, ""},
		{"not checked", config.ClientTLS{InsecureSkipVerify: true, CertFile: certFile, KeyFile: keyFile}, 1, ""},
		{"unknown authority", config.ClientTLS{CertFile: certFile, KeyFile: keyFile}, 0, "unknown authority"},
		{"wrong name", config.ClientTLS{CAFile: certFile, CertFile: certFile, KeyFile: keyFile, ServerName: "other.test"}, 0, "not other.test"},
		{"no client certificate", config.ClientTLS{CAFile: certFile}, 0, "certificate required"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			target := httpTarget(r.URL)
			target.TLS = test.tls
			e, log := newExporter(t, target, time.Minute)
			e.exportWithin(t.Context(), 400*time.Millisecond)
			wantCounts(t, e, test.success, 1-test.success, 0)
			if !strings.Contains(log.String(), test.log) {
				t.Errorf("log lacks %q: %s", test.log, log)
			}
		})
	}
}

func TestRetryAfterIsKept(t *testing.T) {
	var answered []time.Time
	r := startReceiver(t, func(w http.ResponseWriter, attempt int) {
		answered = append(answered, time.Now())
		if attempt == 1 {
			w.Header().Set("Retry-After", "2")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		accept(w, nil)
	})
	e, log := newExporter(t, httpTarget(r.URL), time.Minute)
	e.exportWithin(t.Context(), 10*time.Second)
	wantCounts(t, e, 1, 0, 0)
	if len(answered) != 2 || answered[1].Sub(answered[0]) < 2*time.Second {
		t.Fatalf("attempts at %v, want two with 2 s between them; log: %s", answered, log)
	}
	if !proto.Equal(r.requests[0], r.requests[1]) {
		t.Error("the second attempt differs from the first")
	}
}

// TestNoWaitPastTheInterval: the next export begins with newer counts instead.
func TestNoWaitPastTheInterval(t *testing.T) {
	r := startReceiver(t, func(w http.ResponseWriter, _ int) {
		w.Header().Set("Retry-After", "3600")
		http.Error(w, "full\nup", http.StatusTooManyRequests)
	})
	e, log := newExporter(t, httpTarget(r.URL), time.Minute)
	begin := time.Now()
	e.exportWithin(t.Context(), 30*time.Second)
	if took := time.Since(begin); took > 5*time.Second || r.received() != 1 {
		t.Errorf("%d attempts in %s, want one", r.received(), took)
	}
	wantCounts(t, e, 0, 1, 0)
	if !strings.Contains(log.String(), "429 Too Many Requests") || !strings.Contains(log.String(), "full up") {
		t.Errorf("the log lacks the answer: %s", log)
	}
}

func TestHTTPRefusals(t *testing.T) {
	status, err := proto.Marshal(&spb.Status{Message: "no such tenant"})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		code      int
		protobuf  bool
		body      string
		text      string
		transient bool
	}{
		{400, true, string(status), "400 Bad Request: no such tenant", false},
		{400, true, "not protobuf\xff", "400 Bad Request: not protobuf\xff", false},
		{401, false, "log in first", "401 Unauthorized: log in first", false},
		{404, false, strings.Repeat("x", 2*longestAnswer), strings.Repeat("x", longestAnswer), false},
		{307, false, "", "307 Temporary Redirect", false},
		{500, false, "", "500 Internal Server Error", false},
		{429, false, "", "429 Too Many Requests", true},
		{502, false, "", "502 Bad Gateway", true},
		{503, false, "", "503 Service Unavailable", true},
		{504, false, "", "504 Gateway Timeout", true},
	}
	for _, test := range tests {
		t.Run(http.StatusText(test.code), func(t *testing.T) {
			r := startReceiver(t, func(w http.ResponseWriter, _ int) {
				if test.protobuf {
					w.Header().Set("Content-Type", "application/x-protobuf")
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(test.code)
				_, _ = w.Write([]byte(test.body))
			})
			e, _ := newExporter(t, httpTarget(r.URL), time.Minute)
			attempt, err := e.client.prepare(&collectorpb.ExportMetricsServiceRequest{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = e.once(t.Context(), attempt)
			if err == nil || !strings.HasSuffix(err.Error(), test.text) || isTransient(err) != test.transient {
				t.Errorf("error %v, may pass: %t; want %q, %t", err, isTransient(err), test.text, test.transient)
			}
			if r.received() != 1 {
				t.Errorf("%d requests, want 1", r.received())
			}
		})
	}
}

func TestRetryAfterHeader(t *testing.T) {
	now := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	tests := map[string]time.Duration{
		"":                              0,
		"7":                             7 * time.Second,
		"-7":                            0,
		"soon":                          0,
		"99999999999999999999":          0,
		"Sat, 01 Mar 2025 12:01:30 GMT": 90 * time.Second,
		"Sat, 01 Mar 2025 11:00:00 GMT": 0,
	}
	for header, want := range tests {
		if got := retryAfter(header, now); got != want {
			t.Errorf("Retry-After %q is %s, want %s", header, got, want)
		}
	}
}
