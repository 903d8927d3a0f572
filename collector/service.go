package collector

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"sonde_exporter/bpf"
	"sonde_exporter/discovery"
	"sonde_exporter/discovery/inspect"
)

var protocolNames = [...]string{
	bpf.SondeProtocolPROTOCOL_HTTP1:    "http1",
	bpf.SondeProtocolPROTOCOL_HTTP2:    "http2",
	bpf.SondeProtocolPROTOCOL_TLS:      "tls",
	bpf.SondeProtocolPROTOCOL_UPGRADED: "upgraded",
	bpf.SondeProtocolPROTOCOL_UNKNOWN:  "unknown",
}

var roleNames = [...]string{bpf.SondeRoleROLE_SERVER: "server", bpf.SondeRoleROLE_CLIENT: "client"}

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
	s.Archive.moving.RLock()
	defer s.Archive.moving.RUnlock()
	archived := s.Archive.Connections()
	for service, instances := range byService(s.Registry) {
		counts := archived[service]
		for _, instance := range instances {
			kernel, err := s.Probe.Service(instance.ID)
			if err != nil {
				return err
			}
			counts = sumCounts(counts, kernel.Connections)
		}
		for role, transports := range counts {
			for transport, protocols := range transports {
				for protocol, count := range protocols {
					if count > 0 {
						ch <- prometheus.MustNewConstMetric(total, prometheus.CounterValue, float64(count),
							service.Name, service.Namespace, roleNames[role], protocolNames[protocol],
							strconv.FormatBool(transport == int(bpf.SondeTransportTRANSPORT_TLS)),
							strconv.FormatBool(protocol == int(bpf.SondeProtocolPROTOCOL_HTTP1)))
					}
				}
			}
		}
	}
	return nil
}
