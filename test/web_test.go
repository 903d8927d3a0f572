package e2e

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// TestExposition: the live output is clean by promlint, says the same in each
// format, and names every loss from the start.
func TestExposition(t *testing.T) {
	web := servers.Go(t, programs(t).GoServer)
	for range 10 {
		talk(t, servers.Dial(t, web.Addr()), request("/hello", "Connection: close"))
	}
	e := shared(t)
	base := harness.Labels{"server_port": web.PortLabel()}
	e.Expect(t, harness.Server, base, row(10, "GET", "/hello", "200"))

	t.Run("promlint", func(t *testing.T) {
		resp := e.Fetch(t, harness.Text)
		defer resp.Body.Close()
		problems, err := promlint.New(resp.Body).Lint()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	})
	t.Run("text", func(t *testing.T) {
		if n := e.ScrapeText(t).Count(harness.Server, base); n != 10 {
			t.Errorf("the text format shows %d requests, want 10", n)
		}
	})
	t.Run("OpenMetrics", func(t *testing.T) { checkOpenMetrics(t, e, web.PortLabel()) })
	t.Run("self metrics", func(t *testing.T) {
		snap := e.Scrape(t)
		for _, name := range []string{
			"sonde_build_info", "sonde_lost_observations_total", "sonde_series_overflow_total", "sonde_tap_info",
			"sonde_scrape_collector_duration_seconds", "sonde_scrape_collector_success", "sonde_service_info",
			"sonde_config_last_reload_successful", "go_goroutines", "process_resident_memory_bytes",
		} {
			if snap[name] == nil {
				t.Errorf("%s is missing", name)
			}
		}
		for _, m := range snap.Series("sonde_scrape_collector_success", harness.Labels{}) {
			if m.GetGauge().GetValue() != 1 {
				t.Errorf("a collector failed: %v", m)
			}
		}
		if n := len(snap.Series("sonde_tap_info", harness.Labels{"tap": harness.Present, "hook": harness.Present})); n == 0 {
			t.Error("sonde_tap_info names no tap")
		}
	})
}

// checkOpenMetrics reads the OpenMetrics format line by line: the client
// library has no parser for it.
func checkOpenMetrics(t *testing.T, e *harness.Exporter, port string) {
	t.Helper()
	resp := e.Fetch(t, harness.OpenMetrics)
	defer resp.Body.Close()
	if got := resp.Header.Get("Content-Type"); !strings.HasPrefix(got, "application/openmetrics-text") {
		t.Errorf("the content type is %q", got)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasSuffix(body, []byte("\n# EOF\n")) {
		t.Error("the answer does not end with # EOF")
	}
	found := false
	for lines := bufio.NewScanner(bytes.NewReader(body)); lines.Scan(); {
		line := lines.Text()
		if strings.HasPrefix(line, harness.Server+"_count{") && strings.Contains(line, `server_port="`+port+`"`) {
			found = found || strings.HasSuffix(line, "} 10") || strings.HasSuffix(line, "} 10.0")
		}
	}
	if !found {
		t.Error("no line shows the 10 requests")
	}
}

// TestNothingIsLost: under everything that the other tests do, nothing was
// reported lost. It looks at an exporter of its own, under load.
func TestNothingIsLost(t *testing.T) {
	e := exporter(t, harness.Options{})
	web := servers.Go(t, programs(t).GoServer)
	inParallel(t, 8, 4000, func() error { return talkOnce(web.Addr(), request("/hello", "Connection: close")) })
	snap := e.Expect(t, harness.Server, harness.Labels{"server_port": web.PortLabel()}, row(4000, "GET", "/hello", "200"))
	for _, m := range snap.Series("sonde_lost_observations_total", harness.Labels{}) {
		if m.GetCounter().GetValue() != 0 {
			t.Errorf("lost: %v", m)
		}
	}
}

// TestEndpoints: the paths besides /metrics.
func TestEndpoints(t *testing.T) {
	e := shared(t)
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{http.MethodGet, "/", http.StatusOK},
		{http.MethodGet, "/-/healthy", http.StatusOK},
		{http.MethodGet, "/-/ready", http.StatusOK},
		{http.MethodGet, "/-/reload", http.StatusMethodNotAllowed},
		{http.MethodPost, "/-/reload", http.StatusOK},
		{http.MethodGet, "/nothing/here", http.StatusNotFound},
	} {
		get := e.Get
		if c.method == http.MethodPost {
			get = e.Post
		}
		if status, body := get(t, c.path); status != c.status {
			t.Errorf("%s %s answers %d, want %d:\n%s", c.method, c.path, status, c.status, body)
		}
	}
}

// TestReload: a good file takes effect; a bad one is refused, said, shown, and
// changes nothing. By SIGHUP and by POST.
func TestReload(t *testing.T) {
	first, second := servers.Go(t, programs(t).GoServer), servers.Go(t, programs(t).GoServer)
	selecting := func(s *servers.GoServer) string { return "open_port: " + s.PortLabel() + "\n" }
	e := exporter(t, harness.Options{Config: selecting(first)})
	count := func(s *servers.GoServer, path string, want uint64) {
		t.Helper()
		talk(t, servers.Dial(t, s.Addr()), request(path, "Connection: close"))
		e.WaitCount(t, harness.Server, harness.Labels{"server_port": s.PortLabel(), "http_route": path}, want)
	}
	succeeded := func(want float64) {
		t.Helper()
		e.Eventually(t, "sonde_config_last_reload_successful as it should be", func(s harness.Snapshot) bool {
			return s["sonde_config_last_reload_successful"] != nil && s.Value("sonde_config_last_reload_successful", harness.Labels{}) == want
		})
	}
	succeeded(1)
	count(first, "/one", 1)
	count(second, "/one", 0)

	servers.WriteFile(t, e.ConfigFile, "open_prot: 1\n")
	if status, body := e.Post(t, "/-/reload"); status < 400 || !strings.Contains(body, "open_port") {
		t.Errorf("a bad file was reloaded: %d %s", status, body)
	}
	succeeded(0)
	count(first, "/two", 1)

	servers.WriteFile(t, e.ConfigFile, selecting(second))
	if err := e.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	succeeded(1)
	count(first, "/three", 0)
	count(second, "/three", 1)

	servers.WriteFile(t, e.ConfigFile, "routes: 5\n")
	if err := e.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	succeeded(0)
	count(second, "/four", 1)
	if !strings.Contains(e.Log(), "line 1") {
		t.Error("the log does not say where the bad file is wrong")
	}
}
