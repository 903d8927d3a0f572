package metric

import "github.com/prometheus/client_golang/prometheus"

// Family is a metric about Sonde itself: how a scrape sends it, and what
// docs/metrics.md says of it.
type Family struct {
	Name, Help string
	Type       prometheus.ValueType
	Labels     []Label
}

// Label is one dimension of a metric.
type Label struct {
	Name, Meaning string
	Values        []Value // all that there are; none if they cannot be told beforehand
}

// Value is one value of a label. The meaning is empty where the text says all.
type Value struct{ Text, Meaning string }

// Counter returns a family of counters.
func Counter(name, help string, labels ...Label) Family {
	return Family{name, help, prometheus.CounterValue, labels}
}

// Gauge returns a family of gauges.
func Gauge(name, help string, labels ...Label) Family {
	return Family{name, help, prometheus.GaugeValue, labels}
}

// Texts are values whose text says all.
func Texts(texts ...string) []Value {
	values := make([]Value, len(texts))
	for i, text := range texts {
		values[i].Text = text
	}
	return values
}

// LabelNames are the names of the labels, in the order in which their values are given.
func (f Family) LabelNames() []string {
	names := make([]string, len(f.Labels))
	for i, label := range f.Labels {
		names[i] = label.Name
	}
	return names
}

// Sender returns a function that sends one sample, with the values of its labels.
func (f Family) Sender(ch chan<- prometheus.Metric) func(value float64, labels ...string) {
	desc := prometheus.NewDesc(f.Name, f.Help, f.LabelNames(), nil)
	return func(value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, f.Type, value, labels...)
	}
}

// ServiceLabels tell which service a metric is about.
func ServiceLabels() []Label {
	labels := make([]Label, 0, 2)
	for _, attribute := range serviceAttributes() {
		labels = append(labels, attribute.Label())
	}
	return labels
}
