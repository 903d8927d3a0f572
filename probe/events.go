package probe

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"unsafe"

	"github.com/cilium/ebpf/ringbuf"

	"sonde_exporter/bpf"
)

// ProcessHandler is told of processes and listeners, in the kernel's order.
type ProcessHandler interface {
	Listens(ProcessEvent)  // a process listens on a port
	Executes(ProcessEvent) // a process that owns listeners became another program
	Joins(ProcessEvent)    // a process reads from a connection of the service
	// SpeaksTLS is told at most once a second of a service, while connections of
	// it are not known to be visible. A Tgid of 0 means any of its processes.
	SpeaksTLS(ProcessEvent)
}

// RequestHandler is told of requests that the kernel cannot file by itself.
type RequestHandler interface {
	Operation(*OperationEvent)     // a path that it has no number for
	Observation(*ObservationEvent) // a request of such a path has ended
}

// ServeProcesses calls the handler until Close.
func (p *Probe) ServeProcesses(handler ProcessHandler) error {
	caughtUp := func() {
		select {
		case p.caughtUp <- struct{}{}:
		default: // Nobody has come for the last one yet.
		}
	}
	return serve(p.processRing, caughtUp, func(record []byte) {
		event, ok := decode[ProcessEvent](record)
		if !ok {
			return
		}
		switch bpf.SondeEventType(event.Type) {
		case bpf.SondeEventTypeEVENT_LISTEN:
			handler.Listens(*event)
		case bpf.SondeEventTypeEVENT_EXEC:
			handler.Executes(*event)
		case bpf.SondeEventTypeEVENT_JOIN:
			handler.Joins(*event)
		case bpf.SondeEventTypeEVENT_TLS:
			handler.SpeaksTLS(*event)
		}
	})
}

// AwaitProcesses returns when ServeProcesses has handled all that happened before.
func (p *Probe) AwaitProcesses(ctx context.Context) error {
	if err := p.processRing.Flush(); err != nil {
		return fmt.Errorf("the ring of process events cannot be flushed: %w", err)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-p.caughtUp:
		return nil
	}
}

// ServeRequests calls the handler until Close.
func (p *Probe) ServeRequests(handler RequestHandler) error {
	return serve(p.requestRing, func() {}, func(record []byte) {
		if len(record) < 4 {
			return
		}
		switch bpf.SondeEventType(binary.NativeEndian.Uint32(record)) {
		case bpf.SondeEventTypeEVENT_OPERATION:
			if event, ok := decode[OperationEvent](record); ok {
				handler.Operation(event)
			}
		case bpf.SondeEventTypeEVENT_OBSERVATION:
			if event, ok := decode[ObservationEvent](record); ok {
				handler.Observation(event)
			}
		}
	})
}

// decode reads a record that the kernel laid out as bpf2go's struct T.
func decode[T any](record []byte) (*T, bool) {
	var event T
	if len(record) < int(unsafe.Sizeof(event)) {
		return nil, false
	}
	err := binary.Read(bytes.NewReader(record), binary.NativeEndian, &event)
	return &event, err == nil
}

// openRings is done before the programs are attached, so that no event is missed.
func (p *Probe) openRings() (err error) {
	if p.processRing, err = ringbuf.NewReader(p.objects.ProcessEvents); err != nil {
		return fmt.Errorf("the ring of process events cannot be read: %w", err)
	}
	if p.requestRing, err = ringbuf.NewReader(p.objects.RequestEvents); err != nil {
		return fmt.Errorf("the ring of request events cannot be read: %w", err)
	}
	if p.spanRing, err = ringbuf.NewReader(p.objects.Spans); err != nil {
		return fmt.Errorf("the ring of spans cannot be read: %w", err)
	}
	return nil
}

func (p *Probe) closeRings() error {
	var failures []error
	for _, ring := range []*ringbuf.Reader{p.processRing, p.requestRing, p.spanRing} {
		if ring != nil {
			failures = append(failures, ring.Close())
		}
	}
	return errors.Join(failures...)
}

// serve calls handle with every record, and flushed after those that were there
// when somebody flushed the ring.
func serve(ring *ringbuf.Reader, flushed func(), handle func(record []byte)) error {
	var record ringbuf.Record
	for {
		switch err := ring.ReadInto(&record); {
		case err == nil:
			handle(record.RawSample)
		case errors.Is(err, ringbuf.ErrFlushed):
			flushed()
		case errors.Is(err, os.ErrClosed):
			return nil
		default:
			return fmt.Errorf("a ring of events cannot be read any more: %w", err)
		}
	}
}
