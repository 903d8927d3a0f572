package web

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sonde_exporter/status"
)

// getPage fetches a path of a server that shows the example.
func getPage(t *testing.T, path string) (response *http.Response, body string) {
	t.Helper()
	server := startServer(t, Options{Status: readExample()})
	return fetch(t, server.Client(), http.MethodGet, server.URL+path, nil)
}

// tag matches what is not text.
var tag = regexp.MustCompile(`(?s)<style>.*?</style>|<[^>]*>`)

// readable is the text of a page on one line.
func readable(body string) string {
	text := html.UnescapeString(tag.ReplaceAllString(body, " "))
	text = strings.ReplaceAll(text, noBreak, " ")
	return strings.NewReplacer(" ,", ",", " ;", ";", " :", ":", " )", ")", "( ", "(").Replace(strings.Join(strings.Fields(text), " "))
}

func TestPageTellsEverything(t *testing.T) {
	response, body := getPage(t, "/")
	if response.StatusCode != http.StatusOK {
		t.Fatalf("status %d, want 200", response.StatusCode)
	}
	text := readable(body)
	for _, want := range []string{
		"Sonde on web-1 Ready · up 3 h 12 min · version 1.2.3-test",
		"5 measured. Rates and quantiles are those in the last 4 min 12 s.",
		"shop named after its executable 8443 HTTP/1, HTTP/2 in TLS /usr/bin/shop, pid 812 and 2 more serves 1,235 0.50 % 1.20 ms 20.5 ms 1.50 s calls 0.04 0 % 2.00 s 3.00 s 4.00 s",
		"serves 0.02 100 % 90.0 µs 95.0 µs 99.0 µs Not measured 1 connection – TLS by rustls: no functions; ",
		"12,000 connections to others – HTTP/2 is recognised",
		"caller named after its executable 8443 HTTP/1, HTTP/2 in TLS /usr/bin/caller, pid 812 and 2 more serves not known calls 0.04 over 20 s 0 % 2.00 s",
		"no traffic yet /usr/bin/idle, pid 812 and 2 more serves 0 – – – –",
		"/usr/bin/vault, pid 812 and 2 more serves – – – – – Not measured TLS by NSS: no probes",
		"1 process that listens",
		"sshd /usr/sbin/sshd, pid 7, ports 22, 2222 excluded by rule 1 of discovery.exclude",
		"1.2.3-test, revision abc1234, on Linux 6.12.1 (amd64)",
		"/etc/sonde/sonde.yml, loaded 0001-01-01 00:00:00 UTC; 2 rules say which processes are services; 1 rule excludes some",
		"wire: bytes; cgroup_skb/egress tls: plaintext; not attached",
		"/usr/lib/libssl.so.3: openssl 3, mapped by 4 processes",
		"http_server map (fill of maps) is off: switched off by a flag",
		"traces by OTLP: on, to https://tempo:4318 by http/protobuf",
		"metrics by OTLP: off: otel_metrics_export has no endpoint",
		"In the kernel 0.12 % of one CPU in the last 4 min 12 s",
		"Its own process 0.21 % of one CPU in the last 4 min 12 s; 43.2 MB of memory",
		`16 of 10,000, and up to 1,000 for one service; 1 request beyond a limit went to http_route="_other"`,
		"Lost 2 requests not observed: bytes out of order (segment_gap)",
		"wire_egress 1,200 346 ns 0.04 %",
		"series 16 26,384 0.06 %",
		"As of 2026-01-02 03:04:05 UTC.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "never") {
		t.Error("the page tells of a loss that did not occur")
	}
}

// TestPageInTrouble: what an operator has to know comes first.
func TestPageInTrouble(t *testing.T) {
	broken := exampleStatus()
	broken.Sonde.Ready = false
	broken.Config.LastReloadSuccessful, broken.Config.LastReloadError = false, "line 3: <b>unknown</b> key"
	broken.Warnings = []string{"losses are not known: no"}
	broken.Cost.Kernel.Reason, broken.Cost.Losses, broken.Services = "nobody times them", nil, nil
	server := startServer(t, Options{Status: func(context.Context) (*status.Status, error) { return broken, nil }})
	_, body := fetch(t, server.Client(), http.MethodGet, server.URL+"/", nil)
	text := readable(body)
	for _, want := range []string{
		"Not ready yet: it still looks for services that run already",
		"the old one stays in force: line 3: <b>unknown</b> key",
		"This page is incomplete: losses are not known: no",
		"No process that listens on TCP was found, but those that the rules leave out.",
		"In the kernel not known: nobody times them",
		"Lost nothing since Sonde started",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q:\n%s", want, text)
		}
	}
}

func TestPageThatCannotBeRead(t *testing.T) {
	server := startServer(t, Options{Status: func(context.Context) (*status.Status, error) { return nil, errors.New("secret of the kernel") }})
	for _, path := range []string{"/", servicesPath, servicesPath + "?service=x"} {
		response, body := fetch(t, server.Client(), http.MethodGet, server.URL+path, nil)
		if response.StatusCode != http.StatusServiceUnavailable || strings.Contains(body, "secret") || !strings.Contains(body, "the log tells why") {
			t.Errorf("%s answers %d %q, want 503 that refers to the log", path, response.StatusCode, body)
		}
	}
}

