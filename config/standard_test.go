package config

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestStandardVariables(t *testing.T) {
	files := newCertificate(t)
	for name, value := range map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT":                              "https://collector:4318/base/",
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT":                       "https://tempo:4318/exact",
		"OTEL_EXPORTER_OTLP_HEADERS":                               "a=b%20c, d = e=f ,",
		"OTEL_EXPORTER_OTLP_METRICS_HEADERS":                       "x=y",
		"OTEL_EXPORTER_OTLP_TIMEOUT":                               "3000",
		"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT":                        "2000",
		"OTEL_EXPORTER_OTLP_COMPRESSION":                           "none",
		"OTEL_EXPORTER_OTLP_METRICS_COMPRESSION":                   "gzip",
		"OTEL_EXPORTER_OTLP_CERTIFICATE":                           files.cert,
		"OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE":             files.cert,
		"OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY":                     files.key,
		"OTEL_TRACES_SAMPLER":                                      "parentbased_traceidratio",
		"OTEL_TRACES_SAMPLER_ARG":                                  "0.5",
		"OTEL_METRIC_EXPORT_INTERVAL":                              "5000",
		"OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION": "base2_exponential_bucket_histogram",
		"OTEL_RESOURCE_ATTRIBUTES":                                 "deployment.environment.name=prod,team=a%2Cb",
	} {
		t.Setenv(name, value)
	}
	want := Default()
	want.Traces.Target = Target{
		Endpoint: "https://tempo:4318/exact", Protocol: ProtocolHTTP, Compression: CompressionNone, Timeout: 2 * time.Second,
		Headers: Headers{"a": "b c", "d": "e=f"},
		TLS:     ClientTLS{CAFile: files.cert, CertFile: files.cert, KeyFile: files.key},
	}
	want.Traces.Sampler, want.Traces.Ratio = SamplerParentOrRatio, 0.5
	want.MetricsExport = MetricsExport{
		Target: Target{
			Endpoint: "https://collector:4318/base/v1/metrics", Protocol: ProtocolHTTP, Compression: CompressionGzip, Timeout: 3 * time.Second,
			Headers: Headers{"x": "y"}, TLS: ClientTLS{CAFile: files.cert},
		},
		Interval: 5 * time.Second, Histogram: HistogramExponential,
	}
	want.Resource = map[string]string{"deployment.environment.name": "prod", "team": "a,b"}
	checkLoad(t, want)
}

// TestStandardEndpoints shows what becomes of the endpoints of traces.
func TestStandardEndpoints(t *testing.T) {
	for _, test := range []struct {
		name                    string
		env                     map[string]string
		want, protocol, metrics string
		isInsecure              bool
	}{
		{name: "none", protocol: ProtocolHTTP},
		{name: "empty", env: map[string]string{"ENDPOINT": " "}, protocol: ProtocolHTTP},
		{"for all", map[string]string{"ENDPOINT": "http://a:4318"}, "http://a:4318/v1/traces", ProtocolHTTP, "http://a:4318/v1/metrics", true},
		{"for all, with a path", map[string]string{"ENDPOINT": "https://a/v1/traces"}, "https://a/v1/traces/v1/traces", ProtocolHTTP, "https://a/v1/traces/v1/metrics", false},
		{"for all, by gRPC", map[string]string{"ENDPOINT": "http://a:4317"}, "http://a:4317", ProtocolGRPC, "http://a:4317", true},
		{"for one", map[string]string{"TRACES_ENDPOINT": "http://a:4318/b"}, "http://a:4318/b", ProtocolHTTP, "", true},
		{"for one, without a path", map[string]string{"TRACES_ENDPOINT": "http://a:4318"}, "http://a:4318/", ProtocolHTTP, "", true},
		{"without a scheme", map[string]string{"TRACES_ENDPOINT": "a:4317"}, "https://a:4317", ProtocolGRPC, "", false},
		{"without a scheme, insecure", map[string]string{"TRACES_ENDPOINT": "a:4317", "INSECURE": "true"}, "http://a:4317", ProtocolGRPC, "", true},
		{"the scheme outranks insecure", map[string]string{"TRACES_ENDPOINT": "https://a:4317", "TRACES_INSECURE": "true"}, "https://a:4317", ProtocolGRPC, "", false},
		{"the protocol outranks the port", map[string]string{"TRACES_ENDPOINT": "https://a:4318", "PROTOCOL": "grpc"}, "https://a:4318", ProtocolGRPC, "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			for name, value := range test.env {
				t.Setenv("OTEL_EXPORTER_OTLP_"+name, value)
			}
			c, err := load(t)
			if err != nil {
				t.Fatal(err)
			}
			got := c.Traces
			if got.Endpoint != test.want || got.Protocol != test.protocol || got.Insecure != test.isInsecure {
				t.Errorf("got %s by %s, insecure %v", got.Endpoint, got.Protocol, got.Insecure)
			}
			if c.MetricsExport.Endpoint != test.metrics {
				t.Errorf("got %s for metrics, want %s", c.MetricsExport.Endpoint, test.metrics)
			}
		})
	}
}

// TestExportPrecedence adds one source after the other, each of which outranks
// those before it.
func TestExportPrecedence(t *testing.T) {
	timeout := func(want string, args ...string) {
		t.Helper()
		c, err := load(t, args...)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Traces.Timeout.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	const endpoint = "--otel-traces-export.endpoint=http://localhost:4318"
	timeout("10s", endpoint)
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1000")
	timeout("1s", endpoint)
	t.Setenv("SONDE_CONFIG_FILE", write(t, "otel_traces_export: {timeout: 2s}"))
	timeout("2s", endpoint)
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "3000")
	timeout("3s", endpoint)
	t.Setenv("SONDE_OTEL_TRACES_EXPORT_TIMEOUT", "4s")
	timeout("4s", endpoint)
	timeout("5s", endpoint, "--otel-traces-export.timeout=5s")
}

