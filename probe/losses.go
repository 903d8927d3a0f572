package probe

import (
	"fmt"
	"slices"

	"sonde_exporter/bpf"
)

// Lost is what a loss is of.
type Lost uint8

// What can be lost.
const (
	LostObservation Lost = iota // a request was not counted
	LostEvent                   // a listener or process was missed
	LostSpan                    // a request was counted, but has no span
)

// Loss is a reason why something was lost, and how often it was.
type Loss struct {
	Reason  string // the value of the label
	Of      Lost
	Meaning string // in words, without a full stop
	Count   uint64
}

var losses = [...]Loss{
	bpf.SondeLossLOSS_SERIES_MEMORY:      {Reason: "series_memory", Meaning: "the kernel had no memory for a series"},
	bpf.SondeLossLOSS_SERVICE_LIMIT:      {Reason: "service_limit", Of: LostEvent, Meaning: "a listener came when every instance number was in use"},
	bpf.SondeLossLOSS_PROCESS_LIMIT:      {Reason: "process_limit", Of: LostEvent, Meaning: "the table of processes was full"},
	bpf.SondeLossLOSS_CONNECTION_MEMORY:  {Reason: "connection_memory", Meaning: "the kernel had no memory for the state of a connection"},
	bpf.SondeLossLOSS_CONTROL_RING:       {Reason: "process_event_ring_full", Of: LostEvent, Meaning: "processes started faster than Sonde could look at them"},
	bpf.SondeLossLOSS_SCRATCH_BUSY:       {Reason: "scratch_busy", Meaning: "every parser buffer of a CPU was in use"},
	bpf.SondeLossLOSS_SEGMENT_GAP:        {Reason: "segment_gap", Meaning: "bytes passed that could not be put back in order"},
	bpf.SondeLossLOSS_MALFORMED:          {Reason: "malformed", Meaning: "bytes were not HTTP where a message should begin or go on"},
	bpf.SondeLossLOSS_SEGMENT_UNREADABLE: {Reason: "segment_unreadable", Meaning: "the bytes of a segment could not be read"},
	bpf.SondeLossLOSS_TLS_MEMORY:         {Reason: "tls_memory", Meaning: "the kernel had no memory for a TLS session"},
	bpf.SondeLossLOSS_SPAN_MEMORY:        {Reason: "trace_memory", Of: LostSpan, Meaning: "the kernel had no memory for the trace of a connection"},
	bpf.SondeLossLOSS_SPAN_RING:          {Reason: "ring_full", Of: LostSpan, Meaning: "spans came faster than Sonde could take them"},
	bpf.SondeLossLOSS_SPAN_PIPELINED:     {Reason: "pipelined", Of: LostSpan, Meaning: "a request waited behind others on its connection"},
}

// AllLosses are the losses that there can be, with counts of zero.
func AllLosses() []Loss { return slices.Clone(losses[:]) }

// Losses returns every loss, those that never occurred included.
func (p *Probe) Losses() ([]Loss, error) {
	all := AllLosses()
	for reason := range all {
		var perCPU []uint64
		if err := p.objects.Losses.Lookup(uint32(reason), &perCPU); err != nil {
			return nil, fmt.Errorf("the losses cannot be read: %w", err)
		}
		for _, count := range perCPU {
			all[reason].Count += count
		}
	}
	return all, nil
}
