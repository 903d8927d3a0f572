package netlab

import (
	"encoding/binary"
	"net/netip"
)

const (
	protocolTCP = 6
	protocolUDP = 17

	ipv4MinHeader = 20
	ipv6Header    = 40
	tcpMinHeader  = 20
	udpHeader     = 8
)

// flow identifies the packets among which order matters. Packets without ports
// (ICMP, fragments) form one flow per protocol and pair of addresses.
type flow struct {
	protocol         byte
	source, target   netip.Addr
	sourcePort, port uint16
}

// header is what the relay needs to know of a packet.
type header struct {
	flow       flow
	tcpPayload int // bytes of data in a TCP segment, 0 for all other packets
}

// parseHeader reads the header of an IP packet. Bytes that are not a whole header
// give the zero header: the relay carries them like any other packet.
func parseHeader(packet []byte) header {
	if len(packet) == 0 {
		return header{}
	}
	switch packet[0] >> 4 {
	case 4:
		return parseIPv4(packet)
	case 6:
		return parseIPv6(packet)
	}
	return header{}
}

func parseIPv4(packet []byte) header {
	if len(packet) < ipv4MinHeader {
		return header{}
	}
	headerLength := int(packet[0]&0x0f) * 4
	totalLength := int(binary.BigEndian.Uint16(packet[2:]))
	if headerLength < ipv4MinHeader || totalLength < headerLength || totalLength > len(packet) {
		return header{}
	}
	h := header{flow: flow{
		protocol: packet[9],
		source:   netip.AddrFrom4([4]byte(packet[12:16])),
		target:   netip.AddrFrom4([4]byte(packet[16:20])),
	}}
	// Only the first fragment has ports, so no fragment may use them: all of them
	// have to fall into the same flow (RFC 791, section 3.1: more-fragments bit and offset).
	if fragment := binary.BigEndian.Uint16(packet[6:]) & 0x3fff; fragment == 0 {
		h.readTransport(packet[headerLength:totalLength])
	}
	return h
}

// parseIPv6 does not walk extension headers: TCP never sends them by itself, and
// a packet that has them is only treated as one without ports.
func parseIPv6(packet []byte) header {
	if len(packet) < ipv6Header {
		return header{}
	}
	end := ipv6Header + int(binary.BigEndian.Uint16(packet[4:]))
	if end > len(packet) {
		return header{}
	}
	h := header{flow: flow{
		protocol: packet[6],
		source:   netip.AddrFrom16([16]byte(packet[8:24])),
		target:   netip.AddrFrom16([16]byte(packet[24:40])),
	}}
	h.readTransport(packet[ipv6Header:end])
	return h
}

// readTransport adds the ports and the length of TCP data.
func (h *header) readTransport(segment []byte) {
	switch {
	case h.flow.protocol == protocolTCP && len(segment) >= tcpMinHeader:
		dataOffset := int(segment[12]>>4) * 4
		h.tcpPayload = max(0, len(segment)-max(dataOffset, tcpMinHeader))
	case h.flow.protocol == protocolUDP && len(segment) >= udpHeader:
	default:
		return
	}
	h.flow.sourcePort = binary.BigEndian.Uint16(segment)
	h.flow.port = binary.BigEndian.Uint16(segment[2:])
}
