package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// tracingRatios are the shares of requests that become spans; "" sets no endpoint.
var tracingRatios = [...]struct{ subject, ratio string }{
	{"traces off", ""},
	{"traces at 0 %", "0"},
	{"traces at 1 %", "0.01"},
	{"traces at 100 %", "1"},
}

// measureTracing measures what spans cost, at several ratios. The ratios of rows are
// to the same without traces.
func measureTracing(s *stage, p plan, rec *record) {
	nginx := servers.StartNginx(s, servers.NginxOptions{})
	sink := startSink(s)
	for range p.rounds {
		for _, t := range tracingRatios {
			config := only(nginx.Port)
			if t.ratio != "" {
				config += fmt.Sprintf("otel_traces_export:\n  endpoint: http://%s\n  protocol: http/protobuf\n  sampler: {name: traceidratio, arg: %q}\n",
					sink, t.ratio)
			}
			e := launch(s, p.programs.Exporter, harness.Options{Config: config})
			measureSpans(s, p, rec, t.subject, e, nginx.URL("/hello"))
			s.must(e.Stop())
		}
		p.progress("traces")
	}
}

// measureSpans is one round of one ratio.
func measureSpans(s *stage, p plan, rec *record, subject string, e *harness.Exporter, url string) {
	runWrk(s, url, 1, false) // the operation is learned
	before := costOf(e.Scrape(s))
	time.Sleep(settle)
	used, err := cpuTimes([]int{e.PID})
	s.must(err)
	sent := runWrk(s, url, p.seconds, false)
	time.Sleep(settle) // the last batch
	after, err := cpuTimes([]int{e.PID})
	s.must(err)
	snap := e.Scrape(s)
	_, seconds := costOf(snap).since(before).total()
	file := func(measure, unit string, value float64) {
		q := quantity{part: partTracing, subject: subject, measure: measure, unit: unit}
		rec.add(q, with, value)
		if subject != tracingRatios[0].subject && unit != "%" {
			rec.relate(q, quantity{part: partTracing, subject: tracingRatios[0].subject, measure: measure, unit: unit})
		}
	}
	file("throughput", "requests/s", sent.throughput)
	file("kernel time", "µs/request", 1e6*seconds/sent.requests)
	file("CPU of Sonde", "µs/request", microseconds(after-used)/sent.requests)
	if sampled := snap.Value("sonde_spans_sampled_total", nil); sampled > 0 {
		file("spans exported", "%", 100*snap.Value("sonde_spans_exported_total", nil)/sampled)
	}
}

// startSink takes all that is sent to it, at no cost worth mentioning.
func startSink(s *stage) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	s.must(err)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	})}
	go func() { _ = server.Serve(listener) }()
	s.Cleanup(func() { _ = server.Close() })
	return listener.Addr().String()
}
