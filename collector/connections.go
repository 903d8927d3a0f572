package collector

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"sonde_exporter/bpf"
	"sonde_exporter/discovery"
	"sonde_exporter/metric"
)

func connectionsTotal() metric.Family {
	return metric.Counter("sonde_connections_total",
		"Connections by what they speak, inside TLS where tls is true; protocol=\"tls\" if that cannot be seen. Requests are measured where visible is true.",
		append(metric.ServiceLabels(),
			metric.Label{Name: "role", Meaning: "The side of the service.", Values: metric.Texts("client", "server")},
			metric.Label{Name: "protocol", Meaning: "What the connection speaks.", Values: protocols()[1:]},
			metric.Label{Name: "tls", Meaning: "Whether it is encrypted.", Values: metric.Texts("true", "false")},
			metric.Label{Name: "visible", Meaning: "Whether its requests are measured.", Values: metric.Texts("true", "false")},
		)...)
}

func updateConnection(s *scrape, ch chan<- prometheus.Metric) error {
	all, err := s.Connections()
	if err != nil {
		return err
	}
	total := connectionsTotal().Sender(ch)
	for service, counts := range all {
		for _, c := range counts {
			total(float64(c.Count), service.Name, service.Namespace, c.Role, c.Protocol,
				strconv.FormatBool(c.TLS), strconv.FormatBool(c.Visible))
		}
	}
	return nil
}

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

// protocols are what a connection can speak, by the kernel's numbers. The first
// is that of a connection that has said nothing yet.
func protocols() []metric.Value {
	return []metric.Value{
		bpf.SondeProtocolPROTOCOL_HTTP1:    {Text: "http1", Meaning: "HTTP/1.0 or HTTP/1.1"},
		bpf.SondeProtocolPROTOCOL_HTTP2:    {Text: "http2", Meaning: "HTTP/2, gRPC included; recognised, and not measured"},
		bpf.SondeProtocolPROTOCOL_TLS:      {Text: "tls", Meaning: "TLS; what is inside cannot be seen"},
		bpf.SondeProtocolPROTOCOL_UPGRADED: {Text: "upgraded", Meaning: "what followed an upgrade, such as WebSocket"},
		bpf.SondeProtocolPROTOCOL_UNKNOWN:  {Text: "unknown", Meaning: "nothing that Sonde knows"},
	}
}

// ProtocolName is what the kernel's number of a protocol is called: http1,
// http2, tls (what is inside cannot be seen), upgraded or unknown.
func ProtocolName(protocol uint8) string {
	all := protocols()
	if protocol == 0 || int(protocol) >= len(all) {
		protocol = uint8(bpf.SondeProtocolPROTOCOL_UNKNOWN)
	}
	return all[protocol].Text
}

// IsTLS tells of the kernel's number of a transport whether it is TLS.
func IsTLS(transport uint8) bool {
	return bpf.SondeTransport(transport) == bpf.SondeTransportTRANSPORT_TLS
}

// IsMeasured tells whether the requests of a protocol are measured.
func IsMeasured(protocol uint8) bool {
	return bpf.SondeProtocol(protocol) == bpf.SondeProtocolPROTOCOL_HTTP1
}
