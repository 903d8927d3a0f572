package series

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"

	"sonde_exporter/bpf"
	"sonde_exporter/probe"
	"sonde_exporter/routes"
)

// Kernel is what the ledger needs of the kernel side.
type Kernel interface {
	Teach(key probe.OperationKey, operation uint32) error
	Known(key probe.OperationKey) (operation uint32, ok bool)
	ForgetOperations(matches func(probe.OperationKey) bool) error
	CreateSeries(instance uint32, key probe.SeriesKey, value *bpf.SondeHistogram) probe.Filing
	RemoveSeries(matches func(operation uint32) bool, visit func(probe.SeriesKey, *bpf.SondeHistogram)) error
}

// Limits bound the series; overflow series come on top.
type Limits struct {
	Series, PerService int
}

// taughtAtOnce bounds the operations that the ledger remembers having taught.
const taughtAtOnce = 8192

// Ledger files what the kernel cannot file by itself: it names operations that
// the kernel has not seen before and keeps the requests that ended before the
// kernel knew the name. It is safe for concurrent use.
type Ledger struct {
	kernel  Kernel
	table   *Table
	catalog *Catalog
	logger  *slog.Logger
	// serviceName tells how an instance is called; each service has its own words.
	serviceName func(instance uint32) string

	mu       sync.Mutex
	namer    *routes.Namer
	taught   map[probe.OperationKey]uint32  // lately; the kernel may have forgotten it since
	own      map[probe.SeriesKey]*Histogram // what came too late to create a series of the kernel
	overflow uint64
}

// NewLedger returns an empty ledger.
func NewLedger(kernel Kernel, table *Table, namer *routes.Namer, limits Limits, serviceName func(uint32) string, logger *slog.Logger) *Ledger {
	return &Ledger{
		kernel: kernel, table: table, namer: namer, serviceName: serviceName, logger: logger,
		catalog: NewCatalog(limits.Series, limits.PerService),
		taught:  map[probe.OperationKey]uint32{},
		own:     map[probe.SeriesKey]*Histogram{},
	}
}

// Configure puts new routes and limits in force. Operations get their new names
// when they are next seen; what was counted stays under the old ones.
func (l *Ledger) Configure(namer *routes.Namer, limits Limits) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.namer = namer
	l.catalog.SetLimits(limits.Series, limits.PerService)
	return l.kernel.ForgetOperations(func(probe.OperationKey) bool { return true })
}

// Operation implements probe.RequestHandler: it names a path that the kernel has
// not seen before.
func (l *Ledger) Operation(event *probe.OperationEvent) {
	l.mu.Lock() // so that Configure cannot come between name and Teach
	defer l.mu.Unlock()
	if len(l.taught) >= taughtAtOnce {
		clear(l.taught)
	}
	number := l.number(event)
	l.taught[event.Key] = number
	if err := l.kernel.Teach(event.Key, number); err != nil {
		l.logger.Error("an operation stays unknown", "err", err)
	}
}

func (l *Ledger) number(event *probe.OperationEvent) uint32 {
	key := event.Key
	path := string(event.Path[:min(int(event.PathLength), len(event.Path))])
	route, ignored := l.namer.Route(l.serviceName(key.Service), path)
	l.explain(event, path, route)
	if ignored {
		return probe.Ignored
	}
	role, overTLS := probe.Side(key)
	operation := Operation{
		Instance: key.Service, Role: Role(role), OverTLS: overTLS, ServerPort: key.ServerPort,
		Method: methodName(key.Method), Route: route,
	}
	if operation.Role == Client {
		operation.ServerAddress = serverAddress(event)
	}
	number, err := l.catalog.Number(operation)
	if err != nil {
		return probe.OtherOperation(key.Service, role)
	}
	return number
}

// explain says why a path has its route.
func (l *Ledger) explain(event *probe.OperationEvent, path, route string) {
	if !l.logger.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	role := "server"
	if side, _ := probe.Side(event.Key); Role(side) == Client {
		role = "client"
	}
	l.logger.Debug("a path got its route", "service", l.serviceName(event.Key.Service), "role", role,
		"method", methodName(event.Key.Method), "path", routes.Masked(path), "route", route, "by", l.namer.Source(path))
}

