package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"sonde_exporter/tlslib"
)

func updateTLS(s *scrape, ch chan<- prometheus.Metric) error {
	sendTLSFiles(s, ch)
	sendTLSFailures(s, ch)
	sendHiddenTLS(s, ch)
	return nil
}

func sendTLSFiles(s *scrape, ch chan<- prometheus.Metric) {
	desc := prometheus.NewDesc(namespace+"_tls_attached_files",
		"Files whose TLS functions have uprobes: only those of services that speak TLS.", []string{"library"}, nil)
	counts := map[tlslib.Library]int{tlslib.OpenSSL: 0, tlslib.GnuTLS: 0, tlslib.Go: 0}
	for _, file := range s.TLS.Files() {
		counts[file.Library]++
	}
	for library, count := range counts {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(count), library.String())
	}
}

func sendTLSFailures(s *scrape, ch chan<- prometheus.Metric) {
	desc := prometheus.NewDesc(namespace+"_tls_attach_failures_total",
		"Attempts to attach to a TLS library that failed; the log names file and remedy.", []string{"library", "reason"}, nil)
	for _, failure := range s.TLS.Failures() {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(failure.Count), failure.Library.String(), failure.Reason)
	}
}

// sendHiddenTLS tells of each service what of its TLS cannot be seen.
func sendHiddenTLS(s *scrape, ch chan<- prometheus.Metric) {
	desc := prometheus.NewDesc(namespace+"_tls_hidden_info",
		"TLS of a service that cannot be seen from the inside, and why: 1.",
		[]string{"service_name", "service_namespace", "library", "reason"}, nil)
	for service, instances := range byService(s.Registry) {
		told := map[tlslib.Hidden]bool{}
		for _, instance := range instances {
			for _, hidden := range s.TLS.Hidden(instance.ID) {
				if !told[hidden] {
					ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, 1,
						service.Name, service.Namespace, hidden.Library, hidden.Reason)
				}
				told[hidden] = true
			}
		}
	}
}
