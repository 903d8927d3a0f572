package mixin

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"sonde_exporter/test/servers"
)

// mode is which histograms a Prometheus gets.
type mode struct {
	name            string
	native, classic bool
}

var modes = []mode{
	{name: "classic", classic: true},
	{name: "native", native: true},
	{name: "both", native: true, classic: true},
}

// prometheus is a running one that has the rules of a mixin.
type prometheus struct{ *servers.Process }

const prometheusConfig = `
global: { scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s }
rule_files: [ %[1]s/rules.yaml, %[1]s/alerts.yaml ]
scrape_configs:
  - job_name: sonde
    %[3]s
    static_configs: [ { targets: [%[2]q] } ]
`

// classicConfig adds the classic series of the same Sonde, under the same labels, as
// always_scrape_classic_histograms does in versions that have it.
const classicConfig = `
  - job_name: classic
    static_configs: [ { targets: [%q], labels: { job: sonde, instance: %q } } ]
    metric_relabel_configs: [ { source_labels: [__name__], regex: http_.*_(bucket|count|sum), action: keep } ]
`

// startPrometheus runs Debian's, or whatever else is first on PATH, against a Sonde
// at an address.
func startPrometheus(t *testing.T, m mode, rules mixin, sonde string) prometheus {
	t.Helper()
	program := servers.Tool(t, "prometheus")
	features, extra := "exemplar-storage", ""
	if m.native {
		features += ",native-histograms"
		if asksByConfig(t, program) {
			extra = "scrape_native_histograms: true"
		}
	}
	config := fmt.Sprintf(prometheusConfig, rules.dir, sonde, extra)
	if m.native && m.classic {
		config += fmt.Sprintf(classicConfig, textOnly(t, sonde), sonde)
	}
	dir, port := servers.Dir(t), servers.FreePort(t)
	file := filepath.Join(dir, "prometheus.yml")
	servers.WriteFile(t, file, config)
	return prometheus{servers.Start(t, "prometheus", port, servers.NewCommand(program, nil,
		"--config.file="+file, "--storage.tsdb.path="+dir+"/data", "--enable-feature="+features,
		fmt.Sprintf("--web.listen-address=127.0.0.1:%d", port)))}
}

var versionNumber = regexp.MustCompile(`version (\d+)\.(\d+)`)

// asksByConfig: since 3.8 a key in the configuration asks for native histograms, which
// no version before knows.
func asksByConfig(t *testing.T, program string) bool {
	t.Helper()
	said, err := exec.CommandContext(t.Context(), program, "--version").CombinedOutput()
	found := versionNumber.FindSubmatch(said)
	if err != nil || found == nil {
		t.Fatalf("%s does not tell its version: %v\n%s", program, err, said)
	}
	major, _ := strconv.Atoi(string(found[1]))
	minor, _ := strconv.Atoi(string(found[2]))
	return major > 3 || major == 3 && minor >= 8
}

// textOnly passes scrapes on without what they ask for, so that the answer is text,
// which has no native histograms. It returns its address.
func textOnly(t *testing.T, sonde string) string {
	t.Helper()
	port := servers.FreePort(t)
	address := fmt.Sprintf("127.0.0.1:%d", port)
	server := &http.Server{Addr: address, Handler: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: sonde})
		r.Out.Header.Del("Accept")
	}}}
	go func() { _ = server.ListenAndServe() }() // ends with the test
	t.Cleanup(func() { _ = server.Close() })
	return address
}

// sample is one series of an answer.
type sample struct {
	Metric    map[string]string
	Value     []any
	Histogram []any
}

// isNumber says that there is more to see than NaN.
func (s sample) isNumber() bool { return len(s.Histogram) == 2 || !math.IsNaN(s.number()) }

func (s sample) number() float64 {
	if len(s.Value) != 2 {
		return math.NaN()
	}
	v, err := strconv.ParseFloat(fmt.Sprint(s.Value[1]), 64)
	if err != nil {
		return math.NaN()
	}
	return v
}

// ask asks the API; parameters are keys and values in turn.
func ask[T any](t *testing.T, p prometheus, path string, parameters ...string) (data T, err error) {
	t.Helper()
	query := url.Values{}
	for i := 0; i < len(parameters); i += 2 {
		query.Add(parameters[i], parameters[i+1])
	}
	resp, err := http.Get(p.URL(path + "?" + query.Encode()))
	if err != nil {
		return data, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return data, err
	}
	var answer struct {
		Error string
		Data  T
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return data, fmt.Errorf("%w: %s", err, body)
	}
	if answer.Error != "" {
		return data, fmt.Errorf("Prometheus says: %s", answer.Error)
	}
	return answer.Data, nil
}

// query is an instant query.
func (p prometheus) query(t *testing.T, expr string) ([]sample, error) {
	t.Helper()
	data, err := ask[struct{ Result []sample }](t, p, "/api/v1/query", "query", expr)
	return data.Result, err
}
