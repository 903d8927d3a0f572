package e2e

import (
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sonde_exporter/test/browser"
	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// TestStatus: what the status page and its API say about a host.
func TestStatus(t *testing.T) {
	s := playScene(t)
	t.Run("access", func(t *testing.T) { needsPassword(t, s) })
	t.Run("requests", func(t *testing.T) { agreesWithMetrics(t, s) })
	t.Run("connections", func(t *testing.T) { tellsConnections(t, s) })
	t.Run("names", func(t *testing.T) { tellsNames(t, s) })
	t.Run("features", func(t *testing.T) { tellsFeatures(t, s) })
	t.Run("losses", func(t *testing.T) { explainsLosses(t, s) })
	t.Run("markup", func(t *testing.T) { escapes(t, s) })
	t.Run("young", func(t *testing.T) { tellsYoung(t, s) })
	t.Run("browser", func(t *testing.T) { lookAt(t, s) })
	t.Run("reload", func(t *testing.T) { tellsReload(t, s) })
}

// needsPassword: the page is as private as the metrics.
func needsPassword(t *testing.T, s scene) {
	client := visitor(t, harness.KeyPair{Trust: s.trust}, visiting{})
	for _, path := range []string{"/", "/?sort=p99", "/api/v1/services", "/metrics"} {
		resp, err := client.Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s without a password answers %d, want 401", path, resp.StatusCode)
		}
		if status, _ := s.Get(t, path); status != http.StatusOK {
			t.Errorf("%s with the password answers %d, want 200", path, status)
		}
	}
	for path, want := range map[string]int{"/index.html": http.StatusNotFound, "/api/v2": http.StatusNotFound} {
		if status, _ := s.Get(t, path); status != want {
			t.Errorf("%s answers %d, want %d", path, status, want)
		}
	}
	if status, body := s.Post(t, "/api/v1/services"); status != http.StatusMethodNotAllowed || !strings.Contains(body, `"status":"error"`) {
		t.Errorf("a POST to the API answers %d %s, want 405 as JSON", status, body)
	}
}

// agreesWithMetrics: every service has the counts that /metrics has.
func agreesWithMetrics(t *testing.T, s scene) {
	snap, answer := s.Scrape(t), s.api(t, "")
	if len(answer.Data.Services) != len(s.selected()) {
		t.Errorf("there are %d services, want %d", len(answer.Data.Services), len(s.selected()))
	}
	for _, service := range answer.Data.Services {
		for role, got := range map[string]apiRequests{harness.Server: service.Server, harness.Client: service.Client} {
			match := harness.Labels{"service_name": service.Name, "service_namespace": service.Namespace}
			want := snap.Count(role, match)
			failed := snap.Count(role, match.With(harness.Labels{"error_type": harness.Present}))
			if got.Total != want || got.InWindow != want || got.ErrorsTotal != failed {
				t.Errorf("%s has %+v, /metrics %d requests and %d errors as %s", service.Name, got, want, failed, role)
			}
			if got.WindowSeconds != answer.Data.Window.Seconds || math.Abs(got.PerSecond*got.WindowSeconds-float64(want)) > 1e-6 {
				t.Errorf("%s has %v requests/s in %v s, want %d requests in %v s",
					service.Name, got.PerSecond, got.WindowSeconds, want, answer.Data.Window.Seconds)
			}
		}
	}
	if billing := answer.service(t, "billing").Server; *billing.ErrorRatio != 2./402 {
		t.Errorf("the error ratio of billing is %v, want 2 of 402", *billing.ErrorRatio)
	}
	chat := answer.service(t, "chat").Server
	if *chat.P50 < 0.030/1.1 || *chat.P50 > *chat.P95 || *chat.P95 > *chat.P99 {
		t.Errorf("the quantiles of chat are %v, %v, %v s, want them to rise from 30 ms on", *chat.P50, *chat.P95, *chat.P99)
	}
	if named := s.api(t, "?service=chat").Data.Services; len(named) != 1 || named[0].Name != "chat" {
		t.Errorf("?service=chat picks %+v", named)
	}
}

