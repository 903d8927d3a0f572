package main

import (
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// TestRepeatRefusesIdleProgram: a program that ends before its work would look
// fast.
func TestRepeatRefusesIdleProgram(t *testing.T) {
	beyond := len(packet()) // from payloadAt on
	scratch, err := newMap(ebpf.PerCPUArray, 0, 4, beyond, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer scratch.Close()
	for _, l := range loaders() {
		for bytes, able := range map[int]bool{64: true, beyond: false} {
			program, err := newProgram(l.work(scratch, bytes))
			if err != nil {
				t.Fatalf("%s: %v", l.name, err)
			}
			if _, err := repeat(program, 1, []int{0}); (err == nil) != able {
				t.Errorf("%s: %d bytes of %d: %v", l.name, payloadAt+bytes, len(packet()), err)
			}
			program.Close()
		}
	}
}

// TestRepeatLeavesThreadAsItWas: the threads of a Go program do other work later.
func TestRepeatLeavesThreadAsItWas(t *testing.T) {
	cpus, err := usableCPUs()
	if err != nil {
		t.Fatal(err)
	}
	program, err := loadProgram(asm.Instructions{asm.Mov.Imm(asm.R0, pass), asm.Return()})
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	unbind, err := bind(cpus[0])
	if err != nil {
		t.Fatal(err)
	}
	var bound, free unix.CPUSet
	if err := unix.SchedGetaffinity(0, &bound); err != nil || bound.Count() != 1 || !bound.IsSet(cpus[0]) {
		t.Errorf("the thread may run on %d CPUs, want on CPU %d: %v", bound.Count(), cpus[0], err)
	}
	if _, err := timeRuns(program, 1); err != nil {
		t.Error(err)
	}
	tid := unix.Gettid()
	if err := unbind(); err != nil {
		t.Fatal(err)
	}
	if err := unix.SchedGetaffinity(tid, &free); err != nil || free.Count() != len(cpus) {
		t.Errorf("the thread may run on %d CPUs, want %d: %v", free.Count(), len(cpus), err)
	}
}
