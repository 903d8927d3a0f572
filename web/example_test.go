package web

import (
	"context"
	"time"

	"sonde_exporter/status"
)

// markup is what a service may be called that means harm.
const markup = `"><script>alert(1)</script><img src=x onerror=alert(2)>`

func pointer(value float64) *float64 { return &value }

// exampleStatus has something of everything. Its services are ordered by name.
func exampleStatus() *status.Status {
	const window = 252
	busy := &status.Requests{
		Total: 1_234_567, ErrorsTotal: 12, WindowSeconds: window, InWindow: 50_000, ErrorsInWindow: 250, PerSecond: 1234.5,
		ErrorRatio: pointer(0.005), P50: pointer(0.0012), P95: pointer(0.0205), P99: pointer(1.5),
	}
	slow := &status.Requests{Total: 10, WindowSeconds: window, InWindow: 10, PerSecond: 0.04, ErrorRatio: pointer(0), P50: pointer(2), P95: pointer(3), P99: pointer(4)}
	young := *slow
	young.WindowSeconds = 20
	failing := &status.Requests{Total: 5, ErrorsTotal: 5, WindowSeconds: window, InWindow: 5, ErrorsInWindow: 5, PerSecond: 0.02,
		ErrorRatio: pointer(1), P50: pointer(90e-6), P95: pointer(95e-6), P99: pointer(99e-6)}
	http1 := status.Protocol{Name: "http1", Measured: true, Connections: 7}
	http2 := status.Protocol{Name: "http2", TLS: true, Connections: 3}
	service := func(name string, server, client *status.Requests) status.Service {
		return status.Service{
			Name: name, NamedBy: []string{"executable"}, NameReason: "named after its executable", Server: server, Client: client,
			Instances:   []status.Instance{{PID: 812, Processes: 3, Executable: "/usr/bin/" + name}},
			Ports:       []status.Port{{Port: 8443, Protocols: []status.Protocol{http1, http2}}},
			Connections: []status.Connections{{Role: "server", Protocol: http1}}, NotMeasured: []status.Gap{},
		}
	}
	hostile := service(markup, failing, nil)
	hostile.Namespace, hostile.Instances[0].Executable, hostile.NameReason = markup, markup, markup
	hostile.NotMeasured = []status.Gap{
		{Role: "server", Protocol: "tls", TLS: true, Connections: 1, Reasons: []string{"TLS by rustls: no functions", markup}},
		{Role: "client", Protocol: "http2", TLS: true, Connections: 12_000, Reasons: []string{"HTTP/2 is recognised"}},
	}
	unused := &status.Requests{WindowSeconds: window}
	idle := service("idle", unused, unused)
	idle.Connections = nil
	unseen := service("vault", &status.Requests{WindowSeconds: 20}, nil)
	unseen.NotMeasured = []status.Gap{{Protocol: "tls", TLS: true, Reasons: []string{"TLS by NSS: no probes"}}}
	return &status.Status{
		Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Sonde: status.Sonde{
			Version: "1.2.3-test", Revision: "abc1234", Host: "web-1", Kernel: "6.12.1", Architecture: "amd64", Ready: true, UptimeSeconds: 11530,
		},
		Config:   status.Configuration{File: "/etc/sonde/sonde.yml", LastReloadSuccessful: true, ServiceRules: 2, ExcludeRules: 1},
		Window:   status.Window{Seconds: window, Since: status.SinceSample},
		Services: []status.Service{hostile, service("caller", nil, &young), idle, service("shop", busy, slow), unseen},
		Excluded: []status.Excluded{{Name: "sshd", PID: 7, Executable: "/usr/sbin/sshd", Ports: []uint16{22, 2222}, Reason: "excluded by rule 1 of discovery.exclude"}},
		Taps:     []status.Tap{{Name: "wire", Shows: "bytes", Hooks: []string{"cgroup_skb/egress"}}, {Name: "tls", Shows: "plaintext", Hooks: []string{}, Reason: "not attached"}},
		TLSFiles: []status.TLSFile{{Path: "/usr/lib/libssl.so.3", Library: "openssl", Version: "3", Processes: 4}},
		Collectors: []status.Collector{
			{Name: "http_server", Shows: "requests", On: true}, {Name: "map", Shows: "fill of maps", Reason: "switched off by a flag"},
		},
		Exports: []status.Export{
			{Signal: "traces", On: true, Endpoint: "https://tempo:4318", Protocol: "http/protobuf"},
			{Signal: "metrics", Reason: "otel_metrics_export has no endpoint"},
		},
		Cost: status.Cost{
			Process: status.Process{CPURatio: 0.0021, ResidentBytes: 43_210_000},
			Kernel: status.Kernel{CPURatio: 0.00123, Programs: []status.Program{
				{Name: "wire_egress", Type: "CGroupSKB", RunsPerSecond: 1200, NanosecondsPerRun: pointer(345.6), CPURatio: 0.0004}, {Name: "tls_end"},
			}},
			Losses: []status.Loss{{Reason: "segment_gap", Of: "observation", Meaning: "bytes out of order", Count: 2}, {Reason: "malformed", Of: "observation", Meaning: "never"}},
			Maps:   []status.Map{{Name: "series", Entries: 16, MaxEntries: 26_384}},
			Series: status.Series{Count: 16, Limit: 10_000, LimitPerService: 1000, Overflow: 1},
		},
	}
}

// readExample is a Status option that always reads the same.
func readExample() func(context.Context) (*status.Status, error) {
	example := exampleStatus()
	return func(context.Context) (*status.Status, error) { return example, nil }
}
