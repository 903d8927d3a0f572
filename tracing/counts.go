package tracing

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"sonde_exporter/otlp"
)

// dropReason is an index into dropReasons.
type dropReason int

const (
	droppedQueueFull dropReason = iota
	droppedShutdown
	droppedUnknownService
	droppedIgnoredRoute
	dropReasonCount
)

func (r dropReason) String() string {
	return [dropReasonCount]string{
		droppedQueueFull:      "queue_full",
		droppedShutdown:       "shutdown",
		droppedUnknownService: "unknown_service",
		droppedIgnoredRoute:   "ignored_route",
	}[r]
}

// counts are the accounts of spans. The zero value is ready for use.
type counts struct {
	sampled, exported atomic.Uint64
	dropped           [dropReasonCount]atomic.Uint64
	unauthorized      atomic.Uint64
	unavailable       atomic.Uint64
	timeout           atomic.Uint64
	refused           atomic.Uint64
	rejected          atomic.Uint64
	other             atomic.Uint64
}

func (c *counts) drop(reason dropReason, spans uint64) { c.dropped[reason].Add(spans) }

func (c *counts) fail(kind otlp.Kind, spans uint64) { c.failed(kind).Add(spans) }

func (c *counts) failed(kind otlp.Kind) *atomic.Uint64 {
	switch kind {
	case otlp.Unauthorized:
		return &c.unauthorized
	case otlp.Unavailable:
		return &c.unavailable
	case otlp.Timeout:
		return &c.timeout
	case otlp.Refused:
		return &c.refused
	case otlp.Rejected:
		return &c.rejected
	default:
		return &c.other
	}
}

// Describe implements prometheus.Collector.
func (t *Tracer) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(t, ch) }

// Collect implements prometheus.Collector. The sum of exported, dropped and
// failed never exceeds sampled; spans that are on their way are the difference.
func (t *Tracer) Collect(ch chan<- prometheus.Metric) {
	counter := func(name, help string, value uint64, reason ...string) {
		var labels []string
		if len(reason) > 0 {
			labels = []string{"reason"}
		}
		desc := prometheus.NewDesc("sonde_spans_"+name, help, labels, nil)
		ch <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(value), reason...)
	}
	counter("exported_total", "Spans of requests that the receiver has accepted.", t.counts.exported.Load())
	const droppedHelp = "Spans of requests that were not sent, by reason."
	lost := uint64(0)
	if t.options.Lost != nil {
		for reason, count := range t.options.Lost() {
			counter("dropped_total", droppedHelp, count, reason)
			lost += count
		}
	}
	for reason := range dropReasonCount {
		counter("dropped_total", droppedHelp, t.counts.dropped[reason].Load(), reason.String())
	}
	for _, kind := range otlp.Kinds() {
		counter("failed_total", "Spans of requests that were sent and not accepted, by reason.",
			t.counts.failed(kind).Load(), string(kind))
	}
	// Read last: a span is counted here before it is counted elsewhere.
	counter("sampled_total", "Requests that were chosen to become a span.", t.counts.sampled.Load()+lost)
	queued := prometheus.NewDesc("sonde_spans_queued", "Spans of requests that wait to be put into a batch.", nil, nil)
	ch <- prometheus.MustNewConstMetric(queued, prometheus.GaugeValue, float64(len(t.queue)))
}
