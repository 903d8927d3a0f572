package series

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"

	"sonde_exporter/bpf"
	"sonde_exporter/probe"
	"sonde_exporter/routes"
)

// fakeKernel keeps in plain maps what the ledger reads and writes in the kernel.
type fakeKernel struct {
	operations map[probe.OperationKey]uint32
	services   map[uint32]probe.Service
	series     map[probe.SeriesKey]bpf.SondeHistogram
	failure    error // of everything that can fail
}

func newFakeKernel() *fakeKernel {
	return &fakeKernel{
		operations: map[probe.OperationKey]uint32{},
		services:   map[uint32]probe.Service{1: {}, 2: {}},
		series:     map[probe.SeriesKey]bpf.SondeHistogram{},
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

func (k *fakeKernel) Service(id uint32) (probe.Service, error) {
	service, known := k.services[id]
	if !known {
		return service, errors.New("no such instance")
	}
	return service, k.failure
}

func (k *fakeKernel) SeriesCount() (count uint32) {
	for key := range k.series {
		if _, _, other := probe.IsOther(key.Operation); !other {
			count++
		}
	}
	return count
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
func (k *fakeKernel) count(key probe.SeriesKey, instance uint32) {
	value, exists := k.series[key]
	if !exists {
		service := k.services[instance]
		service.Series++
		k.services[instance] = service
	}
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
	kernel, log := newFakeKernel(), new(bytes.Buffer)
	nameOf := func(instance uint32) string { return fmt.Sprint("service ", instance) }
	ledger := NewLedger(kernel, newTestTable(t, conventionBounds()), newTestNamer(t, options), limits, nameOf,
		slog.New(slog.NewTextHandler(log, nil)))
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

// counts are the observations that the ledger holds, by route and status.
func (l ledgerTest) counts() map[string]uint64 {
	counts := map[string]uint64{}
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
		l.t.Errorf("the ledger holds %v, want %v", got, want)
	}
	if got := l.Overflow(); got != overflow {
		l.t.Errorf("%d observations overflowed, want %d", got, overflow)
	}
}

func wide() Limits { return Limits{Series: 1000, PerService: 100} }

func TestLedgerTeachesAndFiles(t *testing.T) {
	l := newLedgerTest(t, wide(), routes.Options{Patterns: []string{"/users/{id}"}})
	first, second := l.ask(1, "/users/1"), l.ask(1, "/users/2")
	if l.kernel.operations[first] != l.kernel.operations[second] || l.kernel.operations[first] == 0 {
		t.Errorf("two paths of one route were taught as %d and %d", l.kernel.operations[first], l.kernel.operations[second])
	}
	other := l.ask(2, "/users/1")
	if l.kernel.operations[other] == l.kernel.operations[first] {
		t.Error("two instances share an operation")
	}
	l.end(first, 200, bpf.SondeFailureFAILURE_NONE)
	l.end(second, 200, bpf.SondeFailureFAILURE_NONE)
	l.end(first, 500, bpf.SondeFailureFAILURE_NONE)
	l.end(other, 200, bpf.SondeFailureFAILURE_NONE)
	l.expect(map[string]uint64{
		"1 GET /users/{id} 200": 2, "1 GET /users/{id} 500": 1, "2 GET /users/{id} 200": 1,
	}, 0)
}

func TestLedgerCopiesWhatItShows(t *testing.T) {
	l := newLedgerTest(t, wide(), routes.Options{})
	l.end(l.ask(1, "/a"), 200, bpf.SondeFailureFAILURE_NONE)
	l.Each(func(_ probe.SeriesKey, histogram *Histogram) { histogram.SumNanoseconds, histogram.Slots[0] = 1, 99 })
	l.expect(map[string]uint64{"1 GET /a 200": 1}, 0)
}

func TestLedgerOfClients(t *testing.T) {
	l := newLedgerTest(t, wide(), routes.Options{})
	event := calling("Shop.example:8080", "192.0.2.7")
	event.Key.Service, event.Key.ServerPort = 1, 8080
	event.Path[0], event.PathLength = '/', 1
	l.Operation(event)
	operation, known := l.Lookup(l.kernel.operations[event.Key])
	want := Operation{Instance: 1, Role: Client, ServerPort: 8080, ServerAddress: "shop.example", Method: "_OTHER", Route: "/"}
	if !known || operation != want {
		t.Errorf("operation %+v, want %+v", operation, want)
	}
}

// TestLedgerReadsNoFartherThanThePath has lengths that no kernel sends.
func TestLedgerReadsNoFartherThanThePath(t *testing.T) {
	l := newLedgerTest(t, wide(), routes.Options{Unmatched: routes.UnmatchedPath})
	event := &probe.OperationEvent{Key: keyOf(1, "long"), PathLength: 65535, HostLength: 65535}
	for i := range event.Path {
		event.Path[i] = 0xff
	}
	l.Operation(event)
	operation, known := l.Lookup(l.kernel.operations[event.Key])
	if !known || strings.Contains(operation.Route, "\xff") {
		t.Errorf("operation %+v, known: %t; want a route of valid UTF-8", operation, known)
	}
}

func TestLedgerIgnores(t *testing.T) {
	l := newLedgerTest(t, wide(), routes.Options{Ignored: []string{"/healthz"}})
	key := l.ask(1, "/healthz")
	if l.kernel.operations[key] != probe.Ignored {
		t.Errorf("an ignored path was taught as %d", l.kernel.operations[key])
	}
	l.end(key, 200, bpf.SondeFailureFAILURE_NONE)
	l.end(key, 0, bpf.SondeFailureFAILURE_RESET)
	l.expect(map[string]uint64{}, 0)
}

// TestOtherKeyEqualsTheKernels has the numbers that other_operation() and
// is_error() in bpf/series.h make, written out.
func TestOtherKeyEqualsTheKernels(t *testing.T) {
	const failed = uint8(bpf.SondeFailureFAILURE_OTHER)
	cases := []struct {
		role    Role
		status  uint16
		failure bpf.SondeFailure
		want    probe.SeriesKey
	}{
		{Server, 200, bpf.SondeFailureFAILURE_NONE, probe.SeriesKey{Operation: 0x8000000a}},
		{Server, 499, bpf.SondeFailureFAILURE_NONE, probe.SeriesKey{Operation: 0x8000000a}},
		{Server, 500, bpf.SondeFailureFAILURE_NONE, probe.SeriesKey{Operation: 0x8000000a, Failure: failed}},
		{Server, 0, bpf.SondeFailureFAILURE_CLOSED, probe.SeriesKey{Operation: 0x8000000a, Failure: failed}},
		{Server, 200, bpf.SondeFailureFAILURE_TRUNCATED, probe.SeriesKey{Operation: 0x8000000a, Failure: failed}},
		{Client, 399, bpf.SondeFailureFAILURE_NONE, probe.SeriesKey{Operation: 0x8000000b}},
		{Client, 400, bpf.SondeFailureFAILURE_NONE, probe.SeriesKey{Operation: 0x8000000b, Failure: failed}},
		{Client, 0, bpf.SondeFailureFAILURE_TIMEOUT, probe.SeriesKey{Operation: 0x8000000b, Failure: failed}},
	}
	for _, c := range cases {
		event := &probe.ObservationEvent{Status: c.status, Failure: uint8(c.failure), Version: 1}
		event.Key.Service, event.Key.Role = 5, uint8(c.role)
		if got := otherKey(event); got != c.want {
			t.Errorf("otherKey(role %d, status %d, failure %d) = %+v, want %+v", c.role, c.status, c.failure, got, c.want)
		}
	}
}

func TestLedgerCountsWhatItCannotName(t *testing.T) {
	l := newLedgerTest(t, wide(), routes.Options{})
	l.end(keyOf(1, "/never-announced"), 200, bpf.SondeFailureFAILURE_NONE)
	l.end(keyOf(1, "/never-announced"), 503, bpf.SondeFailureFAILURE_NONE)
	l.expect(map[string]uint64{"1 other 0 0": 1, "1 other 0 5": 1}, 2)
	l.kernel.failure = errors.New("no memory")
	l.ask(1, "/a")
	if !strings.Contains(l.log.String(), "no memory") {
		t.Errorf("the log does not say why an operation stays unknown: %s", l.log)
	}
}

func TestLedgerLimits(t *testing.T) {
	const paths = 50
	bomb := func(l ledgerTest, instance uint32) {
		for i := range paths {
			l.end(l.ask(instance, "/"+strings.Repeat("x", i+1)), 200, bpf.SondeFailureFAILURE_NONE)
		}
	}
	sum := func(l ledgerTest, instance string) (series int, observations uint64) {
		for name, count := range l.counts() {
			if strings.HasPrefix(name, instance+" ") {
				observations += count
				series++
			}
		}
		return series, observations
	}
	cases := []struct {
		name    string
		limits  Limits
		options routes.Options
		own     map[string]int // most series of each instance, the overflow series aside
	}{
		{"per service", Limits{Series: 1000, PerService: 10}, routes.Options{Unmatched: routes.UnmatchedPath}, map[string]int{"1": 10, "2": 10}},
		{"in all", Limits{Series: 12, PerService: 10}, routes.Options{Unmatched: routes.UnmatchedPath}, map[string]int{"1": 10, "2": 2}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l := newLedgerTest(t, c.limits, c.options)
			for instance := range uint32(2) {
				bomb(l, instance+1)
			}
			for instance, most := range c.own {
				got, observations := sum(l, instance)
				if observations != paths {
					t.Errorf("instance %s has %d observations, want %d", instance, observations, paths)
				}
				if got > most+1 || l.counts()[instance+" other 0 0"] == 0 {
					t.Errorf("instance %s has %d series, want at most %d and an overflow series", instance, got, most)
				}
			}
		})
	}
}

// TestLedgerLimitCountsTheKernelsSeries has the kernel hold some already.
func TestLedgerLimitCountsTheKernelsSeries(t *testing.T) {
	l := newLedgerTest(t, Limits{Series: 100, PerService: 3}, routes.Options{Unmatched: routes.UnmatchedPath})
	key := l.ask(1, "/a")
	for status := uint16(200); status < 202; status++ {
		l.kernel.count(probe.SeriesKey{Operation: l.kernel.operations[key], Status: status, Version: 1}, 1)
	}
	for status := uint16(300); status < 310; status++ {
		l.end(key, status, bpf.SondeFailureFAILURE_NONE)
	}
	l.expect(map[string]uint64{"1 GET /a 300": 1, "1 other 0 0": 9}, 9)
}

func TestLedgerConfigure(t *testing.T) {
	l := newLedgerTest(t, wide(), routes.Options{Patterns: []string{"/v1/*"}})
	before := l.ask(1, "/v1/users")
	l.end(before, 200, bpf.SondeFailureFAILURE_NONE)
	if err := l.Configure(newTestNamer(t, routes.Options{Patterns: []string{"/v1/users"}}), wide()); err != nil {
		t.Fatal(err)
	}
	if len(l.kernel.operations) != 0 {
		t.Errorf("the kernel still knows %v under old names", l.kernel.operations)
	}
	l.end(l.ask(1, "/v1/users"), 200, bpf.SondeFailureFAILURE_NONE)
	l.expect(map[string]uint64{"1 GET /v1/* 200": 1, "1 GET /v1/users 200": 1}, 0)
	if err := l.Configure(newTestNamer(t, routes.Options{}), Limits{Series: 1, PerService: 1}); err != nil {
		t.Fatal(err)
	}
	l.end(l.ask(1, "/new"), 200, bpf.SondeFailureFAILURE_NONE)
	l.expect(map[string]uint64{"1 GET /v1/* 200": 1, "1 GET /v1/users 200": 1, "1 other 0 0": 1}, 1)
	l.kernel.failure = errors.New("no map")
	if err := l.Configure(newTestNamer(t, routes.Options{}), wide()); !errors.Is(err, l.kernel.failure) {
		t.Errorf("Configure: %v, want the kernel's error", err)
	}
}

func TestLedgerRetireAndRelease(t *testing.T) {
	l := newLedgerTest(t, wide(), routes.Options{})
	gone, stays := l.ask(1, "/a"), l.ask(2, "/a")
	for _, key := range []probe.OperationKey{gone, stays} {
		l.end(key, 200, bpf.SondeFailureFAILURE_NONE)
		l.kernel.count(probe.SeriesKey{Operation: l.kernel.operations[key], Status: 200, Version: 1}, key.Service)
		l.kernel.count(probe.SeriesKey{Operation: probe.OtherOperation(key.Service, 1)}, key.Service)
	}
	l.end(keyOf(1, "/never-announced"), 200, bpf.SondeFailureFAILURE_NONE)
	number := l.kernel.operations[gone]

	last := map[string]uint64{}
	err := l.Retire(1, func(key probe.SeriesKey, histogram *Histogram) { last[l.describe(key)] += histogram.Count() })
	if err != nil {
		t.Fatal(err)
	}
	// One from the kernel and one from the ledger, both under one name.
	want := map[string]uint64{"1 GET /a 200": 2, "1 other 1 0": 1, "1 other 0 0": 1}
	if !maps.Equal(last, want) {
		t.Errorf("Retire showed %v, want %v", last, want)
	}
	l.expect(map[string]uint64{"2 GET /a 200": 1}, 1)
	if _, known := l.kernel.operations[gone]; known {
		t.Error("the kernel still knows an operation of the instance that is gone")
	}
	if len(l.kernel.series) != 2 || l.kernel.operations[stays] == 0 {
		t.Errorf("the kernel has %d series of the other instance, want 2", len(l.kernel.series))
	}
	if _, known := l.Lookup(number); !known {
		t.Error("Retire forgot a name before Release")
	}
	l.Release(1)
	if _, known := l.Lookup(number); known {
		t.Error("Release left a name")
	}
	l.kernel.failure = errors.New("no map")
	if err := l.Retire(2, func(probe.SeriesKey, *Histogram) {}); !errors.Is(err, l.kernel.failure) {
		t.Errorf("Retire: %v, want the kernel's error", err)
	}
}