// Observation implements probe.RequestHandler: it files a request that ended
// before its operation had a number.
func (l *Ledger) Observation(event *probe.ObservationEvent) {
	key := probe.SeriesKey{Status: event.Status, Failure: event.Failure, Version: event.Version}
	l.mu.Lock()
	defer l.mu.Unlock()
	operation, known := l.known(event.Key)
	if operation == probe.Ignored {
		return
	}
	_, _, other := probe.IsOther(operation)
	key.Operation = operation
	if known && !other && l.file(key, event) {
		return
	}
	l.overflow++
	if key = otherKey(event); !l.file(key, event) {
		l.keep(key, event.DurationNs)
	}
}

// known looks up the number of an operation: a reload, or too many others, may
// have made the kernel forget it between its announcement and this request's end.
func (l *Ledger) known(key probe.OperationKey) (uint32, bool) {
	if operation, known := l.kernel.Known(key); known {
		return operation, true
	}
	operation, known := l.taught[key]
	return operation, known
}

// file puts an observation into its series, which it makes if need be. It is
// false if there is no room for that series.
func (l *Ledger) file(key probe.SeriesKey, event *probe.ObservationEvent) bool {
	if l.own[key] == nil {
		var first Histogram
		first.Observe(l.table, event.DurationNs)
		filing := l.kernel.CreateSeries(event.Key.Service, key, &bpf.SondeHistogram{
			SumNs: first.SumNanoseconds, Slots: first.Slots,
		})
		if filing != probe.Exists {
			return filing == probe.Created
		}
	}
	l.keep(key, event.DurationNs)
	return true
}

// keep adds to a series of the kernel on this side: only the kernel can add to
// its own without losing what it adds at the same time.
func (l *Ledger) keep(key probe.SeriesKey, ns uint64) {
	if l.own[key] == nil {
		l.own[key] = new(Histogram)
	}
	l.own[key].Observe(l.table, ns)
}

// otherKey is the overflow series of an observation, as other_operation() and
// is_error() in bpf/series.h choose it.
func otherKey(event *probe.ObservationEvent) probe.SeriesKey {
	role, _ := probe.Side(event.Key)
	key := probe.SeriesKey{Operation: probe.OtherOperation(event.Key.Service, role)}
	lowestError := uint16(500)
	if Role(role) == Client {
		lowestError = 400
	}
	if event.Failure != 0 || event.Status >= lowestError {
		key.Failure = uint8(bpf.SondeFailureFAILURE_OTHER)
	}
	return key
}

// Lookup returns the operation that has this number.
func (l *Ledger) Lookup(number uint32) (Operation, bool) { return l.catalog.Operation(number) }

// Route names the path of a request to or from an instance; ignored says that
// the operator does not want it counted.
func (l *Ledger) Route(instance uint32, path string) (route string, ignored bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.namer.Route(l.serviceName(instance), path)
}

// Each calls visit with a copy of every series that the ledger itself holds.
func (l *Ledger) Each(visit func(probe.SeriesKey, *Histogram)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, histogram := range l.own {
		copied := *histogram
		visit(key, &copied)
	}
}

// Overflow is how many observations the ledger filed in overflow series.
func (l *Ledger) Overflow() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.overflow
}

// Retire removes all series of an instance, here and in the kernel, after visit
// has had their last values.
func (l *Ledger) Retire(instance uint32, visit func(probe.SeriesKey, *Histogram)) error {
	belongs := func(number uint32) bool {
		if service, _, other := probe.IsOther(number); other {
			return service == instance
		}
		operation, known := l.catalog.Operation(number)
		return known && operation.Instance == instance
	}
	// First the numbers, so that nothing is filed under them any more.
	err := errors.Join(
		l.kernel.ForgetOperations(func(key probe.OperationKey) bool { return key.Service == instance }),
		l.kernel.RemoveSeries(belongs, func(key probe.SeriesKey, value *bpf.SondeHistogram) {
			histogram := Histogram{SumNanoseconds: value.SumNs, Slots: value.Slots}
			visit(key, &histogram)
		}),
	)
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.DeleteFunc(l.taught, func(key probe.OperationKey, _ uint32) bool { return key.Service == instance })
	maps.DeleteFunc(l.own, func(key probe.SeriesKey, histogram *Histogram) bool {
		if !belongs(key.Operation) {
			return false
		}
		visit(key, histogram)
		return true
	})
	return err
}

// Release forgets the names of an instance's operations, after Retire.
func (l *Ledger) Release(instance uint32) { l.catalog.Remove(instance) }

// Forget drops the words of routes that were learned for a service that has gone.
func (l *Ledger) Forget(serviceName string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.namer.Forget(serviceName)
}
