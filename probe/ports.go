package probe

import "sonde_exporter/bpf"

// PortCount is how many connections came to a port of an instance that speak a
// protocol, and over what.
type PortCount struct {
	Service   uint32
	Port      uint16
	Transport uint8 // as bpf.SondeTransport
	Protocol  uint8 // as bpf.SondeProtocol
	Count     uint64
}

// Ports counts connections by the port that they came to. The kernel keeps the
// busiest few thousand pairs of port and protocol.
func (p *Probe) Ports() ([]PortCount, error) {
	var all []PortCount
	err := eachEntry(p.objects.Ports, func(key bpf.SondePortKey, count uint64) {
		all = append(all, PortCount{
			Service: key.Service, Port: key.Port, Transport: key.Transport, Protocol: key.Protocol, Count: count,
		})
	})
	return all, err
}

// forgetPorts removes what was counted on the ports of an instance.
func (p *Probe) forgetPorts(id uint32) error {
	return deleteWhere(p.objects.Ports, func(key bpf.SondePortKey, _ uint64) bool { return key.Service == id })
}
