package collector

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"sonde_exporter/discovery"
	"sonde_exporter/discovery/inspect"
	"sonde_exporter/metric"
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

func serviceInfo() metric.Family {
	return metric.Gauge("sonde_service_info",
		"A service that is measured: 1, with what is known of it. Where its instances differ, values are joined by commas.",
		append(metric.ServiceLabels(),
			metric.Label{Name: "named_by", Meaning: "Where the name comes from.", Values: metric.Texts(inspect.Sources()...)},
			metric.Label{Name: "executable", Meaning: "The path of the executable."},
			metric.Label{Name: "language", Meaning: "The language or runtime; empty if it is not known.", Values: metric.Texts(inspect.Languages()...)},
			metric.Label{Name: "server_ports", Meaning: "The ports that it listens on, with commas."},
			metric.Label{Name: "container_id", Meaning: "The id of the container; empty if there is none."},
			metric.Label{Name: "systemd_unit", Meaning: "The unit of systemd; empty if there is none."},
		)...)
}

func updateService(s *scrape, ch chan<- prometheus.Metric) error {
	info := serviceInfo().Sender(ch)
	for service, instances := range byService(s.Registry) {
		join := func(value func(discovery.Instance) string) string {
			distinct := map[string]bool{}
			for _, instance := range instances {
				distinct[value(instance)] = true
			}
			delete(distinct, "")
			return inspect.Sanitize(strings.Join(slices.Sorted(maps.Keys(distinct)), ","))
		}
		info(1, service.Name, service.Namespace,
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
