package otlpmetrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"sonde_exporter/metric"
)

// counters tell how the exports went. It implements prometheus.Collector.
type counters struct {
	exports        *prometheus.CounterVec
	rejectedPoints prometheus.Counter
}

// Families are the metrics of an Exporter.
func Families() []metric.Family { return []metric.Family{exportsTotal(), rejectedPoints()} }

func exportsTotal() metric.Family {
	return metric.Counter("sonde_otlp_metrics_exports_total",
		"Exports of all metrics by OTLP, one an interval. What one does not deliver, the next one does.",
		metric.Label{Name: "result", Meaning: "How the export ended.", Values: metric.Texts("success", "failure")})
}

func rejectedPoints() metric.Family {
	return metric.Counter("sonde_otlp_metrics_rejected_data_points_total",
		"Data points that the OTLP endpoint rejected although it accepted the request.")
}

func newCounters() counters {
	exports, rejected := exportsTotal(), rejectedPoints()
	c := counters{
		exports:        prometheus.NewCounterVec(prometheus.CounterOpts{Name: exports.Name, Help: exports.Help}, exports.LabelNames()),
		rejectedPoints: prometheus.NewCounter(prometheus.CounterOpts{Name: rejected.Name, Help: rejected.Help}),
	}
	// An alert on their rate needs a first value.
	c.exports.WithLabelValues("success")
	c.exports.WithLabelValues("failure")
	return c
}

func (c counters) countExport(err error) {
	result := "success"
	if err != nil {
		result = "failure"
	}
	c.exports.WithLabelValues(result).Inc()
}

// Describe implements prometheus.Collector.
func (c counters) Describe(ch chan<- *prometheus.Desc) {
	c.exports.Describe(ch)
	c.rejectedPoints.Describe(ch)
}

// Collect implements prometheus.Collector.
func (c counters) Collect(ch chan<- prometheus.Metric) {
	c.exports.Collect(ch)
	c.rejectedPoints.Collect(ch)
}
