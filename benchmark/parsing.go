package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
)

const (
	// loadRuns is how often a program is repeated that loads bytes.
	loadRuns = 50_000
	// payloadAt is where the payload begins: after headers of IPv4 and TCP.
	payloadAt = 40
	// windowBytes is how much Sonde loads at once: WINDOW_FRESH of bpf/window.h.
	windowBytes = 512
	// reachTime is how long bytes are sent to see where the kernel keeps them.
	reachTime = 100 * time.Millisecond
)

// loadSizes are how many bytes are loaded.
func loadSizes() []int { return []int{64, 128, 256, windowBytes, 1024} }

// Fields of struct __sk_buff (uapi/linux/bpf.h).
const (
	skbLength  = 0
	skbData    = 76
	skbDataEnd = 80
)

// loader is a way to get at bytes of a packet.
type loader struct {
	name string
	work func(scratch *ebpf.Map, bytes int) asm.Instructions
}

func loaders() []loader {
	return []loader{
		{"copied by bpf_skb_load_bytes", copyBytes},
		{"read in the packet, 8 at a time", readWords},
	}
}

func (l loader) quantity(bytes int) quantity {
	return quantity{part: partParsing, subject: l.name, measure: fmt.Sprintf("%d bytes", bytes), unit: "ns"}
}

// measureParsing compares ways to get at the bytes of a packet.
func measureParsing(s *stage, p plan, rec *record) {
	cpus, err := usableCPUs()
	s.must(err)
	scratch, err := newMap(ebpf.PerCPUArray, 0, 4, slices.Max(loadSizes()), 1)
	s.must(err)
	defer func() { _ = scratch.Close() }()
	programs := map[quantity]*ebpf.Program{}
	for _, l := range loaders() {
		for _, bytes := range loadSizes() {
			program, err := newProgram(l.work(scratch, bytes))
			s.must(err)
			defer func() { _ = program.Close() }()
			programs[l.quantity(bytes)] = program
		}
	}
	for range p.rounds {
		for _, l := range loaders() {
			for _, bytes := range loadSizes() {
				s.must(s.Context().Err())
				took, err := repeat(programs[l.quantity(bytes)], loadRuns, cpus[:1])
				s.must(err)
				rec.add(l.quantity(bytes), with, took/piecesPerRun)
				rec.relate(l.quantity(bytes), loaders()[0].quantity(windowBytes))
			}
		}
		s.must(measureReach(rec))
	}
	p.progress("ways to load bytes")
}

// copyBytes copies to the memory of a map, as Sonde does.
func copyBytes(scratch *ebpf.Map, bytes int) asm.Instructions {
	work := slices.Concat(
		asm.Instructions{asm.Mov.Reg(asm.R6, asm.R1)},
		storeOnStack(keyOnStack, 0), lookUp(scratch, keyOnStack),
		asm.Instructions{asm.Mov.Reg(asm.R7, asm.R0)},
	)
	for range piecesPerRun {
		work = append(work,
			asm.Mov.Reg(asm.R1, asm.R6),
			asm.Mov.Imm(asm.R2, payloadAt),
			asm.Mov.Reg(asm.R3, asm.R7),
			asm.Mov.Imm(asm.R4, int32(bytes)),
			asm.FnSkbLoadBytes.Call(),
			asm.JNE.Imm(asm.R0, 0, out),
		)
	}
	return work
}

// readWords reads each word once, in the packet.
func readWords(_ *ebpf.Map, bytes int) asm.Instructions {
	var work asm.Instructions
	for range piecesPerRun {
		work = append(work, within(payloadAt+bytes)...)
		for at := 0; at < bytes; at += wordSize {
			work = append(work, asm.LoadMem(asm.R5, asm.R2, int16(payloadAt+at), asm.DWord))
		}
	}
	return work
}

// within leaves in R2 where the packet begins, if its first bytes are where a
// program may read them without a copy. R1 is the context.
func within(bytes int) asm.Instructions {
	return asm.Instructions{
		asm.LoadMem(asm.R2, asm.R1, skbData, asm.Word),
		asm.LoadMem(asm.R3, asm.R1, skbDataEnd, asm.Word),
		asm.Mov.Reg(asm.R4, asm.R2),
		asm.Add.Imm(asm.R4, int32(bytes)),
		asm.JGT.Reg(asm.R4, asm.R3, out),
	}
}

// measureReach tells of how many segments the payload may be read in the packet:
// the kernel maps the linear part of a packet only.
func measureReach(rec *record) error {
	counts, err := newMap(ebpf.Array, 0, 4, wordSize, 2)
	if err != nil {
		return err
	}
	defer func() { _ = counts.Close() }()
	program, err := loadProgram(countReach(counts))
	if err != nil {
		return err
	}
	defer func() { _ = program.Close() }()
	root, err := cgroupRoot()
	if err != nil {
		return err
	}
	l, err := link.AttachCgroup(link.CgroupOptions{Path: root, Attach: ebpf.AttachCGroupInetEgress, Program: program})
	if err != nil {
		return fmt.Errorf("cannot attach a program to the root of the cgroups: %w", err)
	}
	defer func() { _ = l.Close() }()
	if _, err := bulkTCP(reachTime); err != nil {
		return err
	}
	var all, near uint64
	for index, n := range []*uint64{&all, &near} {
		if err := counts.Lookup(uint32(index), n); err != nil {
			return fmt.Errorf("cannot read how many segments were seen: %w", err)
		}
	}
	if all == 0 {
		return errors.New("bytes were sent on loopback, but no segment of them was seen at the root of the cgroups")
	}
	q := quantity{part: partParsing, subject: "TCP on loopback, sent", measure: "segments whose payload can be read in the packet", unit: "%"}
	rec.add(q, with, 100*float64(near)/float64(all))
	return nil
}

// countReach counts segments with payload, and those of them where it is within
// reach. Headers of IPv4 and TCP are 120 bytes at most.
func countReach(counts *ebpf.Map) asm.Instructions {
	const headers, smallest = 120, 200
	count := func(index uint64) asm.Instructions {
		return slices.Concat(storeOnStack(keyOnStack, index), lookUp(counts, keyOnStack), atomicAdd(0, 1))
	}
	return slices.Concat(
		asm.Instructions{
			asm.Mov.Reg(asm.R6, asm.R1),
			asm.LoadMem(asm.R2, asm.R6, skbLength, asm.Word),
			asm.JLT.Imm(asm.R2, smallest, out),
		},
		count(0),
		asm.Instructions{asm.Mov.Reg(asm.R1, asm.R6)},
		within(headers+1),
		count(1),
		asm.Instructions{asm.Mov.Imm(asm.R0, pass).WithSymbol(out), asm.Return()},
	)
}
