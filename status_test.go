package main

import (
	"strings"
	"testing"

	"sonde_exporter/config"
	"sonde_exporter/status"
)

// TestOrigin: an endpoint is shown without anything that may be secret.
func TestOrigin(t *testing.T) {
	for endpoint, want := range map[string]string{
		"http://localhost:4318":                              "http://localhost:4318",
		"https://tempo.example/otlp/s3cr3t/v1/traces":        "https://tempo.example",
		"https://user:s3cr3t@tempo.example:443/x?key=s3cr3t": "https://tempo.example:443",
		"http://[::1]:4317":                                  "http://[::1]:4317",
		"\x00s3cr3t":                                         "",
	} {
		if got := origin(endpoint); got != want {
			t.Errorf("%q is shown as %q, want %q", endpoint, got, want)
		}
	}
}

func TestDescribeExports(t *testing.T) {
	var x exports
	x.targets.traces = config.Target{Endpoint: "http://alloy:4317", Protocol: config.ProtocolGRPC}
	got := x.describe()
	want := []status.Export{
		{Signal: "traces", On: true, Endpoint: "http://alloy:4317", Protocol: "grpc"},
		{Signal: "metrics", Reason: "otel_metrics_export has no endpoint"},
	}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("the exports are %+v, want %+v", got, want)
	}
}

func TestDescribeCollectors(t *testing.T) {
	all := describeCollectors([]string{"http_server", "loss"})
	for i, c := range all {
		isOn := c.Name == "http_server" || c.Name == "loss"
		if c.On != isOn || isOn != (c.Reason == "") || c.Shows == "" {
			t.Errorf("%+v, want it on: %t", c, isOn)
		}
		if !isOn && !strings.Contains(c.Reason, "--collector."+c.Name) {
			t.Errorf("%s is off because %q, which does not name its flag", c.Name, c.Reason)
		}
		if i > 0 && all[i-1].Name >= c.Name {
			t.Errorf("%s comes after %s", c.Name, all[i-1].Name)
		}
	}
}
