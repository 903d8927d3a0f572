package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"sonde_exporter/metric"
	"sonde_exporter/series"
)

func updateHTTPServer(s *scrape, ch chan<- prometheus.Metric) error {
	return sendDurations(s, ch, metric.HTTPServer())
}

func updateHTTPClient(s *scrape, ch chan<- prometheus.Metric) error {
	return sendDurations(s, ch, metric.HTTPClient())
}

func sendDurations(s *scrape, ch chan<- prometheus.Metric, definition metric.Definition) error {
	fold, err := s.fold()
	if err != nil {
		return err
	}
	names, exemplars := definition.LabelNames(), s.exemplars()
	desc := prometheus.NewDesc(definition.PrometheusName(), definition.Description, names, nil)
	for labels, histogram := range definition.Series(fold) {
		pairs := series.MakeLabels(names, definition.LabelValues(labels))
		ch <- series.NewMetricWithExemplars(desc, pairs, s.Table, histogram, s.Started, exemplars[labels])
	}
	return nil
}
