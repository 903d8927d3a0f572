package config

import (
	"strings"
	"testing"
)

func TestGrafanaCloud(t *testing.T) {
	const gateway = "https://otlp-gateway-prod-eu-west-0.grafana.net/otlp/v1/"
	const account = "cloud_zone: prod-eu-west-0, cloud_instance_id: 123456, cloud_api_key: k"
	auth := BasicAuth{Username: "123456", Password: "k"}
	for _, test := range []struct {
		name, file      string
		traces, metrics Target
	}{
		{
			"traces by default", "grafana: {otlp: {" + account + "}}",
			Target{Endpoint: gateway + "traces", BasicAuth: auth}, Target{},
		},
		{
			"both", "grafana: {otlp: {" + account + ", cloud_submit: [metrics, traces]}}",
			Target{Endpoint: gateway + "traces", BasicAuth: auth}, Target{Endpoint: gateway + "metrics", BasicAuth: auth},
		},
		{
			"metrics, as one text", "grafana: {otlp: {" + account + ", cloud_submit: Metrics}}",
			Target{}, Target{Endpoint: gateway + "metrics", BasicAuth: auth},
		},
		{"none", "grafana: {otlp: {" + account + ", cloud_submit: []}}", Target{}, Target{}},
		{
			"another endpoint with the credentials", "grafana: {otlp: {" + account + "}}\notel_traces_export: {endpoint: 'https://a'}",
			Target{Endpoint: "https://a/v1/traces", BasicAuth: auth}, Target{},
		},
		{
			"credentials never travel in clear text", "grafana: {otlp: {" + account + "}}\notel_traces_export: {endpoint: 'http://a:4318'}",
			Target{Endpoint: "http://a:4318/v1/traces", Insecure: true}, Target{},
		},
		{
			"own credentials", "grafana: {otlp: {" + account + "}}\notel_traces_export: {basic_auth: {username: a, password: b}}",
			Target{Endpoint: gateway + "traces", BasicAuth: BasicAuth{Username: "a", Password: "b"}}, Target{},
		},
		{"a wish alone sends nothing", "grafana: {otlp: {cloud_submit: [traces, metrics]}}", Target{}, Target{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := parsed(t, test.file)
			for _, pair := range []struct{ got, want Target }{{c.Traces.Target, test.traces}, {c.MetricsExport.Target, test.metrics}} {
				if pair.got.Endpoint != pair.want.Endpoint || pair.got.BasicAuth != pair.want.BasicAuth ||
					pair.got.Insecure != pair.want.Insecure || pair.got.Protocol != ProtocolHTTP {
					t.Errorf("got %+v, want %+v", pair.got, pair.want)
				}
			}
		})
	}
}

func TestGrafanaVariables(t *testing.T) {
	t.Setenv("GRAFANA_CLOUD_ZONE", "prod-us-0")
	t.Setenv("GRAFANA_CLOUD_INSTANCE_ID", "1")
	t.Setenv("GRAFANA_CLOUD_API_KEY", "k")
	t.Setenv("GRAFANA_CLOUD_SUBMIT", "traces, metrics")
	c, err := load(t, "--config.file="+write(t, "grafana: {otlp: {cloud_zone: of-the-file, cloud_api_key_file: nowhere}}"))
	if err != nil {
		t.Fatal(err)
	}
	const gateway = "https://otlp-gateway-prod-us-0.grafana.net/otlp/v1/"
	if c.Traces.Endpoint != gateway+"traces" || c.MetricsExport.Endpoint != gateway+"metrics" {
		t.Errorf("got %s and %s", c.Traces.Endpoint, c.MetricsExport.Endpoint)
	}
	if want := (BasicAuth{"1", "k"}); c.Traces.BasicAuth != want {
		t.Errorf("got %v, want %v", c.Traces.BasicAuth, want)
	}
}

func TestGrafanaKeyFile(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "key", "k\r\n")
	put(t, dir, "sonde.yml", "grafana: {otlp: {cloud_zone: eu, cloud_instance_id: '1', cloud_api_key_file: key}}")
	c, err := load(t, "--config.file="+dir+"/sonde.yml")
	if want := (BasicAuth{"1", "k"}); err != nil || c.Traces.BasicAuth != want {
		t.Errorf("got %+v and %v, want %v", c, err, want)
	}
}

func TestGrafanaErrors(t *testing.T) {
	for section, want := range map[string]string{
		"{cloud_zone: a}":                               "cloud_zone: the credentials are missing; set GRAFANA_CLOUD_INSTANCE_ID and GRAFANA_CLOUD_API_KEY",
		"{cloud_instance_id: 1}":                        "cloud_instance_id: the key is missing; set cloud_api_key_file or GRAFANA_CLOUD_API_KEY",
		"{cloud_api_key: s3cret}":                       "cloud_api_key: the instance is missing; set cloud_instance_id or GRAFANA_CLOUD_INSTANCE_ID",
		"{cloud_zone: a.evil/}":                         "cloud_zone is not a zone; write one such as prod-eu-west-0",
		"{cloud_submit: [logs]}":                        `cloud_submit must be traces, metrics or both, not "logs"`,
		"{cloud_api_key_file: /never}":                  "cloud_api_key_file: file /never cannot be read: no such file; check its name",
		"{cloud_instance_id: 1, cloud_api_key: s3cret}": "cloud_api_key: the zone is missing; set cloud_zone or GRAFANA_CLOUD_ZONE, or the endpoint of traces",
	} {
		_, err := Parse("sonde.yml", []byte("grafana: {otlp: "+section+"}"))
		if err == nil || !strings.HasPrefix(err.Error(), "config file sonde.yml, line 1: grafana.otlp."+want) {
			t.Errorf("%s: got %v, want %s", section, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the error shows a secret: %v", err)
		}
	}
}
