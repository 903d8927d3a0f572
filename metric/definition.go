// Package metric defines the metrics of services, once for both ways out: the
// scrape and OTLP. A definition has the names of the OpenTelemetry conventions;
// those of Prometheus follow from them by rule.
//
// Every metric here is a histogram of durations, because that is what a series
// of the kernel is.
package metric

import (
	"iter"
	"strconv"
	"strings"

	"sonde_exporter/series"
)

// Unit is a unit in the notation of UCUM, as OpenTelemetry writes it.
type Unit string

// Seconds is the unit of durations.
const Seconds Unit = "s"

// suffix is what the unit adds to a name in Prometheus.
func (u Unit) suffix() string {
	if u == Seconds {
		return "_seconds"
	}
	return ""
}

// Definition is one metric.
type Definition struct {
	Name        string // as in the OpenTelemetry conventions
	Unit        Unit
	Description string
	Role        series.Role // of the services that have this metric
	Attributes  []Attribute
}

// All returns the definitions of all metrics.
func All() []Definition { return []Definition{HTTPServer(), HTTPClient()} }

// PrometheusName is the name in Prometheus, as
// https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
// derives it: dots become underscores, and the unit is spelled out at the end.
func (d Definition) PrometheusName() string {
	return prometheusName(d.Name) + d.Unit.suffix()
}

// LabelNames are the names of the labels in Prometheus.
func (d Definition) LabelNames() []string {
	names := make([]string, len(d.Attributes))
	for i, attribute := range d.Attributes {
		names[i] = attribute.Label().Name
	}
	return names
}

// LabelValues are the values that belong to LabelNames. What is not known is
// empty, which Prometheus takes for absent.
func (d Definition) LabelValues(labels series.Labels) []string {
	values := make([]string, len(d.Attributes))
	for i, attribute := range d.Attributes {
		values[i] = attribute.Text(labels)
	}
	return values
}

// Series yields the series of this metric that have counted something.
func (d Definition) Series(fold series.Fold) iter.Seq2[series.Labels, *series.Histogram] {
	return func(yield func(series.Labels, *series.Histogram) bool) {
		for labels, histogram := range fold {
			// Overflow series exist before anything is in them.
			if labels.Role != d.Role || histogram.Count() == 0 {
				continue
			}
			if !yield(labels, histogram) {
				return
			}
		}
	}
}

// Attribute is one dimension: its name, and what it is for a series.
type Attribute struct {
	Name    string // as in the OpenTelemetry conventions
	Meaning string
	Values  []Value // all that there are; none if they cannot be told beforehand

	// Resource is set if the attribute tells services apart: in OTLP it belongs
	// to the resource, and in Prometheus, which has none, to every series.
	Resource bool

	// Either text or number is set; "" and 0 mean that the value is not known.
	text   func(series.Labels) string
	number func(series.Labels) uint16
}

// Label is the attribute in Prometheus.
func (a Attribute) Label() Label { return Label{prometheusName(a.Name), a.Meaning, a.Values} }

// Text returns the value as text, and "" if it is not known.
func (a Attribute) Text(labels series.Labels) string {
	if a.text != nil {
		return a.text(labels)
	}
	if number, _ := a.Number(labels); number != 0 {
		return strconv.FormatInt(number, 10)
	}
	return ""
}

// Number returns the value of an attribute that the conventions define as an
// integer; isNumber is false for one that is text.
func (a Attribute) Number(labels series.Labels) (value int64, isNumber bool) {
	if a.number == nil {
		return 0, false
	}
	return int64(a.number(labels)), true
}

func prometheusName(name string) string { return strings.ReplaceAll(name, ".", "_") }
