package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"sonde_exporter/metric"
)

func seriesCount() metric.Family {
	return metric.Gauge("sonde_series", "Series in the kernel, overflow series aside.")
}

func seriesLimit() metric.Family {
	return metric.Gauge("sonde_series_limit",
		"The most that sonde_series may be: series.limit, but after a reload no more than Sonde started with.")
}

func seriesOverflow() metric.Family {
	return metric.Counter("sonde_series_overflow_total",
		"Observations that a limit sent to the overflow series of their service (http_route=\"_other\").")
}

func updateSeries(s *scrape, ch chan<- prometheus.Metric) error {
	overflowed, err := s.Overflow()
	if err != nil {
		return err
	}
	limit, err := s.Probe.SeriesLimit()
	if err != nil {
		return err
	}
	seriesCount().Sender(ch)(float64(s.Probe.SeriesCount()))
	seriesLimit().Sender(ch)(float64(limit))
	seriesOverflow().Sender(ch)(float64(overflowed))
	return nil
}

// Overflow is how many observations a limit sent to overflow series, in the
// kernel and on this side.
func (s Sources) Overflow() (uint64, error) {
	inKernel, err := s.Probe.Overflow()
	return inKernel + s.Ledger.Overflow(), err
}
