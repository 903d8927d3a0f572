package e2e

import (
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// documented is what docs/metrics.md says of one family.
type documented struct {
	labels map[string]bool
	values map[string]map[string]bool // of the labels that have all values listed
}

var (
	familyHeading = regexp.MustCompile("^### `([a-z0-9_]+)`$")
	tableHead     = regexp.MustCompile("^\\| (Label|`[a-z_]+`) \\| Meaning \\|$")
	tableRow      = regexp.MustCompile("^\\| `([A-Za-z0-9_]+)` \\| (.*) \\|$")
	quoted        = regexp.MustCompile("`([^`]+)`")
)

// readReference reads docs/metrics.md: a heading for each family, and below it a
// table of labels and tables of their values.
func readReference(t *testing.T) map[string]documented {
	t.Helper()
	text, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]documented{}
	var family documented
	var of string // the label whose values a table lists; empty in the table of labels
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if m := familyHeading.FindStringSubmatch(line); m != nil {
			family = documented{map[string]bool{}, map[string]map[string]bool{}}
			all[m[1]] = family
		} else if m := tableHead.FindStringSubmatch(line); m != nil {
			of = strings.Trim(strings.TrimPrefix(m[1], "Label"), "`")
		} else if m := tableRow.FindStringSubmatch(line); m != nil && of != "" {
			family.allow(of, m[1])
		} else if m != nil {
			family.labels[m[1]] = true
			if _, list, isListed := strings.Cut(m[2], "<br>"); isListed {
				for _, value := range quoted.FindAllStringSubmatch(list, -1) {
					family.allow(m[1], value[1])
				}
			}
		}
	}
	return all
}

func (d documented) allow(label, value string) {
	if d.values[label] == nil {
		d.values[label] = map[string]bool{"": true}
	}
	d.values[label][value] = true
}

// statusCode is what error_type may be besides the listed values.
var statusCode = regexp.MustCompile(`^[45]\d\d$`)

// TestMetricsReference: a scrape with requests, calls, TLS, spans and exports of
// metrics shows what docs/metrics.md lists, and nothing else.
func TestMetricsReference(t *testing.T) {
	reference := readReference(t)
	if len(reference) < 20 {
		t.Fatalf("docs/metrics.md lists %d metrics; want some thirty", len(reference))
	}
	snap := scrapeEverything(t)
	for _, name := range slices.Sorted(maps.Keys(snap)) {
		if !strings.HasPrefix(name, "sonde_") && !strings.HasPrefix(name, "http_") {
			continue // of the process, as every exporter in Go has them
		}
		family, isListed := reference[name]
		if !isListed {
			t.Errorf("%s is exposed, but docs/metrics.md does not list it", name)
			continue
		}
		for _, metric := range snap[name].GetMetric() {
			for _, pair := range metric.GetLabel() {
				label, value := pair.GetName(), pair.GetValue()
				if !family.labels[label] {
					t.Errorf("%s has the label %s, which docs/metrics.md does not list", name, label)
				}
				for part := range strings.SplitSeq(value, ",") { // instances may differ
					isCode := label == "error_type" && statusCode.MatchString(part)
					if values := family.values[label]; values != nil && !values[part] && !isCode {
						t.Errorf("%s has %s=%q, which docs/metrics.md does not list", name, label, value)
					}
				}
			}
		}
	}
	rare := map[string]string{
		"sonde_tls_hidden_info": "this TLS can be seen",
	}
	for _, name := range slices.Sorted(maps.Keys(reference)) {
		if snap[name] == nil && rare[name] == "" {
			t.Errorf("docs/metrics.md lists %s, which is not exposed", name)
		}
	}
}

// scrapeEverything lets Sonde see a service that answers and calls over TLS, one
// that fails, and exports of spans and metrics, and scrapes it.
func scrapeEverything(t *testing.T) harness.Snapshot {
	t.Helper()
	keys, received := newKeys(t), receiver(t, harness.ReceiverOptions{})
	back := servers.GoTLS(t, programs(t).GoServer, keys.KeyFiles, "")
	front := servers.GoTLS(t, programs(t).GoServer, keys.KeyFiles, back.Addr())
	web := servers.Go(t, programs(t).GoServer)
	e := exporter(t, harness.Options{
		Config: selection(map[string]*servers.Process{"front": front.Process, "back": back.Process, "web": web.Process}) +
			tracesBy["http"](received, everything()) + export("otel_metrics_export", received.HTTPURL(), "interval: 1s"),
	})
	warm(t, e, keys, front.Process)
	client := visitor(t, keys, visiting{closing: true})
	for _, url := range []string{front.URL("/call"), web.URL("/hello"), web.URL("/status/500")} {
		if err := visit(client, http.MethodGet, url, 0); err != nil {
			t.Fatal(err)
		}
	}
	return e.Eventually(t, "calls, spans and an export of metrics", func(s harness.Snapshot) bool {
		return s.Count(harness.Client, nil) > 0 && s.Value("sonde_spans_exported_total", nil) > 0 &&
			s.Value("sonde_otlp_metrics_exports_total", harness.Labels{"result": "success"}) > 0
	})
}
