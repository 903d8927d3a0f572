package config

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

const fileWithSecrets = `
otel_traces_export:
  endpoint: https://a
  headers: {X-Token: s3cret, Accept: s3cret}
otel_metrics_export:
  endpoint: https://a
  basic_auth: {username: me, password: s3cret}
`

func TestPrintedConfigurationShowsNoSecret(t *testing.T) {
	text, err := parsed(t, fileWithSecrets).YAML()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"  headers:\n    Accept: <secret>\n    X-Token: <secret>\n",
		"  basic_auth:\n    password: <secret>\n    username: me\n",
	} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("there is no\n%s\nin\n%s", want, text)
		}
	}
	if bytes.Contains(text, []byte("s3cret")) {
		t.Errorf("a secret is shown:\n%s", text)
	}
	if _, err := Parse("printed.yml", text); err == nil {
		t.Error("a printed configuration is taken for the one with the secrets")
	}
}

func TestSecretsShowInNoFormat(t *testing.T) {
	c := parsed(t, fileWithSecrets)
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("started", "traces", c.Traces, "config", c, "headers", c.Traces.Headers)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		fmt.Fprintf(&log, format+"\n", c.Traces)
		fmt.Fprintf(&log, format+"\n", *c)
		fmt.Fprintf(&log, format+"\n", c.MetricsExport.BasicAuth)
		fmt.Fprintf(&log, format+"\n", c.Traces.Headers)
	}
	if strings.Contains(log.String(), "s3cret") {
		t.Errorf("a secret is shown:\n%s", &log)
	}
	if !strings.Contains(log.String(), `"me" with password <secret>`) {
		t.Errorf("the user is not shown:\n%s", &log)
	}
}

func TestVariablesOfASecretMustAgree(t *testing.T) {
	t.Setenv("GRAFANA_CLOUD_API_KEY", "s3cret")
	t.Setenv("SONDE_GRAFANA_OTLP_CLOUD_API_KEY", "s3cret2")
	t.Setenv("GRAFANA_CLOUD_INSTANCE_ID", "1")
	t.Setenv("GRAFANA_CLOUD_ZONE", "eu")
	_, err := load(t)
	want := "environment variable GRAFANA_CLOUD_API_KEY and SONDE_GRAFANA_OTLP_CLOUD_API_KEY are both set but differ; unset one of the two"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestSecretsAreNoFlags(t *testing.T) {
	for _, flag := range exportFlags() {
		name := flag.name()
		holdsSecret := strings.HasSuffix(name, "password") || strings.HasSuffix(name, "headers") && !strings.Contains(name, "request") || strings.HasSuffix(name, "key")
		if holdsSecret != flag.isSecret {
			t.Errorf("--%s: is secret: %v, want %v", name, flag.isSecret, holdsSecret)
		}
	}
}
