package probe

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"

	"sonde_exporter/bpf"
)

// batchSize is how many series one system call copies: 2 KB each.
const batchSize = 256

// Reader reads all series, and keeps its buffers for the next time. Not safe for
// concurrent use.
type Reader struct {
	series *ebpf.Map
	keys   []SeriesKey
	values []bpf.SondeHistogram
}

// NewReader returns a reader of the series.
func (p *Probe) NewReader() *Reader {
	return &Reader{
		series: p.objects.Series,
		keys:   make([]SeriesKey, batchSize),
		values: make([]bpf.SondeHistogram, batchSize),
	}
}

// Each calls visit with every series. The histogram is only valid until visit
// returns. The kernel goes on counting, so sum and slots of one series may be a
// request apart.
func (r *Reader) Each(visit func(SeriesKey, *bpf.SondeHistogram)) error {
	var cursor ebpf.MapBatchCursor
	for {
		n, err := r.series.BatchLookup(&cursor, r.keys, r.values, nil)
		for i := range n {
			visit(r.keys[i], &r.values[i])
		}
		switch {
		case errors.Is(err, ebpf.ErrKeyNotExist):
			return nil
		case errors.Is(err, errNoSpace) && len(r.keys) < 1<<16:
			// A hash bucket holds more than the buffers: the kernel wants them larger.
			r.keys = make([]SeriesKey, 2*len(r.keys))
			r.values = make([]bpf.SondeHistogram, 2*len(r.values))
		case err != nil:
			return fmt.Errorf("the series cannot be read from the kernel: %w", err)
		}
	}
}

// RemoveSeries deletes the series of operations that match, overflow series
// included, after visit has had their last values.
func (p *Probe) RemoveSeries(matches func(operation uint32) bool, visit func(SeriesKey, *bpf.SondeHistogram)) error {
	var doomed []SeriesKey
	err := p.NewReader().Each(func(key SeriesKey, value *bpf.SondeHistogram) {
		if matches(key.Operation) {
			doomed = append(doomed, key)
			visit(key, value)
		}
	})
	if err != nil {
		return err
	}
	var counted uint32
	for _, key := range doomed {
		if err := p.objects.Series.Delete(key); err != nil {
			return fmt.Errorf("a series cannot be removed: %w", err)
		}
		if _, _, other := IsOther(key.Operation); !other {
			counted++
		}
	}
	return increase(p.objects.SeriesRetired, counted)
}

// Filing says where an observation of user space belongs.
type Filing int

// The results of CreateSeries.
const (
	Created Filing = iota // the series was made, with the observation in it
	Exists                // the kernel has the series
	NoRoom                // a limit, or the kernel's memory, leaves no room for it
)

// CreateSeries makes a series of an instance that has the given value, unless it
// exists or a limit forbids it.
func (p *Probe) CreateSeries(instance uint32, key SeriesKey, value *bpf.SondeHistogram) Filing {
	var existing bpf.SondeHistogram
	if p.objects.Series.Lookup(key, &existing) == nil {
		return Exists
	}
	if _, _, other := IsOther(key.Operation); !other && !p.hasRoom(instance) {
		return NoRoom
	}
	switch err := p.objects.Series.Update(key, value, ebpf.UpdateNoExist); {
	case errors.Is(err, ebpf.ErrKeyExist):
		return Exists // the kernel was faster
	case err != nil:
		return NoRoom
	}
	if _, _, other := IsOther(key.Operation); !other {
		p.countSeries(instance)
	}
	return Created
}

func (p *Probe) hasRoom(instance uint32) bool {
	service, err := p.Service(instance)
	if err != nil {
		return false
	}
	limit, err := p.SeriesLimit()
	if err != nil {
		return false
	}
	var limitPerService uint32
	if p.objects.SeriesLimitPerService.Get(&limitPerService) != nil {
		return false
	}
	p.controls.mu.Lock()
	defer p.controls.mu.Unlock()
	return service.Series+p.controls.all[instance].Series < limitPerService && p.SeriesCount() < limit
}

// countSeries lets the kernel's limits take the new series into account.
func (p *Probe) countSeries(instance uint32) {
	err := errors.Join(
		p.change(instance, func(c *bpf.SondeControl) { c.Series++ }),
		increase(p.objects.UserSeries, 1),
	)
	if err != nil {
		p.options.Logger.Error("a series is not counted", "err", err)
	}
}

// increase adds to a variable that only user space writes.
func increase(variable *ebpf.Variable, by uint32) error {
	var value uint32
	if err := variable.Get(&value); err != nil {
		return fmt.Errorf("%s cannot be read: %w", variable, err)
	}
	if err := variable.Set(value + by); err != nil {
		return fmt.Errorf("%s cannot be set: %w", variable, err)
	}
	return nil
}

// SeriesLimit is how many series there may be, overflow series aside: what Apply
// was given, or what Open made room for if that is less.
func (p *Probe) SeriesLimit() (uint32, error) {
	var limit uint32
	if err := p.objects.SeriesLimit.Get(&limit); err != nil {
		return 0, fmt.Errorf("the limit of series cannot be read: %w", err)
	}
	return limit, nil
}

// SeriesCount is how many series there are, overflow series aside.
func (p *Probe) SeriesCount() uint32 {
	var sum [3]uint32
	for i, variable := range []*ebpf.Variable{p.objects.SeriesCount, p.objects.UserSeries, p.objects.SeriesRetired} {
		if variable.Get(&sum[i]) != nil {
			return 0
		}
	}
	return sum[0] + sum[1] - sum[2]
}