func TestEndpointPrecedence(t *testing.T) {
	endpoint := func(want string, args ...string) {
		t.Helper()
		c, err := load(t, args...)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Traces.Endpoint; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	t.Setenv("GRAFANA_CLOUD_ZONE", "eu")
	t.Setenv("GRAFANA_CLOUD_INSTANCE_ID", "1")
	t.Setenv("GRAFANA_CLOUD_API_KEY", "k")
	endpoint("https://otlp-gateway-eu.grafana.net/otlp/v1/traces")
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:4318")
	endpoint("http://all:4318/v1/traces")
	t.Setenv("SONDE_CONFIG_FILE", write(t, "otel_traces_export: {endpoint: 'http://file:4318'}"))
	endpoint("http://file:4318/v1/traces")
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://one:4318/exact")
	endpoint("http://one:4318/exact")
	t.Setenv("SONDE_OTEL_TRACES_EXPORT_ENDPOINT", "http://own:4318")
	endpoint("http://own:4318/v1/traces")
	endpoint("http://flag:4317", "--otel-traces-export.endpoint=http://flag:4317")
}

func TestExporterNoneStopsTheCommonEndpoint(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:4318")
	t.Setenv("OTEL_METRICS_EXPORTER", "none")
	c, err := load(t)
	if err != nil || c.Traces.Endpoint == "" || c.MetricsExport.Endpoint != "" {
		t.Errorf("got %+v and %v, want traces only", c, err)
	}
}

func TestStandardVariablesOfOthersAreLeftAlone(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
	t.Setenv("OTEL_TRACES_SAMPLER", "xray")
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "x")
	checkLoad(t, Default())
}

func TestVariableReplacesTheOtherFormOfTheFile(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "password", "of the file")
	put(t, dir, "sonde.yml", "otel_traces_export: {endpoint: 'http://localhost:4318', headers_file: nowhere, "+
		"basic_auth: {username: a, password_file: password}}")
	t.Setenv("SONDE_OTEL_TRACES_EXPORT_BASIC_AUTH_PASSWORD", "of the variable")
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a=b")
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "c=d")
	c, err := load(t, "--config.file="+filepath.Join(dir, "sonde.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Traces.BasicAuth.Password != "of the variable" || !reflect.DeepEqual(c.Traces.Headers, Headers{"a": "b"}) {
		t.Errorf("got password %q and headers of %s", c.Traces.BasicAuth.Password, c.Traces.Headers)
	}
}

func TestResourceOfTheFileOutranksTheVariable(t *testing.T) {
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "a=variable,b=variable")
	c, err := load(t, "--otel-traces-export.endpoint=http://localhost:4318", "--config.file="+write(t, "resource: {a: file}"))
	if want := map[string]string{"a": "file", "b": "variable"}; err != nil || !reflect.DeepEqual(c.Resource, want) {
		t.Errorf("got %+v and %v, want %v", c, err, want)
	}
}

func TestCommonVariablesDoNotDisturbPlainHTTP(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere")
	c, err := load(t, "--otel-traces-export.endpoint=http://localhost:4318")
	if err != nil || c.Traces.TLS != (ClientTLS{}) {
		t.Errorf("got %+v and %v", c, err)
	}
}

func TestStandardVariableErrors(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://a:4318/v1/traces")
	for _, test := range []struct{ name, value, want string }{
		{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "ftp://a", ` has the scheme "ftp"; write http or https`},
		{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://u:s3cret@a", " has a user name or a password within the URL; write them in basic_auth"},
		{"OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", ` must be grpc or http/protobuf, not "http/json"`},
		{"OTEL_EXPORTER_OTLP_TIMEOUT", "10s", `: "10s" is not a number of milliseconds; write one such as 10000`},
		{"OTEL_EXPORTER_OTLP_TIMEOUT", "99999999999999999999", `: "99999999999999999999" is not a number of milliseconds; write one such as 10000`},
		{"OTEL_EXPORTER_OTLP_HEADERS", "s3cret", ": an item has no =; write name=value,name=value, and %2C for a comma within a value"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "a=s3cret%2", `: the value of "a" has a % that no two hexadecimal digits follow; write %25`},
		{"OTEL_EXPORTER_OTLP_HEADERS", "a=s3cret%0A", `: the value of header "a" contains a line end or a zero byte; remove it`},
		{"OTEL_EXPORTER_OTLP_INSECURE", "no", `: "no" is neither true nor false`},
		{"OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere", ": file /nowhere cannot be read: no such file; check its name"},
		{"OTEL_EXPORTER_OTLP_CLIENT_KEY", "/nowhere", " is set without cert_file; set both"},
		{"OTEL_TRACES_SAMPLER", "xray", ` must be always_on, always_off, traceidratio, or one of these after parentbased_, not "xray"`},
		{"OTEL_RESOURCE_ATTRIBUTES", "a", ": an item has no =; write name=value,name=value, and %2C for a comma within a value"},
	} {
		t.Run(test.name+" "+test.value, func(t *testing.T) {
			t.Setenv(test.name, test.value)
			_, err := load(t)
			if want := "environment variable " + test.name + test.want; err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Error("the error shows a secret")
			}
		})
	}
}
