package config

import "testing"

func TestPlaceOfMetricsInTheFile(t *testing.T) {
	for file, want := range map[string]Prometheus{
		"{port: 9400}":                         {Port: 9400},
		"{port: '9400', path: /beyla}":         {Port: 9400, Path: "/beyla"},
		"{port: 0}":                            {},
		"{port: , path: }":                     {},
		"{path: /metrics, ttl: 5m}":            {Path: "/metrics"},
		"{features: [application]}":            {},
		"{instrumentations: ['*']}":            {},
		"{port: 65535, service_cache_size: 1}": {Port: 65535},
	} {
		if got := parsed(t, "prometheus_export: "+file).Prometheus; got != want {
			t.Errorf("%s: got %+v, want %+v", file, got, want)
		}
	}
	const start = "config file sonde.yml, line 1: prometheus_export"
	for file, want := range map[string]string{
		"{port: 65536}":   ".port is 65536, which does not exist; ports are 1 to 65535",
		"{port: -1}":      ".port is -1, which does not exist; ports are 1 to 65535",
		"{port: http}":    `.port: "http" is not a whole number; write one such as 10000`,
		"{path: metrics}": `.path must begin with a slash; write "/metrics"`,
		"{port: [1]}":     ".port must be a single value",
	} {
		if _, err := Parse("sonde.yml", []byte("prometheus_export: "+file)); err == nil || err.Error() != start+want {
			t.Errorf("%s:\ngot  %v\nwant %s", file, err, start+want)
		}
	}
}
