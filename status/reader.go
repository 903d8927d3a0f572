package status

import (
	"context"
	"log/slog"
	"time"

	"sonde_exporter/collector"
	"sonde_exporter/discovery"
	"sonde_exporter/probe"
	"sonde_exporter/series"
	"sonde_exporter/tlslib"
	"sonde_exporter/tlstap"
)

// KernelSide is what the status needs of [probe.Probe].
type KernelSide interface {
	Service(id uint32) (probe.Service, error)
	Ports() ([]probe.PortCount, error)
	Taps() []probe.Tap
	Programs() ([]probe.ProgramStats, error)
	Maps() ([]probe.MapStats, error)
	Losses() ([]probe.Loss, error)
	SeriesCount() uint32
	SeriesLimit() (uint32, error)
}

// TLSSide is what the status needs of [tlstap.Tap].
type TLSSide interface {
	Hidden(service uint32) []tlslib.Hidden
	Files() []tlstap.File
	Failures() []tlstap.Failure
}

// Options is where the status comes from.
type Options struct {
	Kernel      KernelSide
	TLS         TLSSide
	Instances   func() []discovery.Instance
	Fold        func(context.Context) (series.Fold, error)
	Connections func() (map[discovery.Service][]collector.Connections, error)
	Overflow    func() (uint64, error)
	Table       *series.Table
	// Describe tells what only the program itself knows.
	Describe func() Description
	Logger   *slog.Logger
}

// Description is what the program knows of itself.
type Description struct {
	Sonde           Sonde // but for its uptime
	Config          Configuration
	Collectors      []Collector
	Exports         []Export
	LimitPerService int
	// Untimed is why the kernel does not time programs, and empty if it does.
	Untimed string
}

const (
	// shelfLife is how long a status is handed out at least. Pages that are
	// loaded in a loop must not load the host, so a reading that took long is
	// handed out for longer: reading takes at most one part in effort of a CPU.
	shelfLife = time.Second
	effort    = 20
)

// Reader reads the status and remembers the last minutes. It is safe for
// concurrent use.
type Reader struct {
	options Options
	// reading holds a token while somebody reads. What follows is of that one.
	reading chan struct{}
	history history
	status  *Status
	expires time.Time
}

// NewReader returns a reader whose window begins now. Sonde should have counted
// nothing yet.
func NewReader(options Options) *Reader {
	return &Reader{
		options: options, reading: make(chan struct{}, 1),
		history: newHistory(newSample(time.Now(), cpuTime()), SinceStart),
	}
}

// Run takes samples until ctx ends.
func (r *Reader) Run(ctx context.Context) {
	ticks := time.NewTicker(interval)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
			r.take(ctx, r.history.note)
		}
	}
}

// Restart begins a new window: a reload of the configuration has changed what is
// counted, or has given services other names, under which nothing was counted in the
// old one.
func (r *Reader) Restart(ctx context.Context) {
	r.take(ctx, func(now sample) { r.history = newHistory(now, SinceReload) })
}

// take hands a new sample over. One that is missing makes an interval longer.
func (r *Reader) take(ctx context.Context, use func(sample)) {
	if r.begin(ctx) != nil {
		return
	}
	defer r.end()
	r.expires = time.Time{}
	now, err := r.sample(ctx)
	if err == nil {
		use(now)
	} else if ctx.Err() == nil {
		r.options.Logger.Error("the status page lacks a sample of the last minutes", "err", err)
	}
}

func (r *Reader) begin(ctx context.Context) error {
	select {
	case r.reading <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *Reader) end() { <-r.reading }

// Read returns the status, at most about a second old. Who asks at the same time
// gets the same one. The error is that of ctx.
func (r *Reader) Read(ctx context.Context) (*Status, error) {
	if err := r.begin(ctx); err != nil {
		return nil, err
	}
	defer r.end()
	began := time.Now()
	if began.Before(r.expires) {
		return r.status, nil
	}
	// Others wait for this reading too, so it must not end with its client.
	r.status = r.read(context.WithoutCancel(ctx))
	ended := time.Now()
	r.expires = ended.Add(max(shelfLife, effort*ended.Sub(began)))
	return r.status, nil
}

// sample reads what has been counted.
func (r *Reader) sample(ctx context.Context) (sample, error) {
	fold, err := r.options.Fold(ctx)
	if err != nil {
		return sample{}, err
	}
	now := newSample(time.Now(), cpuTime())
	now.requests = tallies(fold)
	now.appeared = appearancesOf(r.options.Instances())
	programs, err := r.options.Kernel.Programs()
	for _, program := range programs {
		now.programs[program.Name] = program
	}
	return now, err
}
