package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"sonde_exporter/probe"
)

func updateProgram(s *scrape, ch chan<- prometheus.Metric) error {
	runs := prometheus.NewDesc(namespace+"_bpf_program_runs_total",
		"How often a BPF program ran.", []string{"program", "type"}, nil)
	seconds := prometheus.NewDesc(namespace+"_bpf_program_run_seconds_total",
		"How long a BPF program ran in all.", []string{"program", "type"}, nil)
	programs, err := s.Probe.Programs()
	if err != nil {
		return err
	}
	for _, p := range programs {
		ch <- prometheus.MustNewConstMetric(runs, prometheus.CounterValue, float64(p.Runs), p.Name, p.Type)
		ch <- prometheus.MustNewConstMetric(seconds, prometheus.CounterValue, p.Time.Seconds(), p.Name, p.Type)
	}
	return nil
}

func updateMap(s *scrape, ch chan<- prometheus.Metric) error {
	entries := prometheus.NewDesc(namespace+"_bpf_map_entries",
		"Entries of a BPF map.", []string{"map"}, nil)
	capacity := prometheus.NewDesc(namespace+"_bpf_map_max_entries",
		"Entries for which a BPF map has room.", []string{"map"}, nil)
	maps, err := s.Probe.Maps()
	if err != nil {
		return err
	}
	for _, m := range maps {
		ch <- prometheus.MustNewConstMetric(entries, prometheus.GaugeValue, float64(m.Entries), m.Name)
		ch <- prometheus.MustNewConstMetric(capacity, prometheus.GaugeValue, float64(m.Capacity), m.Name)
	}
	return nil
}

func updateLoss(s *scrape, ch chan<- prometheus.Metric) error {
	observations := prometheus.NewDesc(namespace+"_lost_observations_total",
		"Requests that could not be observed, by reason.", []string{"reason"}, nil)
	events := prometheus.NewDesc(namespace+"_lost_events_total",
		"Listeners and processes that could not be followed, by reason.", []string{"reason"}, nil)
	unsolicited := prometheus.NewDesc(namespace+"_unsolicited_responses_total",
		"Responses that answered no request, such as a 408 on an idle connection.", nil, nil)
	losses, err := s.Probe.Losses()
	if err != nil {
		return err
	}
	for _, loss := range losses {
		desc := observations
		switch loss.Of {
		case probe.LostEvent:
			desc = events
		case probe.LostSpan: // told by those who export spans
			continue
		}
		ch <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(loss.Count), loss.Reason)
	}
	count, err := s.Probe.Unsolicited()
	if err != nil {
		return err
	}
	ch <- prometheus.MustNewConstMetric(unsolicited, prometheus.CounterValue, float64(count))
	return nil
}

func updateSeries(s *scrape, ch chan<- prometheus.Metric) error {
	count := prometheus.NewDesc(namespace+"_series",
		"Series in the kernel, overflow series aside.", nil, nil)
	overflow := prometheus.NewDesc(namespace+"_series_overflow_total",
		"Observations that a limit sent to the overflow series of their service (http_route=\"_other\").", nil, nil)
	overflowed, err := s.Overflow()
	if err != nil {
		return err
	}
	ch <- prometheus.MustNewConstMetric(count, prometheus.GaugeValue, float64(s.Probe.SeriesCount()))
	ch <- prometheus.MustNewConstMetric(overflow, prometheus.CounterValue, float64(overflowed))
	return nil
}

// Overflow is how many observations a limit sent to overflow series, in the
// kernel and on this side.
func (s Sources) Overflow() (uint64, error) {
	inKernel, err := s.Probe.Overflow()
	return inKernel + s.Ledger.Overflow(), err
}

func updateTap(s *scrape, ch chan<- prometheus.Metric) error {
	info := prometheus.NewDesc(namespace+"_tap_info",
		"A hook of the kernel that is in use: 1.", []string{"tap", "hook"}, nil)
	for _, tap := range s.Probe.Taps() {
		ch <- prometheus.MustNewConstMetric(info, prometheus.GaugeValue, 1, tap.Name, tap.Hook)
	}
	return nil
}
