package collector

import (
	"sonde_exporter/bpf"
	"sonde_exporter/discovery"
)

// Connections are the connections of a service that speak the same.
type Connections struct {
	Role     string // server or client
	Protocol string // see ProtocolName
	TLS      bool
	Visible  bool // their requests are measured
	Count    uint64
}

// Connections counts the connections of each service that is measured, those of
// its instances that are gone included.
func (s Sources) Connections() (map[discovery.Service][]Connections, error) {
	s.Archive.moving.RLock()
	defer s.Archive.moving.RUnlock()
	all, archived := map[discovery.Service][]Connections{}, s.Archive.Connections()
	for service, instances := range byService(s.Registry) {
		counts := archived[service]
		for _, instance := range instances {
			kernel, err := s.Probe.Service(instance.ID)
			if err != nil {
				return nil, err
			}
			counts = sumCounts(counts, kernel.Connections)
		}
		all[service] = list(counts)
	}
	return all, nil
}

func list(counts protocolCounts) []Connections {
	var all []Connections
	for role, transports := range counts {
		for transport, protocols := range transports {
			for protocol, count := range protocols {
				if count == 0 {
					continue
				}
				all = append(all, Connections{
					Role: roleName(role), Protocol: ProtocolName(uint8(protocol)), TLS: IsTLS(uint8(transport)),
					Visible: IsMeasured(uint8(protocol)), Count: count,
				})
			}
		}
	}
	return all
}

func roleName(role int) string {
	if role == int(bpf.SondeRoleROLE_CLIENT) {
		return "client"
	}
	return "server"
}

// ProtocolName is what the kernel's number of a protocol is called: http1,
// http2, tls (what is inside cannot be seen), upgraded or unknown.
func ProtocolName(protocol uint8) string {
	switch bpf.SondeProtocol(protocol) {
	case bpf.SondeProtocolPROTOCOL_HTTP1:
		return "http1"
	case bpf.SondeProtocolPROTOCOL_HTTP2:
		return "http2"
	case bpf.SondeProtocolPROTOCOL_TLS:
		return "tls"
	case bpf.SondeProtocolPROTOCOL_UPGRADED:
		return "upgraded"
	}
	return "unknown"
}

// IsTLS tells of the kernel's number of a transport whether it is TLS.
func IsTLS(transport uint8) bool {
	return bpf.SondeTransport(transport) == bpf.SondeTransportTRANSPORT_TLS
}

// IsMeasured tells whether the requests of a protocol are measured.
func IsMeasured(protocol uint8) bool {
	return bpf.SondeProtocol(protocol) == bpf.SondeProtocolPROTOCOL_HTTP1
}
