package main

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"

	"sonde_exporter/test/harness"
)

// counters are the values in a scrape that may only grow, by name and labels.
type counters map[string]float64

// countersOf picks counters and histograms whose service keep accepts. What has
// no service is about the exporter itself, and kept.
func countersOf(snap harness.Snapshot, keep func(service string) bool) counters {
	c := counters{}
	for name, family := range snap {
		for _, m := range family.GetMetric() {
			labels, service := labelsOf(m)
			if service != "" && !keep(service) {
				continue
			}
			switch family.GetType() {
			case dto.MetricType_COUNTER:
				c[name+labels] = m.GetCounter().GetValue()
			case dto.MetricType_HISTOGRAM:
				c.addHistogram(name, labels, m.GetHistogram())
			}
		}
	}
	return c
}

func (c counters) addHistogram(name, labels string, h *dto.Histogram) {
	c[name+"_count"+labels] = float64(h.GetSampleCount())
	c[name+"_sum"+labels] = h.GetSampleSum()
	for _, b := range h.GetBucket() {
		// Only the text format has the last bucket, which is the count again.
		if !math.IsInf(b.GetUpperBound(), 1) {
			c[fmt.Sprintf("%s_bucket%s<=%g", name, labels, b.GetUpperBound())] = float64(b.GetCumulativeCount())
		}
	}
}

func labelsOf(m *dto.Metric) (text, service string) {
	pairs := make([]string, 0, len(m.GetLabel()))
	for _, pair := range m.GetLabel() {
		pairs = append(pairs, fmt.Sprintf("%s=%q", pair.GetName(), pair.GetValue()))
		if pair.GetName() == "service_name" {
			service = pair.GetValue()
		}
	}
	slices.Sort(pairs)
	return "{" + strings.Join(pairs, ",") + "}", service
}

// fallen names every counter that is lower in now than it was, and every one
// that is gone.
func (c counters) fallen(now counters) []string {
	var all []string
	for key, before := range c {
		after, there := now[key]
		switch {
		case !there:
			all = append(all, fmt.Sprintf("%s was %g and is gone", key, before))
		case after < before:
			all = append(all, fmt.Sprintf("%s fell from %g to %g", key, before, after))
		}
	}
	slices.Sort(all)
	return all
}

// keep holds on to the last value of what is not in now.
func (c counters) keep(now counters) counters {
	kept := maps.Clone(c)
	maps.Copy(kept, now)
	return kept
}
