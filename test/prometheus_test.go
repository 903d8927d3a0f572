package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

const (
	scrapeUser     = "prometheus"
	scrapePassword = "a long and winding word"
)

const prometheusConfig = `
global:
  scrape_interval: 1s
  scrape_timeout: 900ms
scrape_configs:
  - job_name: sonde
    scheme: https
    tls_config: { ca_file: %[1]s, server_name: localhost }
    basic_auth: { username: %[2]s, password: %[3]q }
    static_configs: [ { targets: [%[4]q] } ]
  - job_name: intruder
    scheme: https
    tls_config: { ca_file: %[1]s, server_name: localhost }
    basic_auth: { username: %[2]s, password: wrong }
    static_configs: [ { targets: [%[4]q] } ]
`

// secured is an exporter behind TLS and basic authentication.
type secured struct {
	*harness.Exporter
	pair harness.KeyPair
	addr string
}

func newSecured(t *testing.T) secured {
	t.Helper()
	dir := servers.Dir(t)
	pair := harness.Certificate(t, dir)
	hash, err := bcrypt.GenerateFromPassword([]byte(scrapePassword), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "web.yml")
	servers.WriteFile(t, config, fmt.Sprintf(
		"tls_server_config:\n  cert_file: %s\n  key_file: %s\nbasic_auth_users:\n  %s: %s\n", pair.Cert, pair.Key, scrapeUser, hash))
	e := exporter(t, harness.Options{
		Args:   []string{"--web.config.file=" + config},
		Access: harness.Access{TLS: pair.Trust, User: scrapeUser, Password: scrapePassword},
	})
	return secured{Exporter: e, pair: pair, addr: strings.TrimPrefix(e.URL, "https://")}
}

// status is what somebody gets who asks for the metrics.
func (s secured) status(t *testing.T, user, password string) int {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, s.URL+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		req.SetBasicAuth(user, password)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: s.pair.Trust, DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// TestWebSecurity: who may scrape.
func TestWebSecurity(t *testing.T) {
	s := newSecured(t)
	for _, c := range []struct {
		user, password string
		want           int
	}{
		{scrapeUser, scrapePassword, http.StatusOK},
		{scrapeUser, "wrong", http.StatusUnauthorized},
		{"somebody", scrapePassword, http.StatusUnauthorized},
		{"", "", http.StatusUnauthorized},
	} {
		if got := s.status(t, c.user, c.password); got != c.want {
			t.Errorf("%q with %q gets %d, want %d", c.user, c.password, got, c.want)
		}
	}
	resp, err := http.Get("http://" + s.addr + "/metrics")
	if err == nil {
		defer resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			t.Error("the metrics are there without TLS")
		}
	}
}

// TestPrometheus: Debian's Prometheus scrapes over TLS with a password, and its
// rates and quantiles come out right, from classic and from native buckets.
func TestPrometheus(t *testing.T) {
	for _, c := range []struct {
		name, count, quantile string
		flags                 []string
	}{
		{
			"classic", harness.Server + `_count{server_port="%s"}`,
			`histogram_quantile(0.5, sum by (le) (rate(` + harness.Server + `_bucket{server_port="%s"}[30s])))`, nil,
		}, {
			"native", `histogram_count(` + harness.Server + `{server_port="%s"})`,
			`histogram_quantile(0.5, sum(rate(` + harness.Server + `{server_port="%s"}[30s])))`,
			[]string{"--enable-feature=native-histograms"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSecured(t)
			web := servers.Go(t, programs(t).GoServer)
			prom := startPrometheus(t, s, c.flags...)
			conn := servers.Dial(t, web.Addr())
			talk(t, conn, request("/sleep/30"))
			count := fmt.Sprintf(c.count, web.PortLabel())
			harness.Eventually(t, "Prometheus to know the first request", func() bool { return prom.value(t, count) == 1 })
			for range 100 {
				talk(t, conn, request("/sleep/30"))
			}
			harness.Eventually(t, "Prometheus to know all requests", func() bool { return prom.value(t, count) == 101 })
			quantile := prom.value(t, fmt.Sprintf(c.quantile, web.PortLabel()))
			if quantile < 0.025 || quantile > 0.05 {
				t.Errorf("the median is %v s by Prometheus, the server slept 0.03 s", quantile)
			}
			if c.name == "native" && (quantile < 0.029 || quantile > 0.034) {
				t.Errorf("the median is %v s by native buckets, which are 9 %% wide", quantile)
			}
			if up := prom.value(t, `up{job="sonde"}`); up != 1 {
				t.Errorf("up is %v", up)
			}
			if up := prom.value(t, `up{job="intruder"}`); up != 0 {
				t.Errorf("up is %v with a wrong password", up)
			}
			if said := prom.get(t, "/api/v1/targets", nil); !strings.Contains(said, "401") {
				t.Errorf("Prometheus does not report 401 for the wrong password:\n%s", said)
			}
		})
	}
}

