package config

import (
	"reflect"
	"testing"
	"time"
)

// TestEveryExportFlagSetsItsKey sets every key once by flags, where there is
// one, and once by variables.
func TestEveryExportFlagSetsItsKey(t *testing.T) {
	files := newCertificate(t)
	password, headers := put(t, files.dir, "password", "p"), put(t, files.dir, "headers", "a: b")
	settings := map[string]string{
		"endpoint": "https://a", "protocol": "grpc", "headers_file": headers,
		"basic_auth.username": "u", "basic_auth.password_file": password,
		"tls.ca_file": files.cert, "tls.cert_file": files.cert, "tls.key_file": files.key,
		"tls.server_name": "n", "tls.insecure_skip_verify": "true", "compression": "none", "timeout": "3s",

		"sampler.name": "traceidratio", "sampler.arg": "0.5", "keep_errors": "true", "keep_slower_than": "1s",
		"queue_size": "20", "batch_size": "10", "batch_timeout": "2s",
		"query": "true", "scrub_query": "a, b", "request_headers": "C,d",

		"interval": "7s", "histogram": "exponential",

		"otlp.cloud_zone": "z", "otlp.cloud_submit": "traces", "otlp.cloud_instance_id": "1", "otlp.cloud_api_key_file": password,
	}
	target := Target{
		Endpoint: "https://a:443", Protocol: ProtocolGRPC, Headers: Headers{"a": "b"}, BasicAuth: BasicAuth{"u", "p"},
		TLS:         ClientTLS{files.cert, files.cert, files.key, "n", true},
		Compression: CompressionNone, Timeout: 3 * time.Second,
	}
	want := Default()
	want.Traces = Traces{
		Target: target, Sampler: SamplerRatio, Ratio: 0.5, KeepErrors: true, KeepSlowerThan: time.Second,
		QueueSize: 20, BatchSize: 10, BatchTimeout: 2 * time.Second,
		Query: true, ScrubQuery: []string{"a", "b"}, RequestHeaders: []string{"c", "d"},
	}
	want.MetricsExport = MetricsExport{Target: target, Interval: 7 * time.Second, Histogram: HistogramExponential}

	var args []string
	env := map[string]string{}
	for _, flag := range exportFlags() {
		value, ok := settings[flag.key]
		switch {
		case flag.isSecret:
			continue
		case !ok:
			t.Errorf("%s is not tested", flag.key)
		case flag.isSwitch:
			args = append(args, "--"+flag.name())
		default:
			args = append(args, "--"+flag.name()+"="+value)
		}
		env[EnvName(flag.name())] = value
	}
	t.Run("command line", func(t *testing.T) { checkLoad(t, want, args...) })
	t.Run("environment", func(t *testing.T) {
		for name, value := range env {
			t.Setenv(name, value)
		}
		checkLoad(t, want)
	})
}

// TestEveryExportKeyHasAFlag finds keys that only the file can set.
func TestEveryExportKeyHasAFlag(t *testing.T) {
	d := newDraft()
	flags := map[string]bool{}
	for _, flag := range exportFlags() {
		flags[flag.section+"."+flag.key] = true
	}
	for _, section := range []string{"otel_traces_export", "otel_metrics_export", "grafana"} {
		for _, key := range d.settingsOf(section) {
			isSpelling := key.name == "insecure_skip_verify"
			if name := section + "." + key.name; !flags[name] && !isSpelling {
				t.Errorf("%s has no flag", name)
			}
		}
	}
}

func TestSwitchesCanBeTurnedOff(t *testing.T) {
	file := "--config.file=" + write(t, "otel_traces_export: {keep_errors: true}")
	for _, test := range []struct {
		args []string
		want bool
	}{
		{[]string{file}, true},
		{[]string{file, "--no-otel-traces-export.keep-errors"}, false},
		{[]string{"--otel-traces-export.keep-errors"}, true},
	} {
		c, err := load(t, test.args...)
		if err != nil || c.Traces.KeepErrors != test.want {
			t.Errorf("%s: got %+v and %v", test.args, c, err)
		}
	}
}

func TestSecretsComeFromVariables(t *testing.T) {
	t.Setenv("SONDE_OTEL_TRACES_EXPORT_HEADERS", "a=b,c=d%20e")
	t.Setenv("SONDE_OTEL_TRACES_EXPORT_BASIC_AUTH_PASSWORD", "p")
	c, err := load(t, "--otel-traces-export.endpoint=https://a", "--otel-traces-export.basic-auth.username=u")
	if err != nil {
		t.Fatal(err)
	}
	if want := (Headers{"a": "b", "c": "d e"}); !reflect.DeepEqual(c.Traces.Headers, want) || c.Traces.BasicAuth.Password != "p" {
		t.Errorf("got headers %#v, password %q", map[string]string(c.Traces.Headers), c.Traces.BasicAuth.Password)
	}
}

func TestTwoFormsOfOneSecretAreAnError(t *testing.T) {
	t.Setenv("SONDE_OTEL_TRACES_EXPORT_BASIC_AUTH_PASSWORD", "s3cret")
	_, err := load(t, "--otel-traces-export.basic-auth.username=u", "--otel-traces-export.basic-auth.password-file=f")
	want := "flag --otel-traces-export.basic-auth.password-file and environment variable " +
		"SONDE_OTEL_TRACES_EXPORT_BASIC_AUTH_PASSWORD are both set; remove one of the two"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestEmptyVariablesAreNotSet(t *testing.T) {
	for _, flag := range exportFlags() {
		t.Setenv(EnvName(flag.name()), "")
		if flag.shortEnv != "" {
			t.Setenv(flag.shortEnv, "")
		}
	}
	checkLoad(t, Default())
}

func TestExportFlagErrors(t *testing.T) {
	for arg, want := range map[string]string{
		"--otel-traces-export.sampler.arg=.2": `flag --otel-traces-export.sampler.arg has no meaning for the sampler "parentbased_always_on"; remove it or write parentbased_traceidratio`,
		"--otel-traces-export.queue-size=x":   `flag --otel-traces-export.queue-size: "x" is not a whole number; write one such as 10000`,
		"--otel-metrics-export.interval=0s":   "flag --otel-metrics-export.interval must be at least 1s, not 0s",
		"--otel-metrics-export.endpoint=a":    "flag --otel-metrics-export.endpoint is not a URL with a scheme; write one such as http://localhost:4318",
	} {
		if _, err := load(t, arg); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", arg, err, want)
		}
	}
}

func TestSamplerAloneCanBeReplaced(t *testing.T) {
	file := "--config.file=" + write(t, "otel_traces_export: {sampler: {name: traceidratio, arg: 0.1}}")
	c, err := load(t, file, "--otel-traces-export.sampler.name=always_on")
	if err != nil || c.Traces.Sampler != SamplerAlwaysOn || c.Traces.Ratio != 1 {
		t.Errorf("got %+v and %v", c, err)
	}
}
