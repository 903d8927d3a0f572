package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// CPU time is read from the CPU clock of each process: the kernel's scheduler
// keeps it in nanoseconds, it includes threads that have ended, and unlike
// /proc/stat it leaves out whatever else runs on the machine. Without
// CONFIG_IRQ_TIME_ACCOUNTING, and in the greater part with it, a soft interrupt
// that is raised by sending on loopback is charged to the sender. So a server's
// own time lacks the hooks that its requests ran into: these are the client's.
// Therefore both are shown, the server alone and both ends with ksoftirqd.

// cpuClock is what the kernel calls MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED).
func cpuClock(pid int) int32 { return int32(^pid<<3 | 2) }

// cpuTime is the CPU time that a process has used so far.
func cpuTime(pid int) (time.Duration, error) {
	var spec unix.Timespec
	if err := unix.ClockGettime(cpuClock(pid), &spec); err != nil {
		return 0, fmt.Errorf("cannot read the CPU time of process %d: %w", pid, err)
	}
	return time.Duration(spec.Nano()), nil
}

// cpuTimes adds up the CPU time of processes.
func cpuTimes(pids []int) (time.Duration, error) {
	var sum time.Duration
	for _, pid := range pids {
		used, err := cpuTime(pid)
		if err != nil {
			return 0, err
		}
		sum += used
	}
	return sum, nil
}

// family is a process and its children, such as the workers of nginx.
func family(pid int) ([]int, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil, fmt.Errorf("cannot list the children of process %d: %w", pid, err)
	}
	pids := []int{pid}
	for _, field := range strings.Fields(string(content)) {
		child, err := strconv.Atoi(field)
		if err != nil {
			return nil, fmt.Errorf("a child of process %d has no number: %w", pid, err)
		}
		pids = append(pids, child)
	}
	return pids, nil
}

// softirqThreads are the threads of the kernel that take over what the soft
// interrupts do not finish at once.
func softirqThreads() ([]int, error) {
	names, err := filepath.Glob("/proc/[0-9]*/comm")
	if err != nil {
		return nil, fmt.Errorf("cannot list the processes: %w", err)
	}
	var pids []int
	for _, name := range names {
		comm, err := os.ReadFile(name)
		if err != nil || !strings.HasPrefix(string(comm), "ksoftirqd/") {
			continue // it may have ended since
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if err != nil {
			return nil, fmt.Errorf("%s: a process has no number: %w", name, err)
		}
		pids = append(pids, pid)
	}
	return pids, nil
}
