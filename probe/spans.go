package probe

import (
	"encoding/binary"
	"errors"
	"math"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"sonde_exporter/bpf"
)

// spanRingBytes is room for some thousand spans that user space has not read yet.
const spanRingBytes = 4 << 20

// Span is one sampled request as the kernel saw it. Times are of CLOCK_MONOTONIC.
type Span struct {
	StartNs uint64 // its first byte
	ReadNs  uint64 // when the service read it; 0: not known
	EndNs   uint64 // the last byte of the answer

	Service   uint32 // number of the instance
	Operation uint32 // number of the operation; 0: not known
	Series    SeriesKey
	Client    bool
	OverTLS   bool
	Method    uint8  // bpf.SondeMethod…
	Version   uint8  // the minor one of HTTP/1
	Failure   uint8  // bpf.SondeFailure…
	Status    uint16 // 0: no answer

	Local, Peer netip.AddrPort

	TraceID      [16]byte
	SpanID       [8]byte
	ParentID     [8]byte // zeros: a root
	Sampled      bool    // the flag of a remote parent; true without one
	RemoteParent bool    // the parent came in a traceparent header

	// Head is the request from its first byte on, cut off at a limit. Its bytes
	// are a stranger's. It is valid only during the call that hands it over.
	Head []byte
}

// SpanHandler is told of requests that are sampled.
type SpanHandler interface {
	Span(*Span)
}

// ServeSpans calls the handler until Close.
func (p *Probe) ServeSpans(handler SpanHandler) error {
	return serve(p.spanRing, func() {}, func(record []byte) {
		if event, ok := decode[bpf.SondeSpanEvent](record); ok {
			handler.Span(newSpan(event))
		}
	})
}

func newSpan(event *bpf.SondeSpanEvent) *Span {
	context := event.Context
	flags := bpf.SondeTraceFlag(context.Flags)
	remote := flags&bpf.SondeTraceFlagTRACE_REMOTE != 0
	return &Span{
		StartNs: event.StartNs, ReadNs: event.ReadNs, EndNs: event.EndNs,
		Service: event.Service, Operation: event.Operation,
		Series: SeriesKey{
			Operation: event.Operation, Status: event.Status, Failure: event.Failure, Version: event.Version,
		},
		Client:  event.Side&1 == uint8(bpf.SondeRoleROLE_CLIENT),
		OverTLS: event.Side>>1 == uint8(bpf.SondeTransportTRANSPORT_TLS),
		Method:  event.Method, Version: event.Version, Failure: event.Failure, Status: event.Status,
		Local:        address(event.Ends.Family, event.Ends.Local, event.Ends.LocalPort),
		Peer:         address(event.Ends.Family, event.Ends.Peer, event.Ends.PeerPort),
		TraceID:      [16]byte(idBytes(context.TraceId[:]...)),
		SpanID:       [8]byte(idBytes(context.SpanId)),
		ParentID:     [8]byte(idBytes(context.ParentId)),
		Sampled:      !remote || flags&bpf.SondeTraceFlagTRACE_REMOTE_SAMPLED != 0,
		RemoteParent: remote,
		Head:         event.Head[:min(int(event.HeadLength), len(event.Head))],
	}
}

// idBytes are the bytes of an id as the kernel has them in memory.
func idBytes(words ...uint64) []byte {
	var bytes []byte
	for _, word := range words {
		bytes = binary.NativeEndian.AppendUint64(bytes, word)
	}
	return bytes
}

func address(family uint16, bytes [16]uint8, port uint16) netip.AddrPort {
	if family == unix.AF_INET {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(bytes[:4])), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom16(bytes).Unmap(), port)
}

// SpanSettings say which requests become spans.
type SpanSettings struct {
	On          bool
	ParentBased bool    // a parent's decision is taken over
	Ratio       float64 // of the traces that have no such parent
	KeepErrors  bool
	KeepSlower  time.Duration // 0: none is kept for being slow
}

// ApplySpans puts settings in force. Spans can only be on if Options.Spans was set.
func (p *Probe) ApplySpans(settings SpanSettings) error {
	return errors.Join(
		p.objects.SpanParentBased.Set(number(settings.ParentBased)),
		p.objects.SpanKeepErrors.Set(number(settings.KeepErrors)),
		p.objects.SpanBound.Set(spanBound(settings.Ratio)),
		p.objects.SpanKeepSlowerNs.Set(uint64(max(settings.KeepSlower, 0))),
		p.objects.SpansOn.Set(number(settings.On && p.options.Spans)),
	)
}

// spanBound is the bound of OpenTelemetry's TraceIdRatioBased sampler: trace ids
// below it, of 2^63, are sampled.
func spanBound(ratio float64) uint64 {
	switch {
	case !(ratio > 0): // nor NaN
		return 0
	case ratio >= 1:
		return math.MaxInt64 + 1
	}
	return uint64(ratio * (1 << 63))
}

func number(yes bool) uint32 {
	if yes {
		return 1
	}
	return 0
}
