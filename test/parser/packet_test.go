package parser

import "encoding/binary"

// Ports and flags of the packets that the tests make.
const (
	clientPort = 40000
	serverPort = 8080
	flagFin    = 1
	protoTCP   = 6
)

// layout is how the headers of a packet look.
type layout uint8

const (
	ipv4 layout = iota
	ipv4Options
	ipv6
	ipv6Extensions
	layouts
)

// segment is a piece of a TCP stream.
type segment struct {
	fromClient bool
	seq        uint32
	fin        bool
	payload    []byte
}

// headers returns the IP and TCP headers that stand before the payload.
func (s segment) headers(l layout) []byte {
	tcp := s.tcp(l)
	switch l {
	case ipv6, ipv6Extensions:
		return append(ipv6Header(l), tcp...)
	default:
		return append(ipv4Header(l), tcp...)
	}
}

func (s segment) tcp(l layout) []byte {
	options := 0
	if l == ipv4 {
		options = 12 // timestamps
	}
	source, destination := uint16(clientPort), uint16(serverPort)
	if !s.fromClient {
		source, destination = destination, source
	}
	h := make([]byte, 20+options)
	binary.BigEndian.PutUint16(h, source)
	binary.BigEndian.PutUint16(h[2:], destination)
	binary.BigEndian.PutUint32(h[4:], s.seq)
	h[12] = byte(len(h)/4) << 4
	if s.fin {
		h[13] |= flagFin
	}
	return h
}

func ipv4Header(l layout) []byte {
	words := 5
	if l == ipv4Options {
		words = 15
	}
	h := make([]byte, words*4)
	h[0] = 4<<4 | byte(words)
	h[9] = protoTCP
	return h
}

// ipv6Header may have a hop-by-hop and a destination header behind it.
func ipv6Header(l layout) []byte {
	const hopByHop, destination = 0, 60
	h := make([]byte, 40)
	h[0] = 6 << 4
	h[6] = protoTCP
	if l == ipv6Extensions {
		h[6] = hopByHop
		h = append(h, destination, 0, 0, 0, 0, 0, 0, 0)
		h = append(h, protoTCP, 1)
		h = append(h, make([]byte, 14)...)
	}
	return h
}
