package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/cilium/ebpf"
)

// tapProgram is loaded once by every Sonde.
const tapProgram = "wire_ingress"

// neighbours counts the Sondes that run on this kernel: they would be on both
// sides of every comparison.
func neighbours() (int, error) {
	count := 0
	for id := ebpf.ProgramID(0); ; {
		next, err := ebpf.ProgramGetNextID(id)
		if errors.Is(err, fs.ErrNotExist) {
			return count, nil
		}
		if err != nil {
			return 0, fmt.Errorf("cannot list the BPF programs of the kernel (root is needed): %w", err)
		}
		id = next
		program, err := ebpf.NewProgramFromID(id)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it was unloaded since
		}
		if err != nil {
			return 0, fmt.Errorf("cannot look at a BPF program of the kernel: %w", err)
		}
		info, err := program.Info()
		if err := errors.Join(err, program.Close()); err != nil {
			return 0, fmt.Errorf("cannot look at a BPF program of the kernel: %w", err)
		}
		if info.Name == tapProgram {
			count++
		}
	}
}

// loadAverage is that of the last minute: how much else the machine has to do.
func loadAverage() (average float64, err error) {
	content, err := os.ReadFile("/proc/loadavg")
	if err == nil {
		_, err = fmt.Sscan(string(content), &average)
	}
	if err != nil {
		return 0, fmt.Errorf("cannot read the load average: %w", err)
	}
	return average, nil
}
