// Package series holds the latency model that the kernel and user space share:
// the slot table, the counters of one series, and their Prometheus form.
//
// The kernel counts integer nanoseconds into slots. The slot bounds are the
// union of native histogram bounds and classic bounds, so the same counters
// fold into both kinds of histogram without an estimate.
package series

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

const (
	// MaxSlots is the number of counters that the kernel keeps for one series.
	MaxSlots = 240

	// MaxClassicBounds is the number of classic bounds for which a table
	// always has room: one slot stays for durations above every bound.
	MaxClassicBounds = MaxSlots - 1 - (lastNativeKey - zeroKey + 1)

	nanosecondsPerSecond = 1e9

	// float64 holds every integer up to 2^53. Beyond it (104 days of
	// nanoseconds) a bound could no longer be told from its neighbours.
	maxBoundSeconds = (1 << 53) / nanosecondsPerSecond
)

// Table says which durations share a slot, and to which native and classic
// buckets each slot belongs. It is immutable and safe for concurrent use.
type Table struct {
	bounds [MaxSlots]uint64 // inclusive upper bounds in nanoseconds, padded with MaxUint64
	slots  int              // slots in use, the one above all bounds included

	native      [MaxSlots]uint8 // index into nativeCounts for each slot
	classic     []float64       // upper bounds in seconds as the operator gave them
	classicSlot []int           // the last slot of each classic bucket

	// Every dto.Histogram points at these two instead of allocating them.
	schema        int32
	zeroThreshold float64
}

// NewTable builds the slot table for the given classic upper bounds in seconds.
// The bounds must be finite, positive and strictly increasing, and at most
// MaxClassicBounds. A final +Inf is accepted and dropped, since it is implied.
func NewTable(classic []float64) (*Table, error) {
	if n := len(classic); n > 0 && math.IsInf(classic[n-1], +1) {
		classic = classic[:n-1]
	}
	if err := checkClassicBounds(classic); err != nil {
		return nil, err
	}

	t := &Table{
		classic:       slices.Clone(classic),
		schema:        nativeSchema,
		zeroThreshold: nativeBound(zeroKey),
	}
	native := nativeBoundsInNanoseconds()
	union := slices.Clone(native)
	for _, bound := range t.classic {
		union = append(union, floorNanoseconds(bound))
	}
	slices.Sort(union)
	union = slices.Compact(union)

	t.slots = len(union) + 1
	for i := range t.bounds {
		t.bounds[i] = math.MaxUint64
	}
	copy(t.bounds[:], union)
	for i, bound := range t.bounds {
		// Past the last native bound this is len(native): the clamped bucket.
		index, _ := slices.BinarySearch(native, bound)
		t.native[i] = uint8(index)
	}
	for _, bound := range t.classic {
		t.classicSlot = append(t.classicSlot, t.Slot(floorNanoseconds(bound)))
	}
	return t, nil
}

func checkClassicBounds(classic []float64) error {
	if len(classic) > MaxClassicBounds {
		return fmt.Errorf("histogram buckets: %d bounds given, at most %d fit: remove some", len(classic), MaxClassicBounds)
	}
	for i, bound := range classic {
		if math.IsNaN(bound) || bound <= 0 || bound > maxBoundSeconds {
			return fmt.Errorf("histogram buckets: bound %g is out of range: use seconds above 0 and up to %.0f", bound, math.Floor(maxBoundSeconds))
		}
		if i > 0 && bound <= classic[i-1] {
			return fmt.Errorf("histogram buckets: bound %g follows %g: put the bounds in increasing order", bound, classic[i-1])
		}
	}
	return nil
}

// floorNanoseconds returns the largest integer number of nanoseconds that is
// not above the bound once divided into float64 seconds.
//
// It is defined by that division, not by multiplying the bound, because that is
// what every Prometheus client computes: 0.3 as float64 lies below three tenths,
// yet 300,000,000 ns becomes exactly that float and belongs beneath the bound.
func floorNanoseconds(bound float64) uint64 {
	ns := uint64(bound * nanosecondsPerSecond)
	for float64(ns)/nanosecondsPerSecond > bound {
		ns--
	}
	for float64(ns+1)/nanosecondsPerSecond <= bound {
		ns++
	}
	return ns
}

// Bounds returns the inclusive upper bounds in nanoseconds, in increasing order.
// Entries from Slots()-1 on are MaxUint64, so that a search without a length
// ends in the slot above all bounds.
func (t *Table) Bounds() [MaxSlots]uint64 { return t.bounds }

// Slots returns how many slots are in use, the one above all bounds included.
func (t *Table) Slots() int { return t.slots }

// Slot returns the index of the slot that counts a duration in nanoseconds:
// the first one whose bound is not below it.
func (t *Table) Slot(ns uint64) int {
	return sort.Search(t.slots-1, func(i int) bool { return ns <= t.bounds[i] })
}
