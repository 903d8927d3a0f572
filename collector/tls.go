package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"sonde_exporter/metric"
	"sonde_exporter/tlslib"
	"sonde_exporter/tlstap"
)

func tlsFiles() metric.Family {
	return metric.Gauge("sonde_tls_attached_files",
		"Files whose TLS functions have uprobes: only those of services that speak TLS.", libraryLabel())
}

func tlsFailures() metric.Family {
	reason := metric.Label{Name: "reason", Meaning: "Why; below is what to do about each."}
	for _, cause := range tlstap.Causes() {
		reason.Values = append(reason.Values, metric.Value{Text: cause.Reason, Meaning: cause.Remedy})
	}
	return metric.Counter("sonde_tls_attach_failures_total",
		"Attempts to attach to a TLS library that failed; the log names file and remedy.", libraryLabel(), reason)
}

func tlsHidden() metric.Family {
	return metric.Gauge("sonde_tls_hidden_info", "TLS of a service that cannot be seen from the inside, and why: 1.",
		append(metric.ServiceLabels(),
			metric.Label{Name: "library", Meaning: "The library, as its makers write it, or `unknown`."},
			metric.Label{Name: "reason", Meaning: "Why, in words, and what would help if anything does."})...)
}

func libraryLabel() metric.Label {
	label := metric.Label{Name: "library", Meaning: "The family of TLS libraries."}
	for _, library := range tlslib.Libraries() {
		label.Values = append(label.Values, metric.Value{Text: library.String()})
	}
	return label
}

func updateTLS(s *scrape, ch chan<- prometheus.Metric) error {
	sendTLSFiles(s, ch)
	sendTLSFailures(s, ch)
	sendHiddenTLS(s, ch)
	return nil
}

func sendTLSFiles(s *scrape, ch chan<- prometheus.Metric) {
	counts := map[tlslib.Library]int{}
	for _, file := range s.TLS.Files() {
		counts[file.Library]++
	}
	send := tlsFiles().Sender(ch)
	for _, library := range tlslib.Libraries() {
		send(float64(counts[library]), library.String())
	}
}

func sendTLSFailures(s *scrape, ch chan<- prometheus.Metric) {
	type kind struct {
		library tlslib.Library
		reason  string
	}
	counts := map[kind]uint64{}
	for _, failure := range s.TLS.Failures() {
		counts[kind{failure.Library, failure.Reason}] = failure.Count
	}
	send := tlsFailures().Sender(ch)
	for _, library := range tlslib.Libraries() {
		for _, cause := range tlstap.Causes() {
			send(float64(counts[kind{library, cause.Reason}]), library.String(), cause.Reason)
		}
	}
}

// sendHiddenTLS tells of each service what of its TLS cannot be seen.
func sendHiddenTLS(s *scrape, ch chan<- prometheus.Metric) {
	send := tlsHidden().Sender(ch)
	for service, instances := range byService(s.Registry) {
		told := map[tlslib.Hidden]bool{}
		for _, instance := range instances {
			for _, hidden := range s.TLS.Hidden(instance.ID) {
				if !told[hidden] {
					send(1, service.Name, service.Namespace, hidden.Library, hidden.Reason)
				}
				told[hidden] = true
			}
		}
	}
}
