package mixin

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// patience is how long the answers may take to come: rates need two scrapes, and rules
// that build on others two evaluations more.
const patience = 20 * time.Second

var build = sync.OnceValues(harness.Build)

func TestMain(m *testing.M) {
	harness.Main(build, func() (int, error) { return m.Run(), nil })
}

// sondeConfig names two services with a namespace and two without. One fails half of
// its calls, one speaks TLS, and one speaks it by a library that Sonde cannot see
// into. Nobody listens where spans and metrics go.
const sondeConfig = `
discovery:
  services:
    - { open_port: %d, service_name: mixin-shop, service_namespace: mixin }
    - { open_port: %d, service_name: mixin-stock, service_namespace: mixin }
    - { open_port: %d, service_name: mixin-safe }
    - { open_port: %d, service_name: mixin-hidden }
otel_traces_export: { endpoint: "http://127.0.0.1:%[5]d", sampler: { name: always_on } }
otel_metrics_export: { endpoint: "http://127.0.0.1:%[5]d", interval: 1s }
`

// objectives are those of the services in this test: of each kind one.
const objectives = `{ _config+:: { slo+: { services: {
	'mixin-shop': { availability: 0.5, latency: { threshold: 0.25, objective: 0.9 } },
	'mixin-safe': { latency: { threshold: 2.5, objective: 0.9 }, page: false },
} } } }`

// traffic is what the services of this test get to do.
type traffic struct {
	shop, safe, hidden *servers.Process
	client             *http.Client
}

// startServices starts them with the Sonde that measures them.
func startServices(t *testing.T) (*harness.Exporter, traffic) {
	t.Helper()
	programs, err := build()
	if err != nil {
		t.Fatal(err)
	}
	keys := harness.Certificate(t, servers.Dir(t))
	stock := servers.Go(t, programs.GoServer)
	port := servers.FreePort(t)
	// Its /call asks the stock for /status/500?/hello.
	shop := servers.GoOn(t, programs.GoServer, port, "-addr", fmt.Sprintf("127.0.0.1:%d", port), "-upstream", stock.URL("/status/500?"))
	safe := servers.GoTLS(t, programs.GoServer, keys.KeyFiles, "")
	hidden := servers.Lighttpd(t, servers.NSS, keys.KeyFiles)
	exporter := harness.Start(t, programs.Exporter, harness.Options{
		Config: fmt.Sprintf(sondeConfig, shop.Port, stock.Port, safe.Port, hidden.Port, servers.FreePort(t)),
	})
	return exporter, traffic{shop.Process, safe.Process, hidden, &http.Client{
		Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: keys.Trust, DisableKeepAlives: true},
	}}
}

// shares are what follows from the requests of a round: two of six to the shop fail, and
// one of the other four is slow.
var shares = map[string]float64{
	`service:http_server_errors_per_requests:ratio_rate5m{service_name="mixin-shop"}`:                 2. / 6,
	`service:http_server_slow:rate5m{service_name="mixin-shop"} / service:http_server_answers:rate5m`: 1. / 4,
}

// round makes each service answer in each of the ways that the mixin tells apart.
func (x traffic) round() {
	for _, url := range []string{
		x.shop.URL("/hello"), x.shop.URL("/sleep/30"), x.shop.URL("/sleep/300"), x.shop.URL("/status/404"),
		x.shop.URL("/status/503"), x.shop.URL("/call"), x.safe.URL("/hello"), x.hidden.URL("/small.txt"),
	} {
		resp, err := x.client.Get(url)
		if err != nil {
			continue // the answers to the questions tell whether enough came through
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
}

// run makes rounds until the function that it returns is called.
func (x traffic) run() (stop func()) {
	quit := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		for {
			select {
			case <-quit:
				return
			case <-time.After(20 * time.Millisecond):
				x.round()
			}
		}
	})
	return sync.OnceFunc(func() { close(quit); running.Wait() })
}

