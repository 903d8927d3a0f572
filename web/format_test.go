package web

import (
	"strings"
	"testing"

	"sonde_exporter/status"
)

func TestFormats(t *testing.T) {
	nbsp := func(text string) string { return strings.ReplaceAll(text, " ", noBreak) }
	for _, c := range []struct{ got, want string }{
		{formatRate(0), "0"}, {formatRate(0.001), "<0.01"}, {formatRate(0.01), "0.01"}, {formatRate(9.994), "9.99"},
		{formatRate(9.999), "10.0"}, {formatRate(99.96), "100"}, {formatRate(1234.5), "1,235"}, {formatRate(1e6), "1,000,000"},
		{formatPercent(0), nbsp("0 %")}, {formatPercent(0.00001), nbsp("<0.01 %")}, {formatPercent(0.005), nbsp("0.50 %")},
		{formatPercent(0.12345), nbsp("12.3 %")}, {formatPercent(1), nbsp("100 %")},
		{formatSeconds(500e-9), nbsp("0.50 µs")}, {formatSeconds(12.34e-6), nbsp("12.3 µs")}, {formatSeconds(999e-6), nbsp("999 µs")},
		{formatSeconds(999.9e-6), nbsp("1.00 ms")}, {formatSeconds(0.9999), nbsp("1.00 s")}, {formatSeconds(64), nbsp("64.0 s")},
		{formatMegabytes(43_210_000), nbsp("43.2 MB")},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestProcesses(t *testing.T) {
	nginx := status.Instance{PID: 8, Processes: 3, Executable: "/usr/sbin/nginx"}
	next, gone, unread := nginx, nginx, status.Instance{PID: 9, Processes: 1}
	next.PID, next.Processes, gone.PID, gone.Gone = 20, 1, 30, true
	for want, instances := range map[string][]status.Instance{
		"":                                  nil,
		"/usr/sbin/nginx, pid 8 and 2 more": {nginx},
		"pid 9":                             {unread},
		"/usr/sbin/nginx, pid 8 and 2 more; pid 20; pid 30 (ended)":         {nginx, next, gone},
		"/usr/sbin/nginx, pid 20; pid 20; pid 20; pid 20; 2 more instances": {next, next, next, next, next, next},
	} {
		if got := processes(instances); got != want {
			t.Errorf("%+v are %q, want %q", instances, got, want)
		}
	}
}
