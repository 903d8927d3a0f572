package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// gatherCounter returns a Gather function that serves one counter.
func gatherCounter(t *testing.T) func(context.Context) prometheus.Gatherer {
	t.Helper()
	registry := prometheus.NewRegistry()
	counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "sonde_test_total", Help: "A test."})
	counter.Add(42)
	registry.MustRegister(counter)
	return func(context.Context) prometheus.Gatherer { return registry }
}

// startServer serves the handler of opts, with a default Gather, until the test ends.
func startServer(t *testing.T, opts Options) *httptest.Server {
	t.Helper()
	if opts.Gather == nil {
		opts.Gather = gatherCounter(t)
	}
	handler, err := NewHandler(opts)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

// fetch sends one request and returns the answer with its body read.
func fetch(t *testing.T, client *http.Client, method, url string, header http.Header) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func TestPageLinksToEverything(t *testing.T) {
	server := startServer(t, Options{TelemetryPath: "/probe/metrics", Status: readExample()})
	response, body := fetch(t, server.Client(), http.MethodGet, server.URL+"/", nil)
	if response.StatusCode != http.StatusOK {
		t.Fatalf("status %d, want 200", response.StatusCode)
	}
	for _, want := range []string{`href="./probe/metrics"`, `href="./-/healthy"`, `href="./-/ready"`, `href="./api/v1/services"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q:\n%s", want, body)
		}
	}
}

func TestUnknownPathIsNotFound(t *testing.T) {
	server := startServer(t, Options{Status: readExample()})
	for _, path := range []string{"/nothing-here", "/index.html", "/-/nothing", "/api", "/api/v1/services/", "/favicon.ico"} {
		response, _ := fetch(t, server.Client(), http.MethodGet, server.URL+path, nil)
		if response.StatusCode != http.StatusNotFound {
			t.Errorf("%s: status %d, want 404", path, response.StatusCode)
		}
	}
}

func TestTelemetryPath(t *testing.T) {
	for _, path := range []string{"/metrics", "/a/b-c_d.txt", "/"} {
		t.Run(path, func(t *testing.T) {
			server := startServer(t, Options{TelemetryPath: path})
			_, body := fetch(t, server.Client(), http.MethodGet, server.URL+path, nil)
			if !strings.Contains(body, "sonde_test_total 42") {
				t.Errorf("no metrics at %s:\n%s", path, body)
			}
		})
	}
}

func TestBadOptions(t *testing.T) {
	tests := map[string]struct {
		path string
		want string
	}{
		"relative":       {"metrics", `write "/metrics"`},
		"pattern":        {"/{name}", "not allowed"},
		"query":          {"/metrics?x=1", "not allowed"},
		"method pattern": {"/GET /x", "not allowed"},
		"unclean":        {"/a/../metrics/", `write "/metrics"`},
		"reserved":       {"/-/ready", "reserved"},
		"the API's":      {"/api/v1/services", "reserved"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := NewHandler(Options{TelemetryPath: test.path, Gather: gatherCounter(t)})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
	if _, err := NewHandler(Options{}); err == nil {
		t.Error("options without Gather were accepted")
	}
}

func TestHealthAndReadiness(t *testing.T) {
	var ready atomic.Bool
	server := startServer(t, Options{Ready: ready.Load})
	steps := []struct {
		path   string
		ready  bool
		status int
		body   string
	}{
		{"/-/healthy", false, http.StatusOK, "Sonde is healthy.\n"},
		{"/-/ready", false, http.StatusServiceUnavailable, "Sonde is not ready: it does not measure yet.\n"},
		{"/-/ready", true, http.StatusOK, "Sonde is ready.\n"},
		{"/-/healthy", true, http.StatusOK, "Sonde is healthy.\n"},
	}
	for _, step := range steps {
		ready.Store(step.ready)
		response, body := fetch(t, server.Client(), http.MethodGet, server.URL+step.path, nil)
		if response.StatusCode != step.status || body != step.body {
			t.Errorf("%s with ready=%v: %d %q, want %d %q", step.path, step.ready, response.StatusCode, body, step.status, step.body)
		}
	}
}

func TestReload(t *testing.T) {
	tests := map[string]struct {
		method string
		err    error
		status int
		body   string
		calls  int32
	}{
		"post":     {http.MethodPost, nil, http.StatusOK, "The configuration was reloaded.\n", 1},
		"put":      {http.MethodPut, nil, http.StatusOK, "The configuration was reloaded.\n", 1},
		"get":      {http.MethodGet, nil, http.StatusMethodNotAllowed, "Reloading needs a POST or PUT request.\n", 0},
		"delete":   {http.MethodDelete, nil, http.StatusMethodNotAllowed, "Reloading needs a POST or PUT request.\n", 0},
		"bad file": {http.MethodPost, errors.New("line 3: unknown key"), http.StatusInternalServerError, "line 3: unknown key\n", 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int32
			server := startServer(t, Options{Reload: func(context.Context) error {
				calls.Add(1)
				return test.err
			}})
			response, body := fetch(t, server.Client(), test.method, server.URL+"/-/reload", nil)
			if response.StatusCode != test.status || body != test.body {
				t.Errorf("%d %q, want %d %q", response.StatusCode, body, test.status, test.body)
			}
			if calls.Load() != test.calls {
				t.Errorf("reloaded %d times, want %d", calls.Load(), test.calls)
			}
			if allow := response.Header.Get("Allow"); (test.status == http.StatusMethodNotAllowed) != (allow == "POST, PUT") {
				t.Errorf("Allow is %q with status %d", allow, test.status)
			}
		})
	}
}

// TestReloadIsRefusedToOtherSites: a browser tells whose page asks, by one header or
// the other. Programs send neither.
func TestReloadIsRefusedToOtherSites(t *testing.T) {
	for name, c := range map[string]struct {
		header, value string
		method        string
		want          int
	}{
		"another site":           {"Sec-Fetch-Site", "cross-site", http.MethodPost, http.StatusForbidden},
		"another host there":     {"Sec-Fetch-Site", "same-site", http.MethodPost, http.StatusForbidden},
		"another site by PUT":    {"Sec-Fetch-Site", "cross-site", http.MethodPut, http.StatusForbidden},
		"another origin":         {"Origin", "http://evil.example", http.MethodPost, http.StatusForbidden},
		"a page without origin":  {"Origin", "null", http.MethodPost, http.StatusForbidden},
		"a page of Sonde":        {"Sec-Fetch-Site", "same-origin", http.MethodPost, http.StatusOK},
		"curl":                   {"User-Agent", "curl/8.14.1", http.MethodPost, http.StatusOK},
		"a link on another site": {"Sec-Fetch-Site", "cross-site", http.MethodGet, http.StatusMethodNotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			reloads := 0
			server := startServer(t, Options{Reload: func(context.Context) error { reloads++; return nil }})
			response, body := fetch(t, server.Client(), c.method, server.URL+reloadPath, http.Header{c.header: {c.value}})
			if response.StatusCode != c.want || (reloads == 1) != (c.want == http.StatusOK) {
				t.Errorf("%d %q and %d reloads, want %d", response.StatusCode, body, reloads, c.want)
			}
			if c.want == http.StatusForbidden && !strings.Contains(body, "another site") {
				t.Errorf("the answer %q does not say why", body)
			}
		})
	}
}

func TestReloadSurvivesItsClient(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	handler := reloadHandler(func(ctx context.Context) error {
		cancel()
		return ctx.Err()
	})
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequestWithContext(ctx, http.MethodPost, reloadPath, http.NoBody))
	if recorder.Code != http.StatusOK {
		t.Errorf("status %d: the client's leaving stopped the reload", recorder.Code)
	}
}