// TestEveryExpressionHasData: a typing error in a name or a label, an empty match
// between two vectors, or a function that one kind of histograms does not have would
// show as an empty panel, or as an alert that never fires.
func TestEveryExpressionHasData(t *testing.T) {
	t.Parallel()
	m := render(t, objectives)
	exporter, x := startServices(t)
	sonde := strings.TrimPrefix(exporter.URL, "http://")
	running := map[string]prometheus{}
	for _, mode := range modes {
		running[mode.name] = startPrometheus(t, mode, m, sonde)
	}
	stop := x.run()
	t.Cleanup(stop)
	for _, mode := range modes {
		t.Run(mode.name, func(t *testing.T) {
			p := running[mode.name]
			answerAll(t, p, questionsOfRules(t, m))
			for _, role := range []string{"server", "client"} {
				answerAll(t, p, questionsOf(t, m, choices(sonde, role)))
			}
			checkShares(t, p)
			checkChoices(t, p, m, choices(sonde, "server"))
			checkOthers(t, p, choices(sonde, "server"))
			checkExemplars(t, p, m, choices(sonde, "server"))
		})
	}
	stop()
	t.Run("nothing is counted twice", func(t *testing.T) { compare(t, running, m, choices(sonde, "server")) })
}

func choices(sonde, role string) viewer {
	return viewer{
		"job": "sonde", "instance": sonde, "namespace": ".*", "service": "mixin-shop", "role": role,
		"__rate_interval": "10s", "__range": "60s",
	}
}

// answerAll asks until every question has an answer.
func answerAll(t *testing.T, p prometheus, open []question) {
	t.Helper()
	reasons := map[string]string{}
	for deadline := time.Now().Add(patience); ; time.Sleep(200 * time.Millisecond) {
		open = slices.DeleteFunc(open, func(q question) bool {
			reasons[q.name] = unanswered(t, p, q)
			return reasons[q.name] == ""
		})
		if len(open) == 0 || time.Now().After(deadline) {
			break
		}
	}
	for _, q := range open {
		t.Errorf("%s: %s:\n%s", q.name, reasons[q.name], q.expr)
	}
}

// unanswered tells what is wrong with the answer to a question.
func unanswered(t *testing.T, p prometheus, q question) string {
	t.Helper()
	samples, err := p.query(t, q.expr)
	if err != nil {
		return err.Error()
	}
	if !slices.ContainsFunc(samples, sample.isNumber) {
		return fmt.Sprintf("has %d series, none with a number", len(samples))
	}
	for _, label := range q.labels {
		if !slices.ContainsFunc(samples, func(s sample) bool { return s.Metric[label] != "" }) {
			return fmt.Sprintf("has no label %s, which the legend shows", label)
		}
	}
	return ""
}

// checkShares: an expression that ends in zero for all that it does not find always has
// an answer, be it wrong. Rates over few scrapes are rough, so this waits as well.
func checkShares(t *testing.T, p prometheus) {
	t.Helper()
	for expr, want := range shares {
		var got []sample
		for deadline := time.Now().Add(patience); ; time.Sleep(200 * time.Millisecond) {
			samples, err := p.query(t, expr)
			if err != nil {
				t.Fatalf("%s: %v", expr, err)
			}
			if got = samples; len(got) == 1 && math.Abs(got[0].number()-want) < 0.05 {
				break
			}
			if time.Now().After(deadline) {
				t.Errorf("%s is %v, want %.2f", expr, got, want)
				break
			}
		}
	}
}

// checkChoices: every variable has values to choose from.
func checkChoices(t *testing.T, p prometheus, m mixin, v viewer) {
	t.Helper()
	for file, d := range m.dashboards {
		for _, variable := range d.Templating.List {
			query, found := strings.CutPrefix(labelQuery(variable), "label_values(")
			if !found {
				continue
			}
			at := strings.LastIndex(query, ", ")
			selector, label := v.fill(t, query[:at]), strings.TrimSuffix(query[at+2:], ")")
			values, err := ask[[]string](t, p, "/api/v1/label/"+label+"/values", "match[]", selector)
			if err != nil || len(values) == 0 {
				t.Errorf("%s: there is nothing to choose for %s: %v, %v", file, variable.Name, values, err)
			}
		}
	}
}

