// Package parser runs the HTTP/1 parser of bpf/ on the host: the same C, from the
// packet to the events that user space gets, with the kernel's helpers and maps
// replaced. Undefined behaviour and reads past the end of a packet end the test.
//
// The headers of bpf/ are here as symbolic links, because Go builds a package
// again when a file in its directory changes, and only then.
package parser

/*
#cgo CFLAGS: -O1 -g -Wall -Werror -Wno-unknown-pragmas
// Not alignment: the parser reads headers and text wherever they lie, as BPF may.
#cgo CFLAGS: -fsanitize=shift,null,return,unreachable,signed-integer-overflow
#cgo CFLAGS: -fsanitize=bounds,object-size,bool,enum,pointer-overflow
#cgo LDFLAGS: -fsanitize=undefined
#include "host.h"
*/
import "C"

import (
	"time"
	"unsafe"
)

// Host is the kernel that the parser believes to run in. There is one in the
// process, so a Host ends with the next Boot, and tests do not run in parallel.
type Host struct{}

// Boot starts the kernel anew, with one connection in the given role.
func Boot(role Role) Host {
	C.host_boot(uint32(role))
	return Host{}
}

// Packet is what the hook gets.
type Packet struct {
	Bytes    []byte // from the IP header on
	Linear   int    // bytes that the kernel has at hand; the parser must copy the others
	Received uint32 // sequence number up to which the socket has received
	Arrives  bool   // false: it leaves
	Listener bool   // it ends a handshake, so it belongs to the listener still
	Broken   bool   // its headers lie, so bytes behind its end may be asked for
}

// Deliver passes a packet by the hook.
func (Host) Deliver(p Packet) {
	socket := uint32(C.HOST_CONNECTION)
	if p.Listener {
		socket = C.HOST_LISTENER
	}
	packet := C.struct_host_packet{
		length:   C.__u32(len(p.Bytes)),
		linear:   C.__u32(p.Linear),
		received: C.__u32(p.Received),
		arrives:  C.bool(p.Arrives),
		socket:   socket,

		is_broken: C.bool(p.Broken),
	}
	C.host_deliver((*C.__u8)(unsafe.Pointer(unsafe.SliceData(p.Bytes))), &packet)
}

// Close closes the connection's socket.
func (Host) Close(failure Failure) { C.host_close(uint32(failure)) }

// SetTime sets the clock.
func (Host) SetTime(now time.Duration) { C.host.now_ns = C.__u64(now) }

// SetGarbage sets what each packet finds in the parser's buffers, where another
// connection has left it. It must make no difference.
func (Host) SetGarbage(eightBytes uint64) { C.host.garbage = C.__u64(eightBytes) }

// SetRingFull makes the kernel refuse events.
func (Host) SetRingFull(full bool) { C.host.ring_full = C.bool(full) }

// SetNoMemory makes the kernel refuse new storage for a socket.
func (Host) SetNoMemory(refused bool) { C.host.no_memory = C.bool(refused) }

// SetBusy takes all of the parser's buffers away.
func (Host) SetBusy(busy bool) { C.host.is_busy = C.bool(busy) }

// SetFoldIDs decides whether path segments that look like ids count as one.
func (Host) SetFoldIDs(fold bool) { C.host_fold_ids(C.bool(fold)) }

// SetSeriesLimits sets how many series there may be, in all and per service.
func (Host) SetSeriesLimits(all, perService uint32) {
	C.host_limit_series(C.__u32(all), C.__u32(perService))
}

// Fault is the first rule that the parser broke, or empty.
func (Host) Fault() string { return C.GoString(&C.host.fault[0]) }

// Steps is how many turns all loops have taken.
func (Host) Steps() uint64 { return uint64(C.host.steps) }

// Lost counts what was lost for a reason.
func (Host) Lost(reason Loss) uint64 { return uint64(C.host.losses[reason]) }

// Overflow counts the observations that went to an overflow series.
func (Host) Overflow() uint64 { return uint64(C.host_overflow()) }

// Unsolicited counts the answers to no request.
func (Host) Unsolicited() uint64 { return uint64(C.host_unsolicited()) }

// Classified counts the connections of the service found to speak a protocol.
func (Host) Classified(role Role, protocol Protocol) uint64 {
	counts := C.host.services[C.HOST_SERVICE].connections[role]
	return uint64(counts[C.TRANSPORT_TCP][protocol] + counts[C.TRANSPORT_TLS][protocol])
}

// Take returns the events since the last Take, oldest first.
func (Host) Take() ([]Operation, []Observation) {
	operations := make([]Operation, C.host.operation_count)
	for i := range operations {
		operations[i] = operationOf(&C.host.operations[i])
	}
	observations := make([]Observation, C.host.observation_count)
	for i := range observations {
		observations[i] = observationOf(&C.host.observations[i])
	}
	C.host.operation_count, C.host.observation_count = 0, 0
	return operations, observations
}

// Learn gives an operation a number, as user space does once it has named it.
func (Host) Learn(key Key, operation uint32) {
	k := C.struct_operation_key{
		hash:        C.__u64(key.Hash),
		service:     C.__u32(key.Service),
		server_port: C.__u16(key.Port),
		side:        C.__u8(key.Role),
		method:      C.__u8(key.Method),
	}
	C.host_learn(&k, C.__u32(operation))
}

// Series returns the histogram of a series, or nil.
func (Host) Series(operation uint32, status uint16, failure Failure, version uint8) *Histogram {
	key := C.struct_series_key{
		operation: C.__u32(operation),
		status:    C.__u16(status),
		failure:   C.__u8(failure),
		version:   C.__u8(version),
	}
	h := C.host_series(&key)
	if h == nil {
		return nil
	}
	histogram := &Histogram{Sum: time.Duration(h.sum_ns)}
	for i := range histogram.Slots {
		histogram.Slots[i] = uint64(h.slots[i])
	}
	return histogram
}

// State is what the parser remembers of the connection.
func (Host) State() State {
	c := C.host_connection(C.HOST_CONNECTION)
	return State{
		Verdict:  Verdict(c.verdict),
		Protocol: Protocol(c.protocol),
		Waiting:  uint32(c.tail) - uint32(c.head),
		Request:  streamOf(&c.request),
		Response: streamOf(&c.response),
	}
}

func streamOf(s *C.struct_stream) Stream {
	return Stream{
		State:     uint8(s.state),
		Carried:   int(s.carried),
		Remaining: uint64(s.remaining),
		LongLine:  uint8(s.long_line),
	}
}
