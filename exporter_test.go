package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"sonde_exporter/config"
)

func TestExecuteRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sonde.yml")
	if err := os.WriteFile(file, []byte("series: {limitt: 5}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name string
		args []string
		want []string // words of the message
	}{
		{"an unknown flag", []string{"--nonsense"}, []string{"--nonsense"}},
		{"a configuration with an unknown key", []string{"--config.file", file}, []string{"sonde.yml, line 1", "limitt", "did you mean \"limit\"?"}},
		{"the same when it is only checked", []string{"--config.check", "--config.file", file}, []string{"limitt"}},
		{"a file that is not there", []string{"--config.file", file + ".old"}, []string{"sonde.yml.old"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := execute(c.args)
			if err == nil {
				t.Fatal("no error")
			}
			for _, words := range c.want {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("the message is %q, want it to say %q", err, words)
				}
			}
		})
	}
}

func TestStartRefusesBucketsThatDoNotFit(t *testing.T) {
	cfg := config.Default()
	cfg.Histogram.Buckets = []float64{2, 1}
	_, err := startExporter(options{}, cfg, nil, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "histogram.buckets") {
		t.Errorf("error %v, want one about histogram.buckets", err)
	}
}

// running is an exporter over the running kernel, and the file that it reads.
type running struct {
	*exporter
	handler http.Handler
	file    string
	t       *testing.T
}

const goodFile = "discovery: {services: [{open_port: 1, service_name: nobody}]}\n"

// openExporter returns one that does not run yet, with more flags than its file.
func openExporter(t *testing.T, flags ...string) (running, options) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short leaves out what loads BPF programs")
	}
	if os.Geteuid() != 0 {
		t.Fatal("kernel tests load BPF programs: run them as root, or leave them out with -short")
	}
	r := running{file: filepath.Join(t.TempDir(), "sonde.yml"), t: t}
	r.write(goodFile)
	o := parse(t, append(flags, "--config.file", r.file)...)
	cfg, err := o.config.Load()
	if err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.DiscardHandler)
	if r.exporter, err = startExporter(o, cfg, o.config.Load, logger); err != nil {
		t.Fatal(err)
	}
	if r.handler, err = newHandler(o, r.exporter, logger); err != nil {
		t.Fatal(err)
	}
	return r, o
}

func runExporter(t *testing.T) running {
	t.Helper()
	r, _ := openExporter(t)
	ctx, stop := context.WithCancel(context.Background())
	done, ready := make(chan error, 1), make(chan struct{})
	go func() { done <- r.run(ctx, func() { close(ready) }) }()
	t.Cleanup(func() {
		began := time.Now()
		stop()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
		if err := r.close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("all was detached after %s, want 5 s at most", took)
		}
	})
	select {
	case <-ready:
	case <-time.After(30 * time.Second):
		t.Fatal("not ready after 30 s")
	}
	return r
}

// TestFailureEndsExports: Sonde that cannot measure must end, also if it exports.
func TestFailureEndsExports(t *testing.T) {
	r, _ := openExporter(t, "--otel-traces-export.endpoint=http://127.0.0.1:9")
	if err := r.close(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- r.run(t.Context(), func() {}) }()
	select {
	case err := <-done:
		if err == nil {
			t.Error("no error, although the kernel side is closed")
		}
	case <-time.After(10 * time.Second):
		t.Error("it still runs after 10 s, although the kernel side is closed")
	}
}

func (r running) write(text string) {
	r.t.Helper()
	if err := os.WriteFile(r.file, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r running) get(path string) (status int, body string) {
	r.t.Helper()
	answer := httptest.NewRecorder()
	r.handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, http.NoBody))
	text, err := io.ReadAll(answer.Result().Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer.Code, string(text)
}

func (r running) reloadSuccessful() float64 {
	r.t.Helper()
	var metric dto.Metric
	if err := r.reloads.successful.Write(&metric); err != nil {
		r.t.Fatal(err)
	}
	return metric.GetGauge().GetValue()
}

