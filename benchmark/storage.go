package main

import (
	"errors"
	"fmt"
	"runtime"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

const (
	// observationRuns is how often a program is repeated that observes.
	observationRuns = 50_000
	// observedAmong is how many series there are when one is observed.
	observedAmong = 1000
)

// readSizes are the numbers of series that are read.
func readSizes() []int { return []int{1000, 10000} }

// tried is one way and what was opened of it.
type tried struct {
	way
	store   store
	readers []reader
	program *ebpf.Program // nil if nothing is to be observed
}

func (t *tried) quantity(measure, unit string) quantity {
	return quantity{part: partStorage, subject: t.name, measure: measure, unit: unit}
}

// measureStorage compares ways to keep series, to add to them, and to read them.
func measureStorage(s *stage, p plan, rec *record) {
	cpus, err := usableCPUs()
	s.must(err)
	measureObservations(s, p, rec, cpus)
	p.progress("ways to observe")
	for _, series := range readSizes() {
		measureReading(s, p, rec, series)
		p.progress(fmt.Sprintf("ways to read %d series", series))
	}
}

// openAll opens a store of each kind.
func openAll(s *stage, series int) []*tried {
	all := make([]*tried, 0, len(ways()))
	for _, w := range ways() {
		store, err := w.open(series)
		s.must(err)
		all = append(all, &tried{way: w, store: store, readers: store.readers()})
	}
	return all
}

func closeAll(s *stage, all []*tried) {
	for _, t := range all {
		if err := errors.Join(t.program.Close(), t.store.Close()); err != nil {
			s.Error(err)
		}
	}
}

func (t *tried) fill(series int) error {
	for i := range series {
		if err := t.store.put(seriesKey(i)); err != nil {
			return fmt.Errorf("%s: cannot make series %d: %w", t.name, i, err)
		}
	}
	return nil
}

// memory is what the kernel says that the maps take, in bytes.
func (t *tried) memory() (float64, error) {
	var sum uint64
	for _, m := range t.store.maps() {
		info, err := m.Info()
		if err != nil {
			return 0, fmt.Errorf("%s: cannot read about a map: %w", t.name, err)
		}
		bytes, ok := info.Memlock()
		if !ok {
			return 0, fmt.Errorf("%s: the kernel does not tell the memory of a map", t.name)
		}
		sum += bytes
	}
	return float64(sum), nil
}

// load makes the program that adds one observation to each used slot of a series.
func (t *tried) load(key uint64) (err error) {
	var work asm.Instructions
	for i := range piecesPerRun {
		work = append(work, t.store.observe(key, firstSlot+i)...)
	}
	t.program, err = newProgram(work)
	return err
}

// measureObservations observes one series, on one CPU and on all.
func measureObservations(s *stage, p plan, rec *record, cpus []int) {
	all := openAll(s, observedAmong)
	defer closeAll(s, all)
	key := seriesKey(observedAmong / 2)
	for _, t := range all {
		s.must(t.fill(observedAmong))
		s.must(t.load(key))
	}
	sides := []struct {
		measure string
		cpus    []int
	}{
		{"an observation on one CPU", cpus[:1]},
		{fmt.Sprintf("an observation on each of %d CPUs, of one series", len(cpus)), cpus},
	}
	for range p.rounds {
		for _, side := range sides {
			for _, t := range all {
				s.must(s.Context().Err())
				took, err := repeat(t.program, observationRuns, side.cpus)
				s.must(err)
				q := t.quantity(side.measure, "ns")
				rec.add(q, with, took/piecesPerRun)
				rec.relate(q, all[0].quantity(side.measure, "ns"))
			}
		}
	}
	want := uint64(usedSlots + p.rounds*(1+len(cpus))*observationRuns*piecesPerRun)
	for _, t := range all {
		s.must(t.counted(key, want))
	}
}

// counted checks that a series shows so many observations.
func (t *tried) counted(key, want uint64) error {
	var got uint64
	err := t.readers[0].read(func(k uint64, h *histogram) {
		if k == key {
			got = h.count()
		}
	})
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("%s: %d observations are counted of %d, so that the figures mean nothing", t.name, got, want)
	}
	return nil
}

// measureReading reads so many series in all ways, and what memory they take.
func measureReading(s *stage, p plan, rec *record, series int) {
	all := openAll(s, series)
	defer closeAll(s, all)
	for _, t := range all {
		before, err := t.memory()
		s.must(err)
		s.must(t.fill(series))
		after, err := t.memory()
		s.must(err)
		if series == slices.Max(readSizes()) {
			empty := t.quantity(fmt.Sprintf("memory with none of %d series", series), "kB")
			full := t.quantity(fmt.Sprintf("memory with all of %d series", series), "bytes/series")
			rec.add(empty, with, before/1e3)
			rec.add(full, with, after/float64(series))
			rec.relate(full, all[0].quantity(full.measure, full.unit))
		}
	}
	for _, t := range all { // buffers grow before the first round
		for _, r := range t.readers {
			_, err := t.timeReading(r, series)
			s.must(err)
		}
	}
	base := all[0].reading(all[0].readers[0], series)
	for range p.rounds {
		for _, t := range all {
			for _, r := range t.readers {
				s.must(s.Context().Err())
				took, err := t.timeReading(r, series)
				s.must(err)
				rec.add(t.reading(r, series), with, took)
				rec.relate(t.reading(r, series), base)
			}
		}
	}
}

func (t *tried) reading(r reader, series int) quantity {
	return t.quantity(fmt.Sprintf("read %d series %s", series, r.name), "ms")
}

// timeReading returns the CPU time of reading all in milliseconds. To read means
// to look at each slot.
func (t *tried) timeReading(r reader, series int) (float64, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before, err := threadTime()
	if err != nil {
		return 0, err
	}
	counts := make([]uint64, 0, series)
	if err := r.read(func(_ uint64, h *histogram) { counts = append(counts, h.count()) }); err != nil {
		return 0, err
	}
	after, err := threadTime()
	if err != nil {
		return 0, err
	}
	if len(counts) != series || slices.Min(counts) != usedSlots || slices.Max(counts) != usedSlots {
		return 0, fmt.Errorf("%s: %d of %d series were read right", t.name, len(counts), series)
	}
	return 1e3 * (after - before).Seconds(), nil
}
