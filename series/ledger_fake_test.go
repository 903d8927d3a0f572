package series

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"testing"

	"sonde_exporter/bpf"
	"sonde_exporter/probe"
	"sonde_exporter/routes"
)

// fakeKernel keeps in plain maps what the ledger reads and writes in the kernel.
type fakeKernel struct {
	limits      Limits
	operations  map[probe.OperationKey]uint32
	series      map[probe.SeriesKey]bpf.SondeHistogram
	perInstance map[uint32]int // series, overflow series aside
	noMemory    bool           // for another series
	failure     error          // of everything else that can fail
}

func newFakeKernel(limits Limits) *fakeKernel {
	return &fakeKernel{
		limits: limits, operations: map[probe.OperationKey]uint32{},
		series: map[probe.SeriesKey]bpf.SondeHistogram{}, perInstance: map[uint32]int{},
	}
}

func (k *fakeKernel) Teach(key probe.OperationKey, operation uint32) error {
	if k.failure == nil {
		k.operations[key] = operation
	}
	return k.failure
}

func (k *fakeKernel) Known(key probe.OperationKey) (uint32, bool) {
	operation, known := k.operations[key]
	return operation, known
}

func (k *fakeKernel) ForgetOperations(matches func(probe.OperationKey) bool) error {
	maps.DeleteFunc(k.operations, func(key probe.OperationKey, _ uint32) bool { return matches(key) })
	return k.failure
}

func (k *fakeKernel) CreateSeries(instance uint32, key probe.SeriesKey, value *bpf.SondeHistogram) probe.Filing {
	if _, exists := k.series[key]; exists {
		return probe.Exists
	}
	if k.noMemory {
		return probe.NoRoom
	}
	if _, _, other := probe.IsOther(key.Operation); !other {
		total := 0
		for _, count := range k.perInstance {
			total += count
		}
		if total >= k.limits.Series || k.perInstance[instance] >= k.limits.PerService {
			return probe.NoRoom
		}
		k.perInstance[instance]++
	}
	k.series[key] = *value
	return probe.Created
}

func (k *fakeKernel) RemoveSeries(matches func(uint32) bool, visit func(probe.SeriesKey, *bpf.SondeHistogram)) error {
	for key, value := range k.series {
		if matches(key.Operation) {
			visit(key, &value)
			delete(k.series, key)
		}
	}
	return k.failure
}

// count is what the kernel's programs do when they know the operation.
func (k *fakeKernel) count(instance uint32, key probe.SeriesKey) {
	if k.CreateSeries(instance, key, &bpf.SondeHistogram{}) == probe.NoRoom {
		return
	}
	value := k.series[key]
	value.Slots[0]++
	value.SumNs++
	k.series[key] = value
}

type ledgerTest struct {
	*Ledger
	t      *testing.T
	kernel *fakeKernel
	log    *bytes.Buffer
}

func newLedgerTest(t *testing.T, limits Limits, options routes.Options) ledgerTest {
	t.Helper()
	return newLedgerTestAt(t, slog.LevelInfo, limits, options)
}

func newLedgerTestAt(t *testing.T, level slog.Level, limits Limits, options routes.Options) ledgerTest {
	t.Helper()
	kernel, log := newFakeKernel(limits), new(bytes.Buffer)
	nameOf := func(instance uint32) string { return fmt.Sprint("service ", instance) }
	ledger := NewLedger(kernel, newTestTable(t, conventionBounds()), newTestNamer(t, options), limits, nameOf,
		slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: level})))
	return ledgerTest{Ledger: ledger, t: t, kernel: kernel, log: log}
}

func newTestNamer(t *testing.T, options routes.Options) *routes.Namer {
	t.Helper()
	namer, err := routes.New(options)
	if err != nil {
		t.Fatal(err)
	}
	return namer
}

// keyOf is the key under which the kernel asks for a path.
func keyOf(instance uint32, path string) probe.OperationKey {
	var hash uint64
	for _, b := range []byte(path) {
		hash = hash*31 + uint64(b)
	}
	return probe.OperationKey{Hash: hash, Service: instance, ServerPort: 80, Method: uint8(bpf.SondeMethodMETHOD_GET)}
}

func (l ledgerTest) ask(instance uint32, path string) probe.OperationKey {
	event := &probe.OperationEvent{Key: keyOf(instance, path), PathLength: uint16(len(path))}
	copy(event.Path[:], path)
	l.Operation(event)
	return event.Key
}

func (l ledgerTest) end(key probe.OperationKey, status uint16, failure bpf.SondeFailure) {
	l.Observation(&probe.ObservationEvent{
		Key: key, Status: status, Failure: uint8(failure), Version: 1, DurationNs: 5e6,
	})
}

// counts are the observations that the ledger filed, here or in the kernel, by
// route and status.
func (l ledgerTest) counts() map[string]uint64 {
	counts := map[string]uint64{}
	for key, value := range l.kernel.series {
		histogram := Histogram{SumNanoseconds: value.SumNs, Slots: value.Slots}
		counts[l.describe(key)] += histogram.Count()
	}
	l.Each(func(key probe.SeriesKey, histogram *Histogram) {
		counts[l.describe(key)] += histogram.Count()
	})
	return counts
}

func (l ledgerTest) describe(key probe.SeriesKey) string {
	if instance, role, other := probe.IsOther(key.Operation); other {
		return fmt.Sprintf("%d other %d %d", instance, role, key.Failure)
	}
	operation, known := l.Lookup(key.Operation)
	if !known {
		l.t.Errorf("the ledger holds a series of operation %d, which it does not know", key.Operation)
	}
	return fmt.Sprintf("%d %s %s %d", operation.Instance, operation.Method, operation.Route, key.Status)
}

func (l ledgerTest) expect(want map[string]uint64, overflow uint64) {
	l.t.Helper()
	if got := l.counts(); !maps.Equal(got, want) {
		l.t.Errorf("filed are %v, want %v", got, want)
	}
	if got := l.Overflow(); got != overflow {
		l.t.Errorf("%d observations overflowed, want %d", got, overflow)
	}
}
