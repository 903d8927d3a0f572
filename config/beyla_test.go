package config

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// beylaExample is the file of Beyla's documentation for exporting to Alloy.
const beylaExample = `open_port: 443
otel_metrics_export:
  endpoint: http://localhost:4318
otel_traces_export:
  endpoint: http://localhost:4318
`

func TestBeylaExampleRunsUnmodified(t *testing.T) {
	want := Default()
	want.Discovery.Services = []Rule{{OpenPort: ports(t, "443")}}
	want.Traces.Endpoint, want.Traces.Insecure = "http://localhost:4318/v1/traces", true
	want.MetricsExport.Endpoint, want.MetricsExport.Insecure = "http://localhost:4318/v1/metrics", true
	name := put(t, t.TempDir(), "instrument-config.yml", beylaExample)
	checkLoad(t, want, "--config.file="+name)
	t.Setenv("SONDE_CONFIG_FILE", name)
	checkLoad(t, want)
}

func TestBeylaSpellingsInExports(t *testing.T) {
	c := parsed(t, `
otel_traces_export:
  endpoint: https://localhost:4318
  insecure_skip_verify: true
  sampler: {name: "traceidratio", arg: "0.1"}
  instrumentations: ["*"]
  max_queue_size: 100
  max_export_batch_size: 50
  batch_timeout: 1s
otel_metrics_export:
  interval: 5s
  features: [application]
  ttl: 5m
  histogram_aggregation: base2_exponential_bucket_histogram
network: {enable: false}
trace_printer: disabled
routes: {unmatched: low-cardinality, wildcard_char: "*", ignore_mode: all}
prometheus_export: {path: /metrics, features: application}
`)
	traces := defaultTraces()
	traces.Target.Endpoint, traces.TLS.InsecureSkipVerify = "https://localhost:4318/v1/traces", true
	traces.Sampler, traces.Ratio = SamplerRatio, 0.1
	traces.QueueSize, traces.BatchSize, traces.BatchTimeout = 100, 50, time.Second
	if !reflect.DeepEqual(c.Traces, traces) {
		t.Errorf("got  %+v\nwant %+v", c.Traces, traces)
	}
	if c.MetricsExport.Interval != 5*time.Second || c.MetricsExport.Histogram != HistogramExponential {
		t.Errorf("got %+v", c.MetricsExport)
	}
	if c.Warnings != nil {
		t.Errorf("got warnings %q of keys that ask for nothing else", c.Warnings)
	}
}

func TestHarmlessKeysOfBeylaAreWarnedOf(t *testing.T) {
	c := parsed(t, "log_level: DEBUG\nebpf:\n  wakeup_len: 100\n  bpf_debug: true\n"+
		"otel_traces_export: {reporters_cache_len: 5}\ninternal_metrics: {prometheus: {port: 1}}\nprofile_port:\n")
	const place = "config file sonde.yml, line "
	want := []string{
		place + "1: log_level is a key of Beyla that has no effect here: use --log.level",
		place + "3: ebpf.wakeup_len is a key of Beyla that has no effect here: Sonde finds out itself what the kernel can do",
		place + "4: ebpf.bpf_debug is a key of Beyla that has no effect here: Sonde finds out itself what the kernel can do",
		place + "5: otel_traces_export.reporters_cache_len is a key of Beyla that has no effect here: use series.limit",
		place + "6: internal_metrics is a key of Beyla that has no effect here: Sonde's own metrics begin with sonde_ and are at the same place as all others",
	}
	if !reflect.DeepEqual(c.Warnings, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(c.Warnings, "\n"), strings.Join(want, "\n"))
	}
}

func TestVariablesInTheFileAreWarnedOf(t *testing.T) {
	c := parsed(t, "service_name: a-${NAME}\nopen_port: 80\nresource:\n  a: ${A:-b}\n  b: $A\n  c: ${0}\nroutes: {patterns: ['/{id}']}\n")
	const words = " has a variable of the form ${NAME}, which Beyla would replace; Sonde takes the text as it is"
	want := []string{"config file sonde.yml, line 1" + words, "config file sonde.yml, line 4" + words}
	if !reflect.DeepEqual(c.Warnings, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(c.Warnings, "\n"), strings.Join(want, "\n"))
	}
}

