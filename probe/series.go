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
	var retired, counted uint32
	for _, key := range doomed {
		if err := p.objects.Series.Delete(key); err != nil {
			return fmt.Errorf("a series cannot be removed: %w", err)
		}
		if _, _, other := IsOther(key.Operation); !other {
			counted++
		}
	}
	if err := p.objects.SeriesRetired.Get(&retired); err != nil {
		return fmt.Errorf("the number of series cannot be read: %w", err)
	}
	return p.objects.SeriesRetired.Set(retired + counted)
}

// SeriesCount is how many series the kernel keeps, overflow series aside.
func (p *Probe) SeriesCount() uint32 {
	var created, retired uint32
	if p.objects.SeriesCount.Get(&created) != nil || p.objects.SeriesRetired.Get(&retired) != nil {
		return 0
	}
	return created - retired
}