// promServer is a running Prometheus.
type promServer struct{ *servers.Process }

// TestServiceInfoJoins: the query that the documentation has for labels that metrics do
// not have gives each service its requests.
func TestServiceInfoJoins(t *testing.T) {
	root, err := harness.Root()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "coming-from-beyla.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, query, found := strings.Cut(string(page), "```promql\n")
	query, _, closed := strings.Cut(query, "```")
	if !found || !closed {
		t.Fatal("docs/coming-from-beyla.md has no query")
	}
	s := newSecured(t)
	web := servers.Go(t, programs(t).GoServer)
	prom := startPrometheus(t, s)
	conn := servers.Dial(t, web.Addr())
	// A label that a server outside of any container has, too.
	query = strings.ReplaceAll(query, "container_id", "executable")
	compare := fmt.Sprintf(`sum by (service_name) (%[1]s) / sum by (service_name) (rate(%[2]s_count[5m]))
		and on (service_name) %[2]s_count{server_port="%[3]s"}`, query, harness.Server, web.PortLabel())
	harness.Eventually(t, "the joined rate to be that of the server", func() bool {
		talk(t, conn, request("/hello"))
		return math.Abs(prom.value(t, compare)-1) < 1e-9
	})
}

func startPrometheus(t *testing.T, s secured, flags ...string) promServer {
	t.Helper()
	dir, port := servers.Dir(t), servers.FreePort(t)
	config := filepath.Join(dir, "prometheus.yml")
	servers.WriteFile(t, config, fmt.Sprintf(prometheusConfig, s.pair.Cert, scrapeUser, scrapePassword, s.addr))
	args := append([]string{
		"--config.file=" + config, "--storage.tsdb.path=" + dir + "/data", fmt.Sprintf("--web.listen-address=127.0.0.1:%d", port),
	}, flags...)
	return promServer{servers.Start(t, "prometheus", port, servers.NewCommand(servers.Tool(t, "prometheus"), nil, args...))}
}

func (p promServer) get(t *testing.T, path string, query url.Values) string {
	t.Helper()
	resp, err := http.Get(p.URL(path + "?" + query.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// value is the result of an instant query with one series; -1 as long as there
// is none.
func (p promServer) value(t *testing.T, query string) float64 {
	t.Helper()
	time.Sleep(100 * time.Millisecond) // do not busy Prometheus with queries alone
	body := p.get(t, "/api/v1/query", url.Values{"query": {query}})
	var answer struct {
		Error string
		Data  struct{ Result []struct{ Value [2]any } }
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || answer.Error != "" {
		return -1 // it answers 503 while it starts
	}
	if len(answer.Data.Result) == 0 {
		return -1
	}
	if len(answer.Data.Result) > 1 {
		t.Fatalf("%s has %d results, want one:\n%s", query, len(answer.Data.Result), body)
	}
	text, _ := answer.Data.Result[0].Value[1].(string)
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatalf("%s has no number as its result:\n%s", query, body)
	}
	return v
}
