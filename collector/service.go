package collector

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"sonde_exporter/discovery"
	"sonde_exporter/discovery/inspect"
)

// byService groups the selected instances by their service.
func byService(registry *discovery.Registry) map[discovery.Service][]discovery.Instance {
	services := map[discovery.Service][]discovery.Instance{}
	for _, instance := range registry.Instances() {
		if instance.Selected {
			services[instance.Service()] = append(services[instance.Service()], instance)
		}
	}
	return services
}

func updateService(s *scrape, ch chan<- prometheus.Metric) error {
	info := prometheus.NewDesc(namespace+"_service_info",
		"A service that is measured: 1, with what is known of it. Where its instances differ, values are joined by commas.",
		[]string{"service_name", "service_namespace", "named_by", "executable", "language", "server_ports", "container_id", "systemd_unit"}, nil)
	for service, instances := range byService(s.Registry) {
		join := func(value func(discovery.Instance) string) string {
			distinct := map[string]bool{}
			for _, instance := range instances {
				distinct[value(instance)] = true
			}
			delete(distinct, "")
			return inspect.Sanitize(strings.Join(slices.Sorted(maps.Keys(distinct)), ","))
		}
		ch <- prometheus.MustNewConstMetric(info, prometheus.GaugeValue, 1,
			service.Name, service.Namespace,
			join(func(i discovery.Instance) string { return i.Identity.Source }),
			join(func(i discovery.Instance) string { return i.Process.Executable }),
			join(func(i discovery.Instance) string { return i.Process.Language }),
			portsOf(instances),
			join(func(i discovery.Instance) string { return i.Process.ContainerID }),
			join(func(i discovery.Instance) string { return i.Process.SystemdUnit }))
	}
	return nil
}

// portsOf lists the ports of all instances, ascending.
func portsOf(instances []discovery.Instance) string {
	var ports []uint16
	for _, instance := range instances {
		ports = append(ports, instance.Ports...)
	}
	slices.Sort(ports)
	var texts []string
	for _, port := range slices.Compact(ports) {
		texts = append(texts, strconv.Itoa(int(port)))
	}
	return inspect.Sanitize(strings.Join(texts, ","))
}

func updateConnection(s *scrape, ch chan<- prometheus.Metric) error {
	total := prometheus.NewDesc(namespace+"_connections_total",
		"Connections by what they speak, inside TLS where tls is true; protocol=\"tls\" if that cannot be seen. Requests are measured where visible is true.",
		[]string{"service_name", "service_namespace", "role", "protocol", "tls", "visible"}, nil)
	all, err := s.Connections()
	if err != nil {
		return err
	}
	for service, counts := range all {
		for _, c := range counts {
			ch <- prometheus.MustNewConstMetric(total, prometheus.CounterValue, float64(c.Count),
				service.Name, service.Namespace, c.Role, c.Protocol, strconv.FormatBool(c.TLS), strconv.FormatBool(c.Visible))
		}
	}
	return nil
}
