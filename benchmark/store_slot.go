package main

import (
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// slotStore has an entry for each slot of a series that is used.
type slotStore struct{ slots *ebpf.Map }

// slotKey and slotCount are an entry.
type (
	slotKey   struct{ Series, Slot uint64 }
	slotCount struct{ SumNS, Count uint64 }
)

func newSlotStore(capacity int) (store, error) {
	m, err := newMap(ebpf.Hash, unix.BPF_F_NO_PREALLOC, 2*wordSize, 2*wordSize, capacity*usedSlots)
	return &slotStore{m}, err
}

func (s *slotStore) put(key uint64) error {
	for slot := range uint64(usedSlots) {
		if err := s.slots.Put(slotKey{key, firstSlot + slot}, slotCount{observedNS, 1}); err != nil {
			return err
		}
	}
	return nil
}

func (s *slotStore) observe(key uint64, slot int) asm.Instructions {
	return slices.Concat(
		storeOnStack(pairOnStack, key), storeOnStack(slotOnStack, uint64(slot)),
		lookUp(s.slots, pairOnStack), atomicAdd(sumAt, observedNS), atomicAdd(sumAt+wordSize, 1),
	)
}

func (s *slotStore) maps() []*ebpf.Map { return []*ebpf.Map{s.slots} }

func (s *slotStore) Close() error { return closeMaps(s.slots) }

// readers put together what belongs to a series: entries come in no order.
func (s *slotStore) readers() []reader {
	entries := newBatch[slotKey, slotCount](s.slots, 1)
	found := map[uint64]*histogram{}
	return []reader{{"in batches", func(visit func(uint64, *histogram)) error {
		for _, h := range found {
			*h = histogram{}
		}
		err := entries.each(func(key slotKey, values []slotCount) {
			h := found[key.Series]
			if h == nil {
				h = &histogram{}
				found[key.Series] = h
			}
			h.SumNS += values[0].SumNS
			h.Slots[key.Slot] = values[0].Count
		})
		for key, h := range found {
			visit(key, h)
		}
		return err
	}}}
}
