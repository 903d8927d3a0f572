package status

import (
	"cmp"
	"maps"
	"slices"

	"sonde_exporter/collector"
	"sonde_exporter/discovery"
)

// addServices lists all instances that were found, by service or as excluded.
func (b *builder) addServices() {
	connections, err := b.Connections()
	b.warn("connections are not known", err)
	members := map[discovery.Service][]discovery.Instance{}
	for _, instance := range b.Instances() {
		switch {
		case instance.Selected:
			members[instance.Service()] = append(members[instance.Service()], instance)
		case instance.Gone.IsZero():
			b.Excluded = append(b.Excluded, excluded(instance))
		}
	}
	spoken := b.spoken()
	for id, instances := range members {
		service := Service{Name: id.Name, Namespace: id.Namespace, NamedBy: namedBy(instances), Ports: portsOf(instances, spoken)}
		service.NameReason = nameReason(service.NamedBy[0])
		for _, instance := range instances {
			service.Instances = append(service.Instances, b.instance(instance))
		}
		service.Connections = connectionsOf(connections[id])
		service.NotMeasured = gaps(service.Connections, b.hidden(instances))
		b.Services = append(b.Services, service)
	}
	slices.SortFunc(b.Services, func(x, y Service) int {
		return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.Namespace, y.Namespace))
	})
	slices.SortStableFunc(b.Excluded, func(x, y Excluded) int { return cmp.Compare(x.Name, y.Name) })
}

func excluded(i discovery.Instance) Excluded {
	return Excluded{
		Name: i.Identity.Name, Namespace: i.Identity.Namespace, PID: i.Process.PID, Executable: i.Process.Executable,
		Ports: append([]uint16{}, i.Ports...), Reason: i.Reason,
	}
}

// namedBy lists where the name comes from: most often all instances agree.
func namedBy(instances []discovery.Instance) []string {
	sources := map[string]bool{}
	for _, instance := range instances {
		sources[instance.Identity.Source] = true
	}
	return slices.Sorted(maps.Keys(sources))
}

func (b *builder) instance(i discovery.Instance) Instance {
	kernel, err := b.Kernel.Service(i.ID)
	b.warn("processes are not counted", err)
	return Instance{
		PID: i.Process.PID, Processes: max(0, int(kernel.Processes)), Executable: i.Process.Executable, Language: i.Process.Language,
		ContainerID: i.Process.ContainerID, SystemdUnit: i.Process.SystemdUnit, Gone: !i.Gone.IsZero(),
	}
}

// endpoint is a port of an instance.
type endpoint struct {
	instance uint32
	port     uint16
}

// spoken reads what is spoken on each port.
func (b *builder) spoken() map[endpoint][]Protocol {
	counts, err := b.Kernel.Ports()
	b.warn("what is spoken on each port is not known", err)
	all := map[endpoint][]Protocol{}
	for _, c := range counts {
		at := endpoint{c.Service, c.Port}
		all[at] = append(all[at], Protocol{
			Name: collector.ProtocolName(c.Protocol), TLS: collector.IsTLS(c.Transport),
			Measured: collector.IsMeasured(c.Protocol), Connections: c.Count,
		})
	}
	return all
}

// portsOf lists the ports that the instances listen on.
func portsOf(instances []discovery.Instance, spoken map[endpoint][]Protocol) []Port {
	byPort := map[uint16][]Protocol{}
	for _, instance := range instances {
		for _, port := range instance.Ports {
			byPort[port] = addProtocols(byPort[port], spoken[endpoint{instance.ID, port}])
		}
	}
	ports := []Port{}
	for _, port := range slices.Sorted(maps.Keys(byPort)) {
		protocols := byPort[port]
		slices.SortFunc(protocols, func(x, y Protocol) int {
			return cmp.Or(cmp.Compare(y.Connections, x.Connections), cmp.Compare(x.Words(), y.Words()))
		})
		ports = append(ports, Port{Port: port, Protocols: protocols})
	}
	return ports
}

// addProtocols adds the connections of one instance to those of others.
func addProtocols(sum, more []Protocol) []Protocol {
	sum = append([]Protocol{}, sum...)
	for _, protocol := range more {
		at := slices.IndexFunc(sum, func(p Protocol) bool { return p.Name == protocol.Name && p.TLS == protocol.TLS })
		if at < 0 {
			sum = append(sum, protocol)
			continue
		}
		sum[at].Connections += protocol.Connections
	}
	return sum
}

func connectionsOf(counts []collector.Connections) []Connections {
	all := []Connections{}
	for _, c := range counts {
		all = append(all, Connections{Role: c.Role, Protocol: Protocol{Name: c.Protocol, TLS: c.TLS, Measured: c.Visible, Connections: c.Count}})
	}
	return all
}

// hidden says what of the TLS of a service cannot be seen.
func (b *builder) hidden(instances []discovery.Instance) []string {
	var reasons []string
	for _, instance := range instances {
		for _, found := range b.TLS.Hidden(instance.ID) {
			if reason := hiddenReason(found.Library, found.Reason); !slices.Contains(reasons, reason) {
				reasons = append(reasons, reason)
			}
		}
	}
	return reasons
}

// gaps lists the connections that are not measured, with the reasons. TLS that
// stays hidden is told before the first of its connections is counted, which may
// be when it ends.
func gaps(connections []Connections, hidden []string) []Gap {
	all, isTLS := []Gap{}, false
	for _, c := range connections {
		isTLS = isTLS || c.TLS
		if !c.Measured {
			all = append(all, Gap{
				Role: c.Role, Protocol: c.Name, TLS: c.TLS, Connections: c.Protocol.Connections, Reasons: gapReasons(c.Name, hidden),
			})
		}
	}
	if len(hidden) > 0 && !isTLS {
		all = append(all, Gap{Protocol: "tls", TLS: true, Reasons: hidden})
	}
	return all
}
