package status

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sonde_exporter/bpf"
	"sonde_exporter/collector"
	"sonde_exporter/discovery"
	"sonde_exporter/discovery/inspect"
	"sonde_exporter/probe"
	"sonde_exporter/series"
	"sonde_exporter/tlslib"
	"sonde_exporter/tlstap"
)

// fakeHost plays all that the status is made of.
type fakeHost struct {
	table *series.Table
	folds atomic.Int32 // how often the series were read
	costs atomic.Int32 // and the cost of programs
	slow  time.Duration
	err   error // of whatever may fail

	mu        sync.Mutex
	requests  map[series.Labels]*series.Histogram
	instances []discovery.Instance
	spoken    map[discovery.Service][]collector.Connections
	ports     []probe.PortCount
	hidden    map[uint32][]tlslib.Hidden
	taps      []probe.Tap
	programs  []probe.ProgramStats
	about     Description
}

func newHost(t *testing.T) *fakeHost {
	return &fakeHost{
		table: newTable(t), requests: map[series.Labels]*series.Histogram{},
		spoken: map[discovery.Service][]collector.Connections{}, hidden: map[uint32][]tlslib.Hidden{},
		taps:     []probe.Tap{{Name: "sockets", Hook: "b"}, {Name: "wire", Hook: "y"}, {Name: "wire", Hook: "x"}},
		about:    Description{Collectors: []Collector{}, Exports: []Export{}},
		programs: []probe.ProgramStats{{Name: "idle"}, {Name: "wire_egress", Type: "CGroupSKB", Runs: 1000, Time: time.Millisecond}},
	}
}

func (h *fakeHost) reader() *Reader {
	return NewReader(Options{
		Kernel: fakeKernel{h}, TLS: fakeTLS{h}, Fold: h.fold, Table: h.table, Logger: slog.New(slog.DiscardHandler),
		Instances:   func() []discovery.Instance { return h.instances },
		Connections: func() (map[discovery.Service][]collector.Connections, error) { return h.spoken, h.err },
		Overflow:    func() (uint64, error) { return 3, h.err },
		Describe:    func() Description { return h.about },
	})
}

// add lets a service answer or make requests of one duration.
func (h *fakeHost) add(labels series.Labels, count int, each time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.requests[labels] == nil {
		h.requests[labels] = new(series.Histogram)
	}
	for range count {
		h.requests[labels].Observe(h.table, uint64(each))
	}
}

// run adds an instance of a service.
func (h *fakeHost) run(id uint32, name string, ports ...uint16) *discovery.Instance {
	h.instances = append(h.instances, discovery.Instance{
		ID: id, Ports: ports, Selected: true,
		Process:  inspect.Process{PID: int(1000 + id), Executable: "/usr/bin/" + name},
		Identity: inspect.Identity{Name: name, Source: inspect.SourceExecutable},
	})
	return &h.instances[len(h.instances)-1]
}

func (h *fakeHost) fold(context.Context) (series.Fold, error) {
	h.folds.Add(1)
	time.Sleep(h.slow)
	h.mu.Lock()
	defer h.mu.Unlock()
	fold := series.Fold{}
	for labels, histogram := range h.requests {
		copied := *histogram
		fold[labels] = &copied
	}
	return fold, h.err
}

type fakeKernel struct{ *fakeHost }

func (k fakeKernel) Service(id uint32) (probe.Service, error) {
	return probe.Service{Processes: int32(id)}, k.err
}
func (k fakeKernel) Ports() ([]probe.PortCount, error) { return k.ports, k.err }
func (k fakeKernel) Taps() []probe.Tap                 { return k.taps }
func (k fakeKernel) SeriesCount() uint32               { return 12 }
func (k fakeKernel) SeriesLimit() (uint32, error)      { return 100, k.err }

func (k fakeKernel) Programs() ([]probe.ProgramStats, error) {
	k.costs.Add(1)
	return k.programs, k.err
}

func (k fakeKernel) Maps() ([]probe.MapStats, error) {
	return []probe.MapStats{{Name: "listeners", Entries: 1, Capacity: 1000}, {Name: "series", Entries: 12, Capacity: 100}}, k.err
}

func (k fakeKernel) Losses() ([]probe.Loss, error) {
	return []probe.Loss{{Reason: "segment_gap", Of: probe.LostObservation, Meaning: "bytes passed that could not be put back in order", Count: 2}, {Reason: "ring_full", Of: probe.LostSpan, Meaning: "spans came faster than Sonde could take them"}}, k.err
}

type fakeTLS struct{ *fakeHost }

func (f fakeTLS) Hidden(service uint32) []tlslib.Hidden { return f.hidden[service] }
func (fakeTLS) Files() []tlstap.File                    { return nil }
func (fakeTLS) Failures() []tlstap.Failure              { return nil }

var errKernel = errors.New("the kernel says no")

const (
	http1   = uint8(bpf.SondeProtocolPROTOCOL_HTTP1)
	http2   = uint8(bpf.SondeProtocolPROTOCOL_HTTP2)
	unseen  = uint8(bpf.SondeProtocolPROTOCOL_TLS)
	overTCP = uint8(bpf.SondeTransportTRANSPORT_TCP)
	overTLS = uint8(bpf.SondeTransportTRANSPORT_TLS)
)
