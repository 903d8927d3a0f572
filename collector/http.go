package collector

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"sonde_exporter/series"
)

// The labels of https://opentelemetry.io/docs/specs/semconv/http/http-metrics/
// in Prometheus form, and the service.
var (
	httpServerLabels = []string{
		"service_name", "service_namespace", "server_port", "http_request_method", "http_route",
		"http_response_status_code", "url_scheme", "network_protocol_version", "error_type",
	}
	httpClientLabels = append([]string{"server_address"}, httpServerLabels...)
)

func updateHTTPServer(s *scrape, ch chan<- prometheus.Metric) error {
	desc := prometheus.NewDesc("http_server_request_duration_seconds",
		"Duration of HTTP server requests, from the first byte of the request to the last byte of the response.",
		httpServerLabels, nil)
	return sendHTTP(s, ch, desc, series.Server)
}

func updateHTTPClient(s *scrape, ch chan<- prometheus.Metric) error {
	desc := prometheus.NewDesc("http_client_request_duration_seconds",
		"Duration of HTTP client requests, from the first byte of the request to the last byte of the response.",
		httpClientLabels, nil)
	return sendHTTP(s, ch, desc, series.Client)
}

func sendHTTP(s *scrape, ch chan<- prometheus.Metric, desc *prometheus.Desc, role series.Role) error {
	fold, err := s.fold()
	if err != nil {
		return err
	}
	for labels, histogram := range fold {
		// Overflow series exist before anything is in them.
		if labels.Role != role || histogram.Count() == 0 {
			continue
		}
		names, values := httpServerLabels, httpValues(labels)
		if role == series.Client {
			names, values = httpClientLabels, append([]string{labels.ServerAddress}, values...)
		}
		ch <- series.NewMetric(desc, series.MakeLabels(names, values), s.Table, histogram, s.Started)
	}
	return nil
}

// httpValues are the values of httpServerLabels. What is not known is empty,
// which Prometheus takes for absent.
func httpValues(l series.Labels) []string {
	return []string{
		l.ServiceName, l.ServiceNamespace, number(l.ServerPort), l.Method, l.Route,
		number(l.Status), l.Scheme, l.ProtocolVersion, l.ErrorType,
	}
}

func number(n uint16) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(int(n))
}
