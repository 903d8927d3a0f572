package parser

// #include "host.h"
import "C"

import (
	"time"
	"unsafe"
)

// Role says on which side of the connection the measured service is.
type Role uint8

// The roles.
const (
	Server Role = C.ROLE_SERVER
	Client Role = C.ROLE_CLIENT
)

// Protocol is what a connection was found to speak.
type Protocol uint8

// The protocols.
const (
	Undecided Protocol = C.PROTOCOL_UNDECIDED
	HTTP1     Protocol = C.PROTOCOL_HTTP1
	HTTP2     Protocol = C.PROTOCOL_HTTP2
	TLS       Protocol = C.PROTOCOL_TLS
	Upgraded  Protocol = C.PROTOCOL_UPGRADED
	Unknown   Protocol = C.PROTOCOL_UNKNOWN
)

// Verdict says whether a connection is measured.
type Verdict uint8

// The verdicts.
const (
	Measured Verdict = C.VERDICT_MEASURE
	Skipped  Verdict = C.VERDICT_SKIP
	Foreign  Verdict = C.VERDICT_FOREIGN
	Watched  Verdict = C.VERDICT_TLS
)

// Method is a request method; any token without a number of its own is 0.
type Method uint8

// String is the method as a label says it.
func (m Method) String() string {
	names := [C.METHODS]string{
		C.METHOD_OTHER:   "_OTHER",
		C.METHOD_GET:     "GET",
		C.METHOD_HEAD:    "HEAD",
		C.METHOD_POST:    "POST",
		C.METHOD_PUT:     "PUT",
		C.METHOD_DELETE:  "DELETE",
		C.METHOD_CONNECT: "CONNECT",
		C.METHOD_OPTIONS: "OPTIONS",
		C.METHOD_TRACE:   "TRACE",
		C.METHOD_PATCH:   "PATCH",
	}
	return names[m]
}

// Failure says why a request has no complete answer.
type Failure uint8

// The failures.
const (
	Complete  Failure = C.FAILURE_NONE
	Closed    Failure = C.FAILURE_CLOSED
	Reset     Failure = C.FAILURE_RESET
	Timeout   Failure = C.FAILURE_TIMEOUT
	Truncated Failure = C.FAILURE_TRUNCATED
	NotHTTP   Failure = C.FAILURE_MALFORMED
	Other     Failure = C.FAILURE_OTHER
)

// String names the failure; Complete is empty.
func (f Failure) String() string {
	names := [C.FAILURES]string{
		C.FAILURE_CLOSED:    "closed",
		C.FAILURE_RESET:     "reset",
		C.FAILURE_TIMEOUT:   "timeout",
		C.FAILURE_TRUNCATED: "truncated",
		C.FAILURE_MALFORMED: "malformed",
		C.FAILURE_OTHER:     "other",
	}
	return names[f]
}

// Loss is a reason for which observations are lost.
type Loss uint8

// The losses that the parser itself can make.
const (
	SeriesMemory      Loss = C.LOSS_SERIES_MEMORY
	ConnectionMemory  Loss = C.LOSS_CONNECTION_MEMORY
	ScratchBusy       Loss = C.LOSS_SCRATCH_BUSY
	SegmentGap        Loss = C.LOSS_SEGMENT_GAP
	Malformed         Loss = C.LOSS_MALFORMED
	SegmentUnreadable Loss = C.LOSS_SEGMENT_UNREADABLE
	losses                 = C.LOSSES
	methods                = C.METHODS
)

// What the overflow series of the measured service are numbered by role.
const (
	otherBit = C.SONDE_OTHER
	// OtherOfServer and OtherOfClient are the numbers of its overflow series.
	OtherOfServer uint32 = otherBit | C.HOST_SERVICE<<1 | C.ROLE_SERVER
	OtherOfClient uint32 = otherBit | C.HOST_SERVICE<<1 | C.ROLE_CLIENT
	// Ignored is the number of an operation that is not counted.
	Ignored uint32 = C.SONDE_IGNORED
)

// Limits of the parser.
const (
	PathCap     = C.SONDE_PATH // bytes of a path that are told
	HostCap     = C.SONDE_HOST // bytes of a Host header that are told
	QueueInline = C.QUEUE_INLINE
	QueueSpill  = C.QUEUE_SPILL
	lastState   = C.STREAM_UNTIL_CLOSE
	lastLine    = C.LINE_LONG_START
	fullCarry   = C.HOST_LONGEST_CARRY
)

// Key is how the kernel knows an operation.
type Key struct {
	Hash    uint64
	Service uint32
	Port    uint16
	Role    Role
	Method  Method
}

// Operation tells of an operation that user space has not named yet.
type Operation struct {
	Key        Key
	Path, Host string
	Peer       [16]byte
}

// Observation tells of a request whose operation has no name yet.
type Observation struct {
	Key      Key
	Status   uint16
	Failure  Failure
	Version  uint8 // minor version of HTTP/1
	Duration time.Duration
}

// Histogram is a series.
type Histogram struct {
	Sum   time.Duration
	Slots [C.SONDE_SLOTS]uint64
}

// State is what the parser remembers of a connection.
type State struct {
	Verdict           Verdict
	Protocol          Protocol
	Waiting           uint32 // requests in the connection's own queue
	Request, Response Stream
}

// Stream is what the parser remembers of one direction.
type Stream struct {
	State     uint8
	Carried   int // bytes of an incomplete line
	Remaining uint64
	LongLine  uint8
}

func keyOf(k *C.struct_operation_key) Key {
	return Key{
		Hash:    uint64(k.hash),
		Service: uint32(k.service),
		Port:    uint16(k.server_port),
		Role:    Role(k.side & 1),
		Method:  Method(k.method),
	}
}

func operationOf(e *C.struct_operation_event) Operation {
	operation := Operation{
		Key:  keyOf(&e.key),
		Path: C.GoStringN((*C.char)(unsafe.Pointer(&e.path)), C.int(e.path_length)),
		Host: C.GoStringN((*C.char)(unsafe.Pointer(&e.host)), C.int(e.host_length)),
	}
	for i := range operation.Peer {
		operation.Peer[i] = byte(e.peer[i])
	}
	return operation
}

func observationOf(e *C.struct_observation_event) Observation {
	return Observation{
		Key:      keyOf(&e.key),
		Status:   uint16(e.status),
		Failure:  Failure(e.failure),
		Version:  uint8(e.version),
		Duration: time.Duration(e.duration_ns),
	}
}