// tellsConnections: what is spoken on each port, and what is not measured.
func tellsConnections(t *testing.T, s scene) {
	answer := s.api(t, "")
	for name, want := range map[string][]string{
		"storefront": {"http1"}, "payments": {"http1 in TLS"}, "chat": {"http1", "http2", "unknown", "upgraded"},
	} {
		service, found := answer.service(t, name), []string{}
		for _, port := range service.Ports {
			for _, p := range port.Protocols {
				if p.TLS {
					p.Protocol += " in TLS"
				}
				found = append(found, p.Protocol)
			}
		}
		for _, protocol := range want {
			if !slices.Contains(found, protocol) {
				t.Errorf("%s speaks %v, want %s among it", name, found, protocol)
			}
		}
	}
	reasons := func(name string) string { return fmt.Sprint(answer.service(t, name).NotMeasured) }
	for name, want := range map[string]string{"ledger": "TLS by NSS: ", "chat": "HTTP/2 is recognised, and not measured yet"} {
		if got := reasons(name); !strings.Contains(got, want) {
			t.Errorf("of %s is not measured: %s; want %q", name, got, want)
		}
	}
	if got := reasons("billing"); got != "[]" {
		t.Errorf("of billing is not measured: %s; want nothing", got)
	}
	index := slices.IndexFunc(answer.Data.Excluded, func(e apiExcluded) bool { return e.PID == s.backup.PID })
	if index < 0 || answer.Data.Excluded[index].Reason != "excluded by rule 1 of discovery.exclude" {
		t.Errorf("excluded are %+v, want pid %d among them", answer.Data.Excluded, s.backup.PID)
	}
}

// tellsNames: who a service is, and why it is called so.
func tellsNames(t *testing.T, s scene) {
	answer := s.api(t, "")
	for name, want := range map[string]struct {
		process *servers.Process
		source  string
	}{
		"storefront": {s.storefront, "rule"}, "checkout": {s.checkout, "OTEL_SERVICE_NAME"}, "orders": {s.orders, "interpreter"},
		hostile(): {s.strange, "OTEL_SERVICE_NAME"},
	} {
		service := answer.service(t, name)
		if !slices.Equal(service.NamedBy, []string{want.source}) {
			t.Errorf("%s is named by %v, want %s", name, service.NamedBy, want.source)
		}
		executable, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", want.process.PID))
		if err != nil {
			t.Fatal(err)
		}
		if len(service.Instances) != 1 || service.Instances[0].PID != want.process.PID || service.Instances[0].Executable != executable {
			t.Errorf("%s is %+v, want pid %d of %s", name, service.Instances, want.process.PID, executable)
		}
	}
}

// tellsFeatures: what is on and off, without any secret.
func tellsFeatures(t *testing.T, s scene) {
	data := s.api(t, "").Data
	for _, c := range data.Collectors {
		if c.On != (c.Name != "map") || c.On != (c.Reason == "") {
			t.Errorf("the collector %+v, want only map off", c)
		}
	}
	traces, metrics := data.Exports[0], data.Exports[1]
	if !traces.On || traces.Endpoint != "http://127.0.0.1:1" || metrics.On || !strings.Contains(metrics.Reason, "otel_metrics_export") {
		t.Errorf("the exports are %+v, want traces to http://127.0.0.1:1 and no metrics", data.Exports)
	}
	if data.Cost.Kernel.CPURatio <= 0 || data.Cost.Kernel.CPURatio > 1 {
		t.Errorf("programs take %v of one CPU", data.Cost.Kernel.CPURatio)
	}
	for _, path := range []string{"/", "/api/v1/services"} {
		_, body := s.Get(t, path)
		for _, secret := range []string{exportSecret, viewerPassword, "X-Token"} {
			if strings.Contains(body, secret) {
				t.Errorf("%s shows %q", path, secret)
			}
		}
	}
}

// explainsLosses: each reason of /metrics has words.
func explainsLosses(t *testing.T, s scene) {
	meanings := map[string]string{}
	for _, loss := range s.api(t, "").Data.Cost.Losses {
		meanings[loss.Of+" "+loss.Reason] = loss.Meaning
		if loss.Meaning == "" || loss.Meaning == strings.ReplaceAll(loss.Reason, "_", " ") {
			t.Errorf("the loss %q is explained by %q", loss.Reason, loss.Meaning)
		}
	}
	snap := s.Scrape(t)
	for of, name := range map[string]string{"observation": "sonde_lost_observations_total", "event": "sonde_lost_events_total"} {
		for _, reason := range snap.Values(name, "reason", harness.Labels{}) {
			if meanings[of+" "+reason] == "" {
				t.Errorf("the API does not tell of the %s %s", of, reason)
			}
		}
	}
}

