package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"sonde_exporter/config"
)

func TestPlaceOfMetrics(t *testing.T) {
	file := config.Prometheus{Port: 9400, Path: "/beyla"}
	for _, c := range []struct {
		name          string
		args          []string
		environment   map[string]string
		file          config.Prometheus
		address, path string
		said          []string // in the log, a line each
	}{
		{"nothing in the file", nil, nil, config.Prometheus{}, ":19100", "/metrics", nil},
		{"the file", nil, nil, file, ":9400", "/beyla", []string{"listening on port 9400"}},
		{"only a path", nil, nil, config.Prometheus{Path: "/beyla"}, ":19100", "/beyla", nil},
		{
			"flags outrank the file", []string{"--web.listen-address=:1", "--web.telemetry-path=/m"}, nil, file, ":1", "/m",
			[]string{"prometheus_export.port of the configuration file has no effect", "prometheus_export.path of the configuration file has no effect"},
		},
		{
			"so do flags that say the default", []string{"--web.listen-address=:19100", "--web.telemetry-path=/metrics"}, nil, file, ":19100", "/metrics",
			[]string{"prometheus_export.port of the configuration file has no effect", "prometheus_export.path of the configuration file has no effect"},
		},
		{
			"so do variables", nil, map[string]string{"SONDE_WEB_LISTEN_ADDRESS": ":2", "SONDE_WEB_TELEMETRY_PATH": "/v"}, file, ":2", "/v",
			[]string{"prometheus_export.port of the configuration file has no effect", "prometheus_export.path of the configuration file has no effect"},
		},
		{
			"so do the sockets of systemd", []string{"--web.systemd-socket"}, nil, file, ":19100", "/beyla",
			[]string{"prometheus_export.port of the configuration file has no effect"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for name, value := range c.environment {
				t.Setenv(name, value)
			}
			o := parse(t, c.args...)
			o.usePlace(c.file)
			if got := strings.Join(*o.web.WebListenAddresses, " "); got != c.address || o.telemetryPath != c.path {
				t.Errorf("metrics are at %s%s, want %s%s", got, o.telemetryPath, c.address, c.path)
			}
			var log bytes.Buffer
			o.tellPlace(c.file, slog.New(slog.NewTextHandler(&log, nil)))
			if got := strings.Count(log.String(), "\n"); got != len(c.said) {
				t.Errorf("the log has %d lines, want %d:\n%s", got, len(c.said), &log)
			}
			for _, words := range c.said {
				if !strings.Contains(log.String(), words) {
					t.Errorf("the log does not say %q:\n%s", words, &log)
				}
			}
		})
	}
}
