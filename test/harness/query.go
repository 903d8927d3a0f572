package harness

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
)

// The two families of request histograms.
const (
	// Server holds requests that a service of this host has answered.
	Server = "http_server_request_duration_seconds"
	// Client holds calls that a service of this host has made.
	Client = "http_client_request_duration_seconds"
)

// Present matches any label value but the empty one.
const Present = "\x00present"

// Labels are label values to match. A label that is not named matches anything;
// an empty value matches a label that is empty or not there.
type Labels map[string]string

// With is a copy of l with more labels.
func (l Labels) With(more Labels) Labels {
	merged := maps.Clone(l)
	maps.Copy(merged, more)
	return merged
}

func (l Labels) match(m *dto.Metric) bool {
	have := Labels{}
	for _, pair := range m.GetLabel() {
		have[pair.GetName()] = pair.GetValue()
	}
	for name, want := range l {
		if want == Present && have[name] == "" || want != Present && have[name] != want {
			return false
		}
	}
	return true
}

// Series are the metrics of one family whose labels match.
func (s Snapshot) Series(name string, match Labels) []*dto.Metric {
	var found []*dto.Metric
	for _, m := range s[name].GetMetric() {
		if match.match(m) {
			found = append(found, m)
		}
	}
	return found
}

// Count adds up the observations of the histograms that match.
func (s Snapshot) Count(name string, match Labels) uint64 {
	var sum uint64
	for _, m := range s.Series(name, match) {
		sum += m.GetHistogram().GetSampleCount()
	}
	return sum
}

// Sum adds up the sums, in seconds, of the histograms that match.
func (s Snapshot) Sum(name string, match Labels) float64 {
	var sum float64
	for _, m := range s.Series(name, match) {
		sum += m.GetHistogram().GetSampleSum()
	}
	return sum
}

// Value adds up the counters and gauges that match.
func (s Snapshot) Value(name string, match Labels) float64 {
	var sum float64
	for _, m := range s.Series(name, match) {
		sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetUntyped().GetValue()
	}
	return sum
}

// Values are the distinct values of one label among the metrics that match.
func (s Snapshot) Values(name, label string, match Labels) []string {
	var values []string
	for _, m := range s.Series(name, match) {
		values = append(values, labelValue(m, label))
	}
	slices.Sort(values)
	return slices.Compact(values)
}

func labelValue(m *dto.Metric, name string) string {
	for _, pair := range m.GetLabel() {
		if pair.GetName() == name {
			return pair.GetValue()
		}
	}
	return ""
}

// described is how many metrics a failed test prints at most.
const described = 20

// Describe prints the metrics that match, one a line, for a failed test.
func (s Snapshot) Describe(name string, match Labels) string {
	var b strings.Builder
	found := s.Series(name, match)
	for n, m := range found {
		if n == described {
			fmt.Fprintf(&b, "  and %d more\n", len(found)-n)
			break
		}
		b.WriteString("  " + name + "{")
		for i, pair := range m.GetLabel() {
			if i > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "%s=%q", pair.GetName(), pair.GetValue())
		}
		fmt.Fprintf(&b, "} count=%d sum=%.6f\n", m.GetHistogram().GetSampleCount(), m.GetHistogram().GetSampleSum())
	}
	if b.Len() == 0 {
		return fmt.Sprintf("  no series of %s with %v\n", name, match)
	}
	return b.String()
}
