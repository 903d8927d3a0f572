package main

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// piecesPerRun is how often a program does the work that is measured in one run,
// so that the start and the end of a run are a small part of the figure.
const piecesPerRun = 16

// Programs return pass, as do those that let a packet pass. From out, where one goes
// that cannot do its work, it returns unable: its figure would mean nothing.
const (
	out    = "out"
	pass   = 1
	unable = 0
)

// packet is what the programs are shown.
func packet() []byte { return make([]byte, 1400) }

// newProgram loads a program that is to be repeated.
func newProgram(work asm.Instructions) (*ebpf.Program, error) {
	return loadProgram(append(work,
		asm.Mov.Imm(asm.R0, pass), asm.Return(),
		asm.Mov.Imm(asm.R0, unable).WithSymbol(out), asm.Return(),
	))
}

// loadProgram loads a program of the type that Sonde's taps have.
func loadProgram(instructions asm.Instructions) (*ebpf.Program, error) {
	program, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "benchmark", Type: ebpf.CGroupSKB, AttachType: ebpf.AttachCGroupInetEgress, License: "GPL",
		Instructions: instructions,
	})
	if err != nil {
		return nil, fmt.Errorf("cannot load a program to measure: %w", err)
	}
	return program, nil
}

// repeat runs a program so many times on each of the CPUs, on all at once, and
// returns the mean CPU time of a run in nanoseconds. CPU time leaves out what else
// is running.
func repeat(program *ebpf.Program, times uint32, cpus []int) (float64, error) {
	used, errs := make([]time.Duration, len(cpus)), make([]error, len(cpus))
	start := make(chan struct{})
	var ready, done sync.WaitGroup
	ready.Add(len(cpus))
	for i, cpu := range cpus {
		done.Go(func() {
			unbind, err := bind(cpu)
			ready.Done()
			<-start
			if err == nil {
				used[i], err = timeRuns(program, times)
				err = errors.Join(err, unbind())
			}
			errs[i] = err
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	var sum time.Duration
	for _, u := range used {
		sum += u
	}
	return float64(sum.Nanoseconds()) / float64(len(cpus)) / float64(times), errors.Join(errs...)
}

// bind ties the calling goroutine to a thread, and that to a CPU, until unbind. No
// signal reaches it: Go sends some to make goroutines take turns, after which the
// runs would begin anew. The thread must live on: with it would die the processes
// that it has started, whose parent it is for PR_SET_PDEATHSIG (prctl(2)).
func bind(cpu int) (unbind func() error, err error) {
	runtime.LockOSThread()
	var all, one unix.CPUSet
	var usual, every unix.Sigset_t
	one.Set(cpu)
	for i := range every.Val {
		every.Val[i] = math.MaxUint64
	}
	unbind = func() error {
		defer runtime.UnlockOSThread()
		if err := errors.Join(unix.PthreadSigmask(unix.SIG_SETMASK, &usual, nil), unix.SchedSetaffinity(0, &all)); err != nil {
			return fmt.Errorf("cannot leave CPU %d: %w", cpu, err)
		}
		return nil
	}
	err = errors.Join(
		unix.SchedGetaffinity(0, &all), unix.PthreadSigmask(unix.SIG_SETMASK, &every, &usual), unix.SchedSetaffinity(0, &one),
	)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot run on CPU %d: %w", cpu, err), unbind())
	}
	return unbind, nil
}

func timeRuns(program *ebpf.Program, times uint32) (time.Duration, error) {
	before, err := threadTime()
	if err != nil {
		return 0, err
	}
	result, err := program.Run(&ebpf.RunOptions{Data: packet(), Repeat: times})
	if err != nil {
		return 0, fmt.Errorf("cannot run a program: %w", err)
	}
	if result != pass {
		return 0, errors.New("a program could not do the work that was to be measured")
	}
	after, err := threadTime()
	return after - before, err
}

// threadTime is the CPU time that the calling thread has used so far.
func threadTime() (time.Duration, error) {
	var spec unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &spec); err != nil {
		return 0, fmt.Errorf("cannot read the CPU time of a thread: %w", err)
	}
	return time.Duration(spec.Nano()), nil
}

// usableCPUs are those on which the benchmark may run.
func usableCPUs() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, fmt.Errorf("cannot tell on which CPUs to run: %w", err)
	}
	cpus := make([]int, 0, set.Count())
	for cpu := 0; len(cpus) < set.Count(); cpu++ {
		if set.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	return cpus, nil
}