// checkOthers: the busiest route and all the others are all requests, and one route is
// the busiest throughout a graph.
func checkOthers(t *testing.T, p prometheus, v viewer) {
	t.Helper()
	var shown []panel
	for _, panel := range render(t, `{ _config+:: { dashboards+: { top: 1 } } }`).dashboards["sonde-service.json"].Panels {
		if panel.Title == "Rate by route" || panel.Title == "Rate by status" {
			shown = append(shown, panel)
		}
	}
	if len(shown) != 2 || len(shown[0].Targets) != 2 {
		t.Fatalf("the panels are %+v, want one by route, with others, and one by status", shown)
	}
	top, others, all := v.fill(t, shown[0].Targets[0].Expr), v.fill(t, shown[0].Targets[1].Expr), v.fill(t, shown[1].Targets[0].Expr)
	ratio := fmt.Sprintf("(sum(%s) + sum(%s)) / sum(%s)", top, others, all)
	if got, err := p.query(t, ratio); err != nil || len(got) != 1 || math.Abs(got[0].number()-1) > 0.001 {
		t.Errorf("the busiest route and the others are %v (%v) of all requests, want 1:\n%s", got, err, ratio)
	}
	end := time.Now()
	series, err := ask[struct{ Result []any }](t, p, "/api/v1/query_range", "query", top, "step", "1",
		"start", fmt.Sprint(end.Add(-10*time.Second).Unix()), "end", fmt.Sprint(end.Unix()))
	if err != nil || len(series.Result) != 1 {
		t.Errorf("%d routes are the busiest at one time or another (%v), want 1:\n%s", len(series.Result), err, top)
	}
}

// checkExemplars: what is said to have exemplars has some, with the id that Grafana
// makes a link to Tempo of.
func checkExemplars(t *testing.T, p prometheus, m mixin, v viewer) {
	t.Helper()
	type series struct {
		Exemplars []struct{ Labels map[string]string }
	}
	checked := 0
	for file, d := range m.dashboards {
		for _, panel := range d.Panels {
			for _, q := range panel.Targets {
				if !q.Exemplar {
					continue
				}
				checked++
				now := time.Now()
				found, err := ask[[]series](t, p, "/api/v1/query_exemplars", "query", v.fill(t, q.Expr),
					"start", fmt.Sprint(now.Add(-time.Minute).Unix()), "end", fmt.Sprint(now.Unix()+1))
				if err != nil || len(found) == 0 || found[0].Exemplars[0].Labels["trace_id"] == "" {
					t.Errorf("%s: %q has the exemplars %v, %v; want some with a trace_id", file, panel.Title, found, err)
				}
			}
		}
	}
	if checked == 0 {
		t.Error("no panel shows exemplars")
	}
}

// compare: where native and classic histograms are both there, each number is as
// large, and each answer as long, as where there is but one of them.
func compare(t *testing.T, running map[string]prometheus, m mixin, v viewer) {
	var questions []question
	for _, q := range append(questionsOf(t, m, v), questionsOfRules(t, m)...) {
		if strings.Contains(q.expr, "http_server_request_duration_seconds") {
			questions = append(questions, q)
		}
	}
	for _, q := range questions {
		one, err := running["native"].query(t, q.expr)
		two, errTwo := running["both"].query(t, q.expr)
		if err := errors.Join(err, errTwo); err != nil {
			t.Fatalf("%s: %v", q.name, err)
		}
		if len(one) != len(two) {
			t.Errorf("%s has %d series with native histograms, and %d with classic ones as well:\n%s", q.name, len(one), len(two), q.expr)
		}
	}
	const all = "sum(service:http_server_requests:rate5m)"
	rates := map[string]float64{}
	for name, p := range running {
		samples, err := p.query(t, all)
		if err != nil || len(samples) != 1 {
			t.Fatalf("%s has %v, %v in %s", all, samples, err, name)
		}
		rates[name] = samples[0].number()
	}
	for name, rate := range rates {
		if ratio := rate / rates["classic"]; ratio < 0.7 || ratio > 1.4 {
			t.Errorf("there are %.1f requests a second in %s, and %.1f in classic", rate, name, rates["classic"])
		}
	}
}
