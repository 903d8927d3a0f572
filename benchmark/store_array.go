package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// arrayStore has the histograms in an array that user space maps, and a hash that
// tells the place of each series. The array takes its memory when it is created.
type arrayStore struct {
	places, histograms *ebpf.Map
	memory             []byte
	mapped             []histogram // lies in memory
	used               uint64
}

func newArrayStore(capacity int) (_ store, err error) {
	s := &arrayStore{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.places, err = newMap(ebpf.Hash, unix.BPF_F_NO_PREALLOC, wordSize, wordSize, capacity); err != nil {
		return nil, err
	}
	if s.histograms, err = newMap(ebpf.Array, unix.BPF_F_MMAPABLE, 4, valueSize, capacity); err != nil {
		return nil, err
	}
	page := os.Getpagesize()
	length := (capacity*valueSize + page - 1) / page * page
	s.memory, err = unix.Mmap(s.histograms.FD(), 0, length, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("cannot map an array of %d histograms: %w", capacity, err)
	}
	s.mapped = unsafe.Slice((*histogram)(unsafe.Pointer(&s.memory[0])), capacity)
	return s, nil
}

func (s *arrayStore) put(key uint64) error {
	place := s.used
	s.used++
	return errors.Join(s.histograms.Put(uint32(place), blank()), s.places.Put(key, place))
}

func (s *arrayStore) observe(key uint64, slot int) asm.Instructions {
	return slices.Concat(
		storeOnStack(keyOnStack, key), lookUp(s.places, keyOnStack),
		asm.Instructions{
			asm.LoadMem(asm.R1, asm.R0, 0, asm.DWord),
			asm.StoreMem(asm.R10, indexOnStack, asm.R1, asm.Word),
		},
		lookUp(s.histograms, indexOnStack), addTo(slot, atomicAdd),
	)
}

func (s *arrayStore) maps() []*ebpf.Map { return []*ebpf.Map{s.places, s.histograms} }

func (s *arrayStore) Close() error {
	var err error
	if s.memory != nil {
		err = unix.Munmap(s.memory)
	}
	return errors.Join(err, closeMaps(s.places, s.histograms))
}

func (s *arrayStore) readers() []reader {
	entries := newBatch[uint64, uint64](s.places, 1)
	return []reader{{"through the mapping", func(visit func(uint64, *histogram)) error {
		return entries.each(func(key uint64, places []uint64) { visit(key, &s.mapped[places[0]]) })
	}}}
}
