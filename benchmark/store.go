package main

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

const (
	// histogramSlots is SONDE_SLOTS of bpf/sonde.h.
	histogramSlots = 240
	// usedSlots is how many slots the observations of a series fall into: how long
	// requests take differs by a small factor, and a factor of two has eight slots.
	usedSlots = piecesPerRun
	// firstSlot is the first of them.
	firstSlot = 80
	// observedNS is the duration that each observation adds.
	observedNS = 1_000_000
	// observedStatus is the status in the key of each series.
	observedStatus = 200
)

// histogram is struct histogram of bpf/sonde.h.
type histogram struct {
	SumNS uint64
	Slots [histogramSlots]uint64
}

// Where its parts lie.
const (
	sumAt     = 0
	slotsAt   = 8
	wordSize  = 8
	valueSize = slotsAt + histogramSlots*wordSize
)

func (h *histogram) count() (sum uint64) {
	for _, n := range h.Slots {
		sum += n
	}
	return sum
}

// blank is a series with one observation in each slot that is used.
func blank() (h histogram) {
	for slot := range usedSlots {
		h.Slots[firstSlot+slot] = 1
	}
	h.SumNS = usedSlots * observedNS
	return h
}

// seriesKey is struct series_key of bpf/sonde.h: operation, status, failure and
// version in eight bytes.
func seriesKey(operation int) uint64 { return uint64(operation+1) | observedStatus<<32 | 1<<56 }

// store keeps series in one way.
type store interface {
	// put makes a series that is as blank tells.
	put(key uint64) error
	// observe adds one observation to a series.
	observe(key uint64, slot int) asm.Instructions
	// readers are the ways to read all series.
	readers() []reader
	// maps are what the series take memory in.
	maps() []*ebpf.Map
	// Close gives that back.
	Close() error
}

// reader is a way to read all series. What visit is shown is valid until it
// returns.
type reader struct {
	name string
	read func(visit func(key uint64, h *histogram)) error
}

// way is a kind of store.
type way struct {
	name string
	open func(capacity int) (store, error)
}

// ways begin with Sonde's.
func ways() []way {
	return []way{
		{"one entry, atomic adds: Sonde", newSharedStore},
		{"an entry a CPU, plain adds", func(n int) (store, error) { return newPerCPUStore(n, plainAdd) }},
		{"an entry a CPU, atomic adds", func(n int) (store, error) { return newPerCPUStore(n, atomicAdd) }},
		{"an entry a slot, atomic adds", newSlotStore},
		{"array that is mapped, found by an index", newArrayStore},
	}
}

// newMap creates a map for so many entries.
func newMap(kind ebpf.MapType, flags uint32, key, value, entries int) (*ebpf.Map, error) {
	m, err := ebpf.NewMap(&ebpf.MapSpec{
		Name: "benchmark", Type: kind, Flags: flags,
		KeySize: uint32(key), ValueSize: uint32(value), MaxEntries: uint32(entries),
	})
	if err != nil {
		return nil, fmt.Errorf("cannot create a map for %d entries: %w", entries, err)
	}
	return m, nil
}

// closeMaps closes maps, of which some may be nil.
func closeMaps(maps ...*ebpf.Map) error {
	var errs []error
	for _, m := range maps {
		if m != nil {
			errs = append(errs, m.Close())
		}
	}
	return errors.Join(errs...)
}

// Where programs keep keys on their stack.
const (
	keyOnStack   = -8
	slotOnStack  = -16 // below it a key of series and slot begins
	pairOnStack  = -24
	indexOnStack = -32
)

// storeOnStack puts a constant on the stack.
func storeOnStack(at int16, value uint64) asm.Instructions {
	return asm.Instructions{
		asm.LoadImm(asm.R1, int64(value), asm.DWord),
		asm.StoreMem(asm.R10, at, asm.R1, asm.DWord),
	}
}

// lookUp leaves in R0 where the value is whose key is on the stack.
func lookUp(m *ebpf.Map, keyAt int32) asm.Instructions {
	return asm.Instructions{
		asm.LoadMapPtr(asm.R1, m.FD()),
		asm.Mov.Reg(asm.R2, asm.R10),
		asm.Add.Imm(asm.R2, keyAt),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, out),
	}
}

// adder adds a number to the word at an offset from R0.
type adder func(offset int16, n int32) asm.Instructions

func atomicAdd(offset int16, n int32) asm.Instructions {
	return asm.Instructions{
		asm.Mov.Imm(asm.R1, n),
		asm.AddAtomic.Mem(asm.R0, asm.R1, asm.DWord, offset),
	}
}

func plainAdd(offset int16, n int32) asm.Instructions {
	return asm.Instructions{
		asm.LoadMem(asm.R1, asm.R0, offset, asm.DWord),
		asm.Add.Imm(asm.R1, n),
		asm.StoreMem(asm.R0, offset, asm.R1, asm.DWord),
	}
}

// addTo adds one observation to the histogram at R0.
func addTo(slot int, add adder) asm.Instructions {
	return append(add(int16(slotsAt+slot*wordSize), 1), add(sumAt, observedNS)...)
}
