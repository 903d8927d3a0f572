package collector

import (
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"sonde_exporter/metric"
	"sonde_exporter/probe"
)

func tapInfo() metric.Family {
	tap := metric.Label{Name: "tap", Meaning: "What is seen there."}
	meanings := probe.TapMeanings()
	for _, name := range slices.Sorted(maps.Keys(meanings)) {
		tap.Values = append(tap.Values, metric.Value{Text: name, Meaning: meanings[name]})
	}
	return metric.Gauge("sonde_tap_info", "A hook of the kernel that is in use: 1.",
		tap, metric.Label{Name: "hook", Meaning: "The kernel's name of the hook, such as `cgroup_skb/ingress`."})
}

func updateTap(s *scrape, ch chan<- prometheus.Metric) error {
	info := tapInfo().Sender(ch)
	for _, tap := range s.Probe.Taps() {
		info(1, tap.Name, tap.Hook)
	}
	return nil
}
