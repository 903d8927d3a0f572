package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	dto "github.com/prometheus/client_model/go"

	"sonde_exporter/collector"
	"sonde_exporter/metric"
	"sonde_exporter/otlpmetrics"
	"sonde_exporter/series"
	"sonde_exporter/tracing"
)

const metricsIntro = `<!-- Written by make docs. -->

# Metrics

Everything that Sonde exposes at ` + "`/metrics`" + `, by what switches it on.

**Stable** metrics follow the stable
[OpenTelemetry conventions for HTTP](https://opentelemetry.io/docs/specs/semconv/http/http-metrics/),
in the spelling of Prometheus: names and labels stay as they are. **Experimental** ones, which
begin with ` + "`sonde_`" + `, are about Sonde itself and may change with a minor version; the
changelog says so.

A label whose value is not known is empty, which is the same as absent to Prometheus.
Collectors are all on unless told otherwise: ` + "`--no-collector.NAME`" + ` switches one off.

`

// metricsPage writes docs/metrics.md.
func metricsPage(t *testing.T) string {
	var page strings.Builder
	page.WriteString(metricsIntro)
	for _, definition := range metric.All() {
		writeDefinition(&page, definition)
	}
	families := collector.Families()
	for _, name := range slices.Sorted(maps.Keys(families)) {
		if name != "" && len(families[name]) > 0 {
			section(&page, heading(collector.Help()[name]), "Switched by `--[no-]collector."+name+"`. Experimental.", families[name])
		}
	}
	section(&page, "Export of spans", "There if `otel_traces_export` has an endpoint. Experimental.", tracing.Families())
	section(&page, "Export of metrics", "There if `otel_metrics_export` has an endpoint. Experimental.", otlpmetrics.Families())
	always := append(families[""], reloadSuccessful(), reloadSuccessTime(), buildInfo(t))
	section(&page, "Sonde itself", "Always there. Experimental.", always)
	page.WriteString("## The process of the exporter\n\n" +
		"`go_*`, `process_*` and `promhttp_*` are those that every exporter in Go has.\n" +
		"`--web.disable-exporter-metrics` leaves them out.\n")
	return page.String()
}

// heading is the help of a collector without what is in brackets.
func heading(help string) string {
	short, _, _ := strings.Cut(help, " (")
	return strings.TrimSuffix(sentence(short), ".")
}

func section(page *strings.Builder, title, intro string, families []metric.Family) {
	fmt.Fprintf(page, "## %s\n\n%s\n\n", title, intro)
	for _, family := range families {
		kind := map[prometheus.ValueType]string{prometheus.CounterValue: "Counter", prometheus.GaugeValue: "Gauge"}[family.Type]
		writeMetric(page, family.Name, kind+unitOf(family.Name), family.Help, family.Labels)
	}
}

func writeDefinition(page *strings.Builder, d metric.Definition) {
	title, flag := "Requests that services answer", "http_server"
	if d.Role == series.Client {
		title, flag = "Requests that services make", "http_client"
	}
	fmt.Fprintf(page, "## %s\n\nSwitched by `--[no-]collector.%s`. Stable; `%s` in OTLP.\n\n", title, flag, d.Name)
	var labels []metric.Label
	for _, attribute := range d.Attributes {
		labels = append(labels, attribute.Label())
	}
	writeMetric(page, d.PrometheusName(), "Histogram, native and classic, in seconds", d.Description, labels)
}

// unitOf says the unit that is in a name.
func unitOf(name string) string {
	if strings.HasSuffix(strings.TrimSuffix(name, "_total"), "_seconds") {
		return " in seconds"
	}
	return ""
}

func writeMetric(page *strings.Builder, name, kind, help string, labels []metric.Label) {
	fmt.Fprintf(page, "### `%s`\n\n%s. %s\n\n", name, kind, help)
	if len(labels) == 0 {
		return
	}
	var rows [][]string
	for _, label := range labels {
		rows = append(rows, []string{"`" + label.Name + "`", label.Meaning + plainValues(label.Values)})
	}
	table(page, []string{"Label", "Meaning"}, rows)
	for _, label := range labels {
		writeValues(page, label)
	}
}

// plainValues lists values that need no words.
func plainValues(values []metric.Value) string {
	var texts []string
	for _, value := range values {
		if value.Meaning != "" {
			return ""
		}
		texts = append(texts, value.Text)
	}
	if texts == nil {
		return ""
	}
	return "<br>" + code(texts, ", ")
}

// writeValues explains values that need words.
func writeValues(page *strings.Builder, label metric.Label) {
	if len(label.Values) == 0 || plainValues(label.Values) != "" {
		return
	}
	var rows [][]string
	for _, value := range label.Values {
		rows = append(rows, []string{"`" + value.Text + "`", sentence(value.Meaning)})
	}
	table(page, []string{"`" + label.Name + "`", "Meaning"}, rows)
}

// buildInfo asks the library that exposes it.
func buildInfo(t *testing.T) metric.Family {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(versioncollector.NewCollector("sonde"))
	gathered, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	family := metric.Gauge(gathered[0].GetName(), "How Sonde was built: 1.")
	for _, pair := range gathered[0].GetMetric()[0].GetLabel() {
		family.Labels = append(family.Labels, metric.Label{Name: pair.GetName(), Meaning: buildMeaning(t, pair)})
	}
	return family
}

func buildMeaning(t *testing.T, pair *dto.LabelPair) string {
	meaning := map[string]string{
		"branch": "The branch of its source.", "goarch": "The architecture.", "goos": "The operating system.",
		"goversion": "The version of Go.", "revision": "The commit of its source.",
		"tags": "The build tags.", "version": "The version.",
	}[pair.GetName()]
	if meaning == "" {
		t.Errorf("sonde_build_info has the label %s; say what it means", pair.GetName())
	}
	return meaning
}
