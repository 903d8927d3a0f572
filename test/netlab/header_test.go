package netlab

import (
	"encoding/binary"
	"net/netip"
	"testing"
)

var (
	testSource4 = netip.MustParseAddr("198.18.0.1")
	testTarget4 = netip.MustParseAddr("198.18.0.2")
	testSource6 = netip.MustParseAddr("2001:2::1")
	testTarget6 = netip.MustParseAddr("2001:2::2")
)

// tcpSegment makes a segment from port 4000 to port 80.
func tcpSegment(optionWords int, payload string) []byte {
	segment := make([]byte, tcpMinHeader+4*optionWords, tcpMinHeader+4*optionWords+len(payload))
	binary.BigEndian.PutUint16(segment, 4000)
	binary.BigEndian.PutUint16(segment[2:], 80)
	segment[12] = byte(tcpMinHeader/4+optionWords) << 4
	return append(segment, payload...)
}

// ipv4Packet puts an IPv4 header around a transport's bytes.
func ipv4Packet(protocol byte, optionWords int, fragment uint16, transport []byte) []byte {
	packet := make([]byte, ipv4MinHeader+4*optionWords)
	packet[0] = 4<<4 | byte(ipv4MinHeader/4+optionWords)
	binary.BigEndian.PutUint16(packet[2:], uint16(len(packet)+len(transport)))
	binary.BigEndian.PutUint16(packet[6:], fragment)
	packet[9] = protocol
	copy(packet[12:], testSource4.AsSlice())
	copy(packet[16:], testTarget4.AsSlice())
	return append(packet, transport...)
}

// ipv6Packet puts an IPv6 header around a transport's bytes.
func ipv6Packet(protocol byte, transport []byte) []byte {
	packet := make([]byte, ipv6Header)
	packet[0] = 6 << 4
	binary.BigEndian.PutUint16(packet[4:], uint16(len(transport)))
	packet[6] = protocol
	copy(packet[8:], testSource6.AsSlice())
	copy(packet[24:], testTarget6.AsSlice())
	return append(packet, transport...)
}

func TestParseHeader(t *testing.T) {
	const dontFragment, moreFragments = 0x4000, 0x2000
	tcp4 := flow{protocolTCP, testSource4, testTarget4, 4000, 80}
	tcp6 := flow{protocolTCP, testSource6, testTarget6, 4000, 80}
	portless := flow{protocol: protocolTCP, source: testSource4, target: testTarget4}

	for name, test := range map[string]struct {
		packet []byte
		want   header
	}{
		"IPv4 data":           {ipv4Packet(protocolTCP, 0, dontFragment, tcpSegment(0, "GET /")), header{tcp4, 5}},
		"IPv4 acknowledgment": {ipv4Packet(protocolTCP, 0, 0, tcpSegment(3, "")), header{tcp4, 0}},
		"IPv4 options":        {ipv4Packet(protocolTCP, 10, 0, tcpSegment(10, "x")), header{tcp4, 1}},
		"IPv4 padded by link": {append(ipv4Packet(protocolTCP, 0, 0, tcpSegment(0, "")), 0, 0, 0), header{tcp4, 0}},
		"first fragment":      {ipv4Packet(protocolTCP, 0, moreFragments, tcpSegment(0, "GET /")), header{portless, 0}},
		"last fragment":       {ipv4Packet(protocolTCP, 0, 185, []byte("a tail that is longer than a header")), header{portless, 0}},
		"TCP cut short":       {ipv4Packet(protocolTCP, 0, 0, make([]byte, tcpMinHeader-1)), header{portless, 0}},
		"UDP":                 {ipv4Packet(protocolUDP, 0, 0, tcpSegment(0, "x")[:9]), header{flow{protocolUDP, testSource4, testTarget4, 4000, 80}, 0}},
		"ICMP":                {ipv4Packet(1, 0, 0, make([]byte, 64)), header{flow{protocol: 1, source: testSource4, target: testTarget4}, 0}},
		"IPv6 data":           {ipv6Packet(protocolTCP, tcpSegment(8, "GET /")), header{tcp6, 5}},
		"IPv6 acknowledgment": {ipv6Packet(protocolTCP, tcpSegment(3, "")), header{tcp6, 0}},
		"empty":               {nil, header{}},
		"neither 4 nor 6":     {make([]byte, 60), header{}},
		"IPv4 cut short":      {ipv4Packet(protocolTCP, 0, 0, tcpSegment(0, "GET /"))[:43], header{}},
		"IPv6 cut short":      {ipv6Packet(protocolTCP, tcpSegment(0, "GET /"))[:62], header{}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := parseHeader(test.packet); got != test.want {
				t.Errorf("parseHeader = %+v, want %+v", got, test.want)
			}
		})
	}
}

func FuzzParseHeader(f *testing.F) {
	f.Add(ipv4Packet(protocolTCP, 10, 0, tcpSegment(10, "GET /")))
	f.Add(ipv6Packet(protocolTCP, tcpSegment(0, "GET /")))
	f.Fuzz(func(t *testing.T, packet []byte) {
		if h := parseHeader(packet); h.tcpPayload < 0 || h.tcpPayload > len(packet) {
			t.Errorf("%d bytes of payload in a packet of %d", h.tcpPayload, len(packet))
		}
	})
}