// harmful matches elements that run or load something.
var harmful = regexp.MustCompile(`(?i)^<(script|img|iframe|object|embed|form|base|link rel="?stylesheet)|\s(src|on\w+)=|javascript:|https?:`)

// TestPageIsOnlyText: names of strangers stay text, and nothing is loaded.
func TestPageIsOnlyText(t *testing.T) {
	for _, path := range []string{"/", "/?sort=" + url.QueryEscape(markup)} {
		_, body := getPage(t, path)
		for _, element := range regexp.MustCompile(`<[^>]*>`).FindAllString(body, -1) {
			isIcon := strings.HasPrefix(element, `<link rel="icon" href="data:`)
			if harmful.MatchString(element) && !isIcon {
				t.Errorf("%s contains %s", path, element)
			}
		}
		if strings.Contains(pageCSS, "url(") || strings.Contains(pageCSS, "@import") {
			t.Error("the style loads something")
		}
		if n := strings.Count(readable(body), markup); n != 5 {
			t.Errorf("%s shows the hostile text %d times as text, want 5", path, n)
		}
	}
}

func TestPageHeaders(t *testing.T) {
	response, body := getPage(t, "/")
	_, style, _ := strings.Cut(body, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	hash := sha256.Sum256([]byte(style))
	for name, want := range map[string]string{
		"Content-Type":           "text/html; charset=utf-8",
		"X-Content-Type-Options": "nosniff",
		"Cache-Control":          "no-store",
		"Referrer-Policy":        "no-referrer",
		"Content-Security-Policy": "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) +
			"'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	} {
		if got := response.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestOnlyForReading(t *testing.T) {
	server := startServer(t, Options{Status: readExample()})
	for _, path := range []string{"/", servicesPath} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
			response, _ := fetch(t, server.Client(), method, server.URL+path, nil)
			if response.StatusCode != http.StatusMethodNotAllowed || response.Header.Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: %d, Allow %q; want 405 and GET, HEAD", method, path, response.StatusCode, response.Header.Get("Allow"))
			}
		}
		response, body := fetch(t, server.Client(), http.MethodHead, server.URL+path, nil)
		if response.StatusCode != http.StatusOK || body != "" {
			t.Errorf("HEAD %s: %d %q, want 200 without a body", path, response.StatusCode, body)
		}
	}
}

// nameCell finds the names of the services in the table.
var nameCell = regexp.MustCompile(`rowspan="\d+"><span class="name">([^<]*)</span>`)

func TestOrder(t *testing.T) {
	for query, want := range map[string][]string{
		"":             {"shop", "caller", markup, "idle", "vault"},
		"?sort=rate":   {"shop", "caller", markup, "idle", "vault"},
		"?sort=name":   {markup, "caller", "idle", "shop", "vault"},
		"?sort=errors": {markup, "shop", "caller", "idle", "vault"},
		"?sort=p50":    {"caller", "shop", markup, "idle", "vault"},
		"?sort=p95":    {"caller", "shop", markup, "idle", "vault"},
		"?sort=p99":    {"caller", "shop", markup, "idle", "vault"},
		"?sort=rubble": {"shop", "caller", markup, "idle", "vault"},
	} {
		t.Run(query, func(t *testing.T) {
			_, body := getPage(t, "/"+query)
			var got []string
			for _, match := range nameCell.FindAllStringSubmatch(body, -1) {
				got = append(got, html.UnescapeString(match[1]))
			}
			if !slices.Equal(got, want) {
				t.Errorf("the order is %q, want %q", got, want)
			}
			if n := strings.Count(body, "aria-sort="); n != 1 {
				t.Errorf("%d columns say that they sort, want 1", n)
			}
			if query == "?sort=p95" && !strings.Contains(body, `aria-sort="descending"><a href="?sort=p95">`) {
				t.Error("the column p95 does not say that it sorts")
			}
		})
	}
}

// TestPageIsAccessible checks what a reader by ear depends on.
func TestPageIsAccessible(t *testing.T) {
	_, body := getPage(t, "/")
	for _, heading := range regexp.MustCompile(`<th\b[^>]*>`).FindAllString(body, -1) {
		if !strings.Contains(heading, `scope="`) {
			t.Errorf("%s has no scope", heading)
		}
	}
	for _, want := range []string{`<html lang="en">`, `<main>`, `<nav aria-label=`, `name="viewport"`, `<title>Sonde on web-1</title>`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	for _, table := range regexp.MustCompile(`<table\b[^>]*>`).FindAllString(body, -1) {
		if !strings.Contains(table, "aria-label") {
			t.Errorf("%s has no name", table)
		}
	}
}

// TestPageIsRenderedOnce: as long as the status is the same, so is its page.
func TestPageIsRenderedOnce(t *testing.T) {
	current, renderings := exampleStatus(), 0
	shelf := newShelf(func(context.Context) (*status.Status, error) { return current, nil })
	get := func(name string) string {
		body, err := shelf.get(t.Context(), name, func(s *status.Status) ([]byte, error) {
			renderings++
			return []byte(name + s.Sonde.Host), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	for range 3 {
		get("a")
		get("b")
	}
	if renderings != 2 {
		t.Errorf("two pages were rendered %d times", renderings)
	}
	current = exampleStatus()
	current.Sonde.Host = "web-2"
	if got := get("a"); got != "aweb-2" || renderings != 3 {
		t.Errorf("a new status gives %q after %d renderings, want aweb-2 after 3", got, renderings)
	}
}
