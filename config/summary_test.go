package config

import (
	"slices"
	"testing"

	"github.com/alecthomas/kingpin/v2"
)

func TestSummary(t *testing.T) {
	rules := func(services, exclude int) Discovery {
		return Discovery{Services: make([]Rule, services), Exclude: make([]Rule, exclude)}
	}
	for want, d := range map[string]Discovery{
		"every process that listens is a service":                       rules(0, 0),
		"every process that listens is a service, 2 rules exclude some": rules(0, 2),
		"1 rule selects services":                                       rules(1, 0),
		"3 rules select services, 1 rule excludes some":                 rules(3, 1),
	} {
		if got := d.Summary(); got != want {
			t.Errorf("%d and %d rules: %q, want %q", len(d.Services), len(d.Exclude), got, want)
		}
	}
}

// TestOverrides: what is set besides the file is named, and no value is.
func TestOverrides(t *testing.T) {
	t.Setenv("SONDE_SERIES_LIMIT", "5")
	t.Setenv("SONDE_SERVICE_NAME", "shop")
	t.Setenv("SONDE_OTEL_TRACES_EXPORT_BASIC_AUTH_PASSWORD", "secret")
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "a=secret")
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	t.Setenv("OTEL_SERVICE_NAME", "not-about-exports")
	app := kingpin.New("test", "")
	flags := RegisterFlags(app)
	if _, err := app.Parse([]string{"--config.file=a.yml", "--discovery.open-port=80", "--otel-traces-export.endpoint=http://a"}); err != nil {
		t.Fatal(err)
	}
	if flags.File() != "a.yml" {
		t.Errorf("the file is %q, want a.yml", flags.File())
	}
	want := []string{
		"--discovery.open-port", "--otel-traces-export.endpoint", "OTEL_EXPORTER_OTLP_HEADERS", "SONDE_OTEL_TRACES_EXPORT_BASIC_AUTH_PASSWORD",
		"SONDE_SERIES_LIMIT", "SONDE_SERVICE_NAME",
	}
	got := flags.Overrides()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("set besides the file are %q, want %q", got, want)
	}
}
