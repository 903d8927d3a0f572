package series

// Histogram is the value of one series in the kernel's map. Its layout equals
// the C struct { __u64 sum_ns; __u64 slots[MaxSlots]; }.
//
// There is no counter of observations: Count sums the slots, so that count and
// buckets agree even when the kernel adds to them during the copy.
type Histogram struct {
	SumNanoseconds uint64
	Slots          [MaxSlots]uint64
}

// Observe counts one duration in nanoseconds.
func (h *Histogram) Observe(t *Table, ns uint64) {
	h.SumNanoseconds += ns
	h.Slots[t.Slot(ns)]++
}

// Add adds the counts of another series that was kept with the same table.
func (h *Histogram) Add(other *Histogram) {
	h.SumNanoseconds += other.SumNanoseconds
	for i, count := range other.Slots {
		h.Slots[i] += count
	}
}

// Count returns the number of observations.
func (h *Histogram) Count() uint64 {
	var count uint64
	for _, slot := range h.Slots {
		count += slot
	}
	return count
}
