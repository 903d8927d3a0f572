package main

import (
	"errors"
	"slices"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// putPatience is how long the kernel may take to find memory for a series.
const putPatience = time.Second

// sharedStore has one histogram for each series: what Sonde does, see bpf/series.h.
type sharedStore struct{ series *ebpf.Map }

func newSharedStore(capacity int) (store, error) {
	m, err := newMap(ebpf.Hash, unix.BPF_F_NO_PREALLOC, wordSize, valueSize, capacity)
	return &sharedStore{m}, err
}

func (s *sharedStore) put(key uint64) error { return s.series.Put(key, blank()) }

func (s *sharedStore) observe(key uint64, slot int) asm.Instructions {
	return slices.Concat(storeOnStack(keyOnStack, key), lookUp(s.series, keyOnStack), addTo(slot, atomicAdd))
}

func (s *sharedStore) maps() []*ebpf.Map { return []*ebpf.Map{s.series} }

func (s *sharedStore) Close() error { return closeMaps(s.series) }

func (s *sharedStore) readers() []reader {
	entries := newBatch[uint64, histogram](s.series, 1)
	return []reader{
		{"in batches", func(visit func(uint64, *histogram)) error {
			return entries.each(func(key uint64, values []histogram) { visit(key, &values[0]) })
		}},
		{"one by one", func(visit func(uint64, *histogram)) error {
			var key uint64
			var value histogram
			entries := s.series.Iterate()
			for entries.Next(&key, &value) {
				visit(key, &value)
			}
			return entries.Err()
		}},
	}
}

// perCPUStore has a histogram for each series and CPU. With plain adds it is not
// exact: a program on a packet that arrives may interrupt one on a packet that is
// sent between its load and its store.
type perCPUStore struct {
	series *ebpf.Map
	cpus   int
	add    adder
}

func newPerCPUStore(capacity int, add adder) (store, error) {
	cpus, err := ebpf.PossibleCPU()
	if err != nil {
		return nil, err
	}
	m, err := newMap(ebpf.PerCPUHash, unix.BPF_F_NO_PREALLOC, wordSize, valueSize, capacity)
	return &perCPUStore{m, cpus, add}, err
}

// put counts what it makes on one CPU. The kernel keeps a few values ready for maps
// that are not preallocated, and has none while it makes more in the background.
func (s *perCPUStore) put(key uint64) error {
	values := make([]histogram, s.cpus)
	values[0] = blank()
	for deadline := time.Now().Add(putPatience); ; time.Sleep(time.Millisecond) {
		err := s.series.Put(key, values)
		if !errors.Is(err, unix.ENOMEM) || time.Now().After(deadline) {
			return err
		}
	}
}

func (s *perCPUStore) observe(key uint64, slot int) asm.Instructions {
	return slices.Concat(storeOnStack(keyOnStack, key), lookUp(s.series, keyOnStack), addTo(slot, s.add))
}

func (s *perCPUStore) maps() []*ebpf.Map { return []*ebpf.Map{s.series} }

func (s *perCPUStore) Close() error { return closeMaps(s.series) }

func (s *perCPUStore) readers() []reader {
	entries := newBatch[uint64, histogram](s.series, s.cpus)
	return []reader{{"in batches", func(visit func(uint64, *histogram)) error {
		return entries.each(func(key uint64, values []histogram) {
			sum := &values[0]
			for i := range values[1:] {
				sum.add(&values[1+i])
			}
			visit(key, sum)
		})
	}}}
}

func (h *histogram) add(other *histogram) {
	h.SumNS += other.SumNS
	for i, n := range other.Slots {
		h.Slots[i] += n
	}
}
