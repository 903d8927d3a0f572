package tracing

import (
	"github.com/prometheus/client_golang/prometheus"

	"sonde_exporter/metric"
	"sonde_exporter/otlp"
	"sonde_exporter/probe"
)

// Families are the metrics of a Tracer.
func Families() []metric.Family {
	return []metric.Family{spansSampled(), spansExported(), spansDropped(), spansFailed(), spansQueued()}
}

func spansSampled() metric.Family {
	return metric.Counter("sonde_spans_sampled_total", "Requests that were chosen to become a span.")
}

func spansExported() metric.Family {
	return metric.Counter("sonde_spans_exported_total", "Spans of requests that the receiver has accepted.")
}

func spansDropped() metric.Family {
	reason := metric.Label{Name: "reason", Meaning: "Why. Each is there from the start."}
	for _, loss := range probe.AllLosses() {
		if loss.Of == probe.LostSpan {
			reason.Values = append(reason.Values, metric.Value{Text: loss.Reason, Meaning: loss.Meaning})
		}
	}
	all := dropReasons()
	reason.Values = append(reason.Values, all[:]...)
	return metric.Counter("sonde_spans_dropped_total", "Spans of requests that were not sent, by reason.", reason)
}

func spansFailed() metric.Family {
	reason := metric.Label{Name: "reason", Meaning: "What the receiver or the network did. Each is there from the start."}
	for _, kind := range otlp.Kinds() {
		reason.Values = append(reason.Values, metric.Value{Text: string(kind), Meaning: kind.Meaning()})
	}
	return metric.Counter("sonde_spans_failed_total", "Spans of requests that were sent and not accepted, by reason.", reason)
}

func spansQueued() metric.Family {
	return metric.Gauge("sonde_spans_queued", "Spans of requests that wait to be put into a batch.")
}

// Describe implements prometheus.Collector.
func (t *Tracer) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(t, ch) }

// Collect implements prometheus.Collector. The sum of exported, dropped and
// failed never exceeds sampled; spans that are on their way are the difference.
func (t *Tracer) Collect(ch chan<- prometheus.Metric) {
	spansExported().Sender(ch)(float64(t.counts.exported.Load()))
	dropped, lost := spansDropped().Sender(ch), uint64(0)
	if t.options.Lost != nil {
		for reason, count := range t.options.Lost() {
			dropped(float64(count), reason)
			lost += count
		}
	}
	for reason, value := range dropReasons() {
		dropped(float64(t.counts.dropped[reason].Load()), value.Text)
	}
	failed := spansFailed().Sender(ch)
	for _, kind := range otlp.Kinds() {
		failed(float64(t.counts.failed(kind).Load()), string(kind))
	}
	// Read last: a span is counted here before it is counted elsewhere.
	spansSampled().Sender(ch)(float64(t.counts.sampled.Load() + lost))
	spansQueued().Sender(ch)(float64(len(t.queue)))
}