func TestExporter(t *testing.T) {
	r := runExporter(t)
	t.Run("exposes all by default", func(t *testing.T) {
		status, body := r.get("/metrics")
		if status != http.StatusOK {
			t.Fatalf("status %d: %s", status, body)
		}
		for _, name := range []string{
			"sonde_build_info{", "go_goroutines ", "process_open_fds ", "promhttp_metric_handler_requests_total{",
			"sonde_config_last_reload_successful 1", "sonde_scrape_collector_success{collector=\"http_server\"} 1",
			"sonde_lost_observations_total{reason=\"segment_gap\"} ", "sonde_bpf_program_runs_total{program=\"wire_ingress\"",
			"sonde_bpf_map_max_entries{map=\"series\"}", "sonde_tap_info{hook=\"tp_btf/inet_sock_set_state\",tap=\"sockets\"} 1",
		} {
			if !strings.Contains(body, "\n"+name) {
				t.Errorf("/metrics has no %s", name)
			}
		}
	})
	t.Run("keeps its configuration when the new one is bad", func(t *testing.T) {
		before := r.config()
		r.write("series: {limit: lots}\n")
		if err := r.reload(t.Context()); err == nil || !strings.Contains(err.Error(), "series.limit") {
			t.Errorf("reload: %v, want an error about series.limit", err)
		}
		if r.config() != before || r.reloadSuccessful() != 0 {
			t.Errorf("the configuration changed: %t, success is %v", r.config() != before, r.reloadSuccessful())
		}
		if status, body := r.get("/metrics"); status != http.StatusOK || !strings.Contains(body, "\nsonde_config_last_reload_successful 0") {
			t.Errorf("status %d; success is not exposed as 0", status)
		}
	})
	t.Run("takes a good one", func(t *testing.T) {
		r.write(goodFile + "series: {limit: 500}\n")
		if err := r.reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := r.config().Series.Limit; got != 500 || r.reloadSuccessful() != 1 {
			t.Errorf("limit %d, success %v, want 500 and 1", got, r.reloadSuccessful())
		}
	})
	t.Run("tells the limit of series that is in force", func(t *testing.T) {
		for _, c := range []struct{ limit, want string }{
			{"500", "500"}, {"10000", "10000"}, {"20000", "10000"}, // it started with 10000
		} {
			r.write(goodFile + "series: {limit: " + c.limit + "}\n")
			if err := r.reload(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, body := r.get("/metrics"); !strings.Contains(body, "\nsonde_series_limit "+c.want+"\n") {
				t.Errorf("with series.limit %s /metrics has no sonde_series_limit %s", c.limit, c.want)
			}
		}
	})
	t.Run("begins a new window when services may have other names", func(t *testing.T) {
		for _, c := range []struct{ text, want string }{
			{goodFile + "series: {limit: 400}\n", `"since":"start"`},
			{strings.ReplaceAll(goodFile, "nobody", "somebody"), `"since":"reload"`},
		} {
			r.write(c.text)
			if err := r.reload(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, body := r.get("/api/v1/services"); !strings.Contains(body, c.want) {
				t.Errorf("after a reload of %q the status has no %s:\n%s", c.text, c.want, body)
			}
		}
	})
	t.Run("refuses to serve a collector that there is not", func(t *testing.T) {
		if _, err := newHandler(options{collectors: []string{"nothing"}}, r.exporter, slog.New(slog.DiscardHandler)); err == nil {
			t.Error("no error")
		}
	})
}

// TestCountsOtherwise: who reloads what has not changed keeps the last minutes.
func TestCountsOtherwise(t *testing.T) {
	const rules = "discovery: {services: [{open_port: 80-90, executable_name: ^/usr/bin/shop$, service_name: shop}]}\nroutes: {patterns: [/users/*]}\n"
	for name, c := range map[string]struct {
		text string
		want bool
	}{
		"nothing":   {rules, false},
		"a comment": {"# the shop\n" + rules, false},
		"a limit":   {rules + "series: {limit: 400}\n", false},
		"an export": {rules + "otel_traces_export: {endpoint: http://127.0.0.1:4318}\n", false},
		"a name":    {strings.Replace(rules, "service_name: shop", "service_name: store", 1), true},
		"a port":    {strings.Replace(rules, "80-90", "80-91", 1), true},
		"a program": {strings.Replace(rules, "bin/shop", "bin/stop", 1), true},
		"a route":   {strings.Replace(rules, "/users/*", "/people/*", 1), true},
		"all rules": {"{}", true},
	} {
		t.Run(name, func(t *testing.T) {
			old, err := config.Parse("", []byte(rules))
			if err != nil {
				t.Fatal(err)
			}
			cfg, err := config.Parse("", []byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if got := countsOtherwise(old, cfg); got != c.want {
				t.Errorf("%t, want %t, from\n%sto\n%s", got, c.want, rules, c.text)
			}
		})
	}
}