// escapes: a service that is called like markup stays text.
func escapes(t *testing.T, s scene) {
	_, body := s.Get(t, "/?sort=name")
	if strings.Contains(body, "<script") || !strings.Contains(body, "&lt;script&gt;alert(1)&lt;/script&gt;") {
		t.Errorf("the page does not show %s as text", hostile())
	}
}

// tellsYoung: a service that began a moment ago has its rate over that moment.
func tellsYoung(t *testing.T, s scene) {
	began := time.Now()
	young := shopServer(t, "young", s.late)
	visits(t, visitor(t, harness.KeyPair{Trust: s.trust}, visiting{}), 50, http.MethodGet, young.URL("/"), 0)
	s.WaitCount(t, harness.Server, at(young), 50)
	s.Eventually(t, "the page to say over which time", func(harness.Snapshot) bool {
		_, body := s.Get(t, "/")
		return strings.Contains(body, "<small>over ")
	})
	answer := s.api(t, "")
	got, most := answer.service(t, "young").Server, max(1, time.Since(began).Seconds())
	if got.WindowSeconds > most || got.WindowSeconds >= answer.Data.Window.Seconds {
		t.Errorf("its window is %v s, want %v s at most, and less than %v s", got.WindowSeconds, most, answer.Data.Window.Seconds)
	}
	if got.InWindow != 50 || math.Abs(got.PerSecond*got.WindowSeconds-50) > 1e-6 {
		t.Errorf("it has %v requests/s in %v s, want 50 requests", got.PerSecond, got.WindowSeconds)
	}
}

// tellsReload: a bad file is shown, one that changes nothing keeps the window, and one
// with other rules begins a new one.
func tellsReload(t *testing.T, s scene) {
	shows := func(what string) {
		t.Helper()
		s.Eventually(t, "a page that says "+what, func(harness.Snapshot) bool {
			_, body := s.Get(t, "/")
			return strings.Contains(body, what)
		})
	}
	servers.WriteFile(t, s.ConfigFile, "open_prot: 1\n")
	s.Post(t, "/-/reload")
	shows("The last reload of the configuration failed, the old one stays in force:")
	shows("open_prot")
	servers.WriteFile(t, s.ConfigFile, s.config())
	s.Post(t, "/-/reload")
	if since := s.api(t, "").Data.Window.Since; since == "reload" {
		t.Errorf("after a reload that changed nothing the window is since the %s", since)
	}
	servers.WriteFile(t, s.ConfigFile, s.config()+"routes: {ignored_patterns: [/nothing]}\n")
	s.Post(t, "/-/reload")
	shows("since the configuration was reloaded")
	if orders := s.api(t, "").service(t, "orders").Server; orders.Total < 300 || orders.InWindow != 0 {
		t.Errorf("after the reload orders has %+v, want all since the start, and none in the window", orders)
	}
}

// lookAt: the page in a browser, in both themes and at the width of a phone.
func lookAt(t *testing.T, s scene) {
	chromium := browser.Start(t, viewer, viewerPassword)
	for name, view := range map[string]browser.View{
		"light":      {Width: 1200, Height: 780},
		"dark":       {Width: 1200, Height: 780, Dark: true},
		"wide":       {Width: 1920, Height: 2000},
		"tablet":     {Width: 820, Height: 1180},
		"phone":      {Width: 360, Height: 740},
		"phone-dark": {Width: 360, Height: 740, Dark: true},
	} {
		t.Run(name, func(t *testing.T) {
			sight := chromium.Look(t, s.URL+"/", view)
			for _, complaint := range sight.Complaints {
				t.Errorf("Chromium says: %s", complaint)
			}
			if sight.Overflow > 0 || len(sight.TooWide) > 0 {
				t.Errorf("the page is %d pixels too wide; %q stick out", sight.Overflow, sight.TooWide)
			}
			for _, want := range []string{"storefront", hostile(), "TLS by NSS", "What Sonde costs"} {
				if !strings.Contains(sight.Text, want) {
					t.Errorf("one cannot read %q on the page:\n%s", want, sight.Text)
				}
			}
			if dir := os.Getenv(screenshotsVariable); dir != "" {
				sight.Save(t, filepath.Join(dir, "status-"+name+".png"))
			}
		})
	}
}