// TestKeysOfBeylaThatWouldBeMissed are errors: without them something else is
// measured or exported than was asked for.
func TestKeysOfBeylaThatWouldBeMissed(t *testing.T) {
	const start = "config file sonde.yml, line 1: "
	for file, want := range map[string]string{
		"prometheus_export: {buckets: {duration_histogram: [1]}}":  "prometheus_export.buckets is a key of Beyla that Sonde does not have: use histogram.buckets",
		"prometheus_export: {prot: 1}":                             `unknown key "prot" in prometheus_export; did you mean "port"?`,
		"otel_metrics_export: {features: [application, network]}":  "otel_metrics_export.features is a key of Beyla that Sonde does not have: there is only what Beyla calls application; for the others use the spanmetrics and servicegraph connectors of a collector",
		"otel_traces_export: {instrumentations: [http, sql]}":      "otel_traces_export.instrumentations is a key of Beyla that Sonde does not have: every protocol that Sonde knows is measured; remove it",
		"attributes: {select: {a: b}}":                             "attributes.select is a key of Beyla that Sonde does not have: the attributes are fixed; use resource to add some, and metric_relabel_configs of Prometheus to drop some",
		"attributes: {kubernetes: {enable: true}}":                 "attributes.kubernetes.enable is a key of Beyla that Sonde does not have: Sonde asks no Kubernetes server; for traces use the k8sattributes processor of a collector, for metrics join with sonde_service_info",
		"filter: {application: {a: b}}":                            "filter is a key of Beyla that Sonde does not have: use routes.ignored_patterns, or drop series with metric_relabel_configs of Prometheus",
		"network: {enable: true}":                                  "network.enable is a key of Beyla that Sonde does not have: there are no metrics of network flows; remove it",
		"ebpf: {context_propagation: all}":                         "ebpf.context_propagation is a key of Beyla that Sonde does not have: Sonde writes nothing into requests; let the services pass traceparent on, and remove it",
		"ebpf: 1":                                                  "ebpf must be a mapping, such as keys with values",
		"discovery: {services: [{k8s_namespace: a}]}":              "discovery.services[0].k8s_namespace is a key of Beyla that Sonde does not have: there are no Kubernetes selectors; select by executable or port",
		"discovery: {exclude_services: [{containers_only: true}]}": "discovery.exclude_services[0].containers_only is a key of Beyla that Sonde does not have: there is no such selector; select by executable or port",
		"routes: {wildcard_char: '#'}":                             "routes.wildcard_char is a key of Beyla that Sonde does not have: the heuristic always writes *",
		"routes: {ignore_mode: traces, ignored_patterns: [/a]}":    "routes.ignore_mode is a key of Beyla that Sonde does not have: what is ignored is neither measured nor traced",
	} {
		_, err := Parse("sonde.yml", []byte(file))
		if err == nil || err.Error() != start+want {
			t.Errorf("%s:\ngot  %v\nwant %s", file, err, start+want)
		}
	}
}

func TestPathsInTheFileAreRelativeToIt(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "password", "p")
	name := put(t, dir, "sonde.yml", "otel_traces_export: {endpoint: https://a, basic_auth: {username: u, password_file: ./password}}")
	c, err := load(t, "--config.file="+name)
	if err != nil || c.Traces.BasicAuth.Password != "p" {
		t.Errorf("got %+v and %v", c, err)
	}
	_, err = load(t, "--otel-traces-export.endpoint=https://a", "--otel-traces-export.basic-auth.username=u",
		"--otel-traces-export.basic-auth.password-file="+filepath.Base("password"))
	want := "flag --otel-traces-export.basic-auth.password-file: file password cannot be read: no such file; check its name"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
