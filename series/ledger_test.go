package series

import (
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

// TestLedgerKeepsWhatTheKernelCountsToo: nobody but the kernel can add to its
// series, so later observations of one stay here, and both count.
func TestLedgerKeepsWhatTheKernelCountsToo(t *testing.T) {
	l := newLedgerTest(t, wide(), routes.Options{})
	key := l.ask(1, "/a")
	l.end(key, 200, bpf.SondeFailureFAILURE_NONE)
	l.kernel.count(1, probe.SeriesKey{Operation: l.kernel.operations[key], Status: 200, Version: 1})
	l.end(key, 200, bpf.SondeFailureFAILURE_NONE)
	l.end(key, 200, bpf.SondeFailureFAILURE_NONE)
	l.expect(map[string]uint64{"1 GET /a 200": 4}, 0)
	l.Each(func(_ probe.SeriesKey, histogram *Histogram) { histogram.SumNanoseconds, histogram.Slots[0] = 1, 99 })
	l.expect(map[string]uint64{"1 GET /a 200": 4}, 0) // Each showed copies
}

// TestLedgerWithoutMemory: not even the overflow series can be made.
func TestLedgerWithoutMemory(t *testing.T) {
	l := newLedgerTest(t, wide(), routes.Options{})
	l.kernel.noMemory = true
	for range 3 {
		l.end(l.ask(1, "/a"), 200, bpf.SondeFailureFAILURE_NONE)
	}
	l.expect(map[string]uint64{"1 other 0 0": 3}, 3)
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
		event.Key.Service, event.Key.Side = 5, uint8(c.role)
		if got := otherKey(event); got != c.want {
			t.Errorf("otherKey(role %d, status %d, failure %d) = %+v, want %+v", c.role, c.status, c.failure, got, c.want)
		}
	}
}

// TestLedgerExplains tells where a route comes from, and nothing of the path that
// may be a secret.
func TestLedgerExplains(t *testing.T) {
	options := routes.Options{Patterns: []string{"/users/{id}"}, Ignored: []string{"/health"}}
	l := newLedgerTestAt(t, slog.LevelDebug, wide(), options)
	for _, path := range []string{"/users/0f1e2d3c4b5a", "/health", "/reset/0f1e2d3c4b5a/now", "/a b\n"} {
		l.ask(1, path)
	}
	for _, want := range []string{
		`level=DEBUG msg="a path got its route" service="service 1" role=server method=GET path=/users/* route=/users/{id} by=pattern`,
		`path=/health route=/health by="ignored pattern"`,
		`path=/reset/*/now route=/reset/*/now by=heuristic`,
		`path=/* route=/* by=heuristic`,
	} {
		if !strings.Contains(l.log.String(), want) {
			t.Errorf("the log does not say %s:\n%s", want, l.log)
		}
	}
	if strings.Contains(l.log.String(), "0f1e2d3c4b5a") {
		t.Errorf("the log has what may be a secret:\n%s", l.log)
	}
	silent := newLedgerTest(t, wide(), options)
	silent.ask(1, "/users/1")
	if silent.log.Len() != 0 {
		t.Errorf("at level info the log says %s", silent.log)
	}
}

func TestLedgerCountsWhatItCannotName(t *testing.T) {
	l := newLedgerTest(t, wide(), routes.Options{})
	l.end(keyOf(1, "/never-announced"), 200, bpf.SondeFailureFAILURE_NONE)
	l.end(keyOf(1, "/never-announced"), 503, bpf.SondeFailureFAILURE_NONE)
	l.expect(map[string]uint64{"1 other 0 0": 1, fmt.Sprintf("1 other 0 %d", bpf.SondeFailureFAILURE_OTHER): 1}, 2)
	l.kernel.failure = errors.New("no memory")
	l.ask(1, "/a")
	if !strings.Contains(l.log.String(), "no memory") {
		t.Errorf("the log does not say why an operation stays unknown: %s", l.log)
	}
}

func TestLedgerLimits(t *testing.T) {
	const paths = 50
	cases := []struct {
		name   string
		limits Limits
		series map[uint32]int // of each instance, the overflow series aside
	}{
		{"per service", Limits{Series: 1000, PerService: 10}, map[uint32]int{1: 10, 2: 10}},
		{"in all", Limits{Series: 12, PerService: 10}, map[uint32]int{1: 10, 2: 2}},
		{"none", Limits{Series: 1000, PerService: 1000}, map[uint32]int{1: paths, 2: paths}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l := newLedgerTest(t, c.limits, routes.Options{Unmatched: routes.UnmatchedPath})
			for instance := range uint32(2) {
				for i := range paths {
					l.end(l.ask(instance+1, "/"+strings.Repeat("x", i+1)), 200, bpf.SondeFailureFAILURE_NONE)
				}
			}
			want := map[string]uint64{}
			overflow := uint64(0)
			for instance, series := range c.series {
				for i := range series {
					want[fmt.Sprintf("%d GET /%s 200", instance, strings.Repeat("x", i+1))] = 1
				}
				if rest := uint64(paths - series); rest > 0 {
					want[fmt.Sprintf("%d other 0 0", instance)] = rest
					overflow += rest
				}
			}
			l.expect(want, overflow)
		})
	}
}

// TestLedgerLimitOfStatusCodes: one operation may have more series than fit.
func TestLedgerLimitOfStatusCodes(t *testing.T) {
	l := newLedgerTest(t, Limits{Series: 100, PerService: 3}, routes.Options{})
	key := l.ask(1, "/a")
	for status := uint16(200); status < 202; status++ {
		l.kernel.count(1, probe.SeriesKey{Operation: l.kernel.operations[key], Status: status, Version: 1})
	}
	for status := uint16(300); status < 310; status++ {
		l.end(key, status, bpf.SondeFailureFAILURE_NONE)
	}
	l.expect(map[string]uint64{"1 GET /a 200": 1, "1 GET /a 201": 1, "1 GET /a 300": 1, "1 other 0 0": 9}, 9)
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
		l.end(key, 200, bpf.SondeFailureFAILURE_NONE)
		l.kernel.count(key.Service, probe.SeriesKey{Operation: l.kernel.operations[key], Status: 200, Version: 1})
		l.kernel.count(key.Service, probe.SeriesKey{Operation: probe.OtherOperation(key.Service, 1)})
	}
	l.end(keyOf(1, "/never-announced"), 200, bpf.SondeFailureFAILURE_NONE)
	number := l.kernel.operations[gone]

	last := map[string]uint64{}
	err := l.Retire(1, func(key probe.SeriesKey, histogram *Histogram) { last[l.describe(key)] += histogram.Count() })
	if err != nil {
		t.Fatal(err)
	}
	// Two from the kernel and one from the ledger, all under one name.
	want := map[string]uint64{"1 GET /a 200": 3, "1 other 1 0": 1, "1 other 0 0": 1}
	if !maps.Equal(last, want) {
		t.Errorf("Retire showed %v, want %v", last, want)
	}
	l.expect(map[string]uint64{"2 GET /a 200": 3, "2 other 1 0": 1}, 1)
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
