package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
)

// emptyPrograms are attached where Sonde's are that requests run, and do nothing.
// What the kernel's statistics say of them is the least that they say of any
// program: the call, and reading the clock.
type emptyPrograms struct {
	programs map[string]*ebpf.Program // by the name of Sonde's program at the hook
	links    []link.Link
}

// hook is a place where Sonde has a program.
type hook struct {
	program string // Sonde's
	attach  ebpf.AttachType
	to      string // tracepoint or cgroup
}

// attachEmpty puts an empty program on each hook. Close detaches them.
func attachEmpty() (e emptyPrograms, err error) {
	root, err := cgroupRoot()
	if err != nil {
		return e, err
	}
	e.programs = map[string]*ebpf.Program{}
	for _, h := range []hook{
		{"wire_ingress", ebpf.AttachCGroupInetIngress, root},
		{"wire_egress", ebpf.AttachCGroupInetEgress, root},
		{"socket_read", ebpf.AttachTraceRawTp, "tcp_rcv_space_adjust"},
		{"socket_state", ebpf.AttachTraceRawTp, "inet_sock_set_state"},
	} {
		if err := e.attach(h); err != nil {
			return e, errors.Join(fmt.Errorf("cannot put an empty program in place of %s: %w", h.program, err), e.Close())
		}
	}
	return e, nil
}

func (e *emptyPrograms) attach(h hook) error {
	spec := ebpf.ProgramSpec{Name: "empty", Type: ebpf.CGroupSKB, AttachType: h.attach, License: "GPL"}
	result := int32(pass)
	if h.attach == ebpf.AttachTraceRawTp {
		spec.Type, spec.AttachTo, result = ebpf.Tracing, h.to, 0
	}
	spec.Instructions = asm.Instructions{asm.Mov.Imm(asm.R0, result), asm.Return()}
	program, err := ebpf.NewProgram(&spec)
	if err != nil {
		return err
	}
	e.programs[h.program] = program
	var l link.Link
	if spec.Type == ebpf.Tracing {
		l, err = link.AttachTracing(link.TracingOptions{Program: program, AttachType: h.attach})
	} else {
		l, err = link.AttachCgroup(link.CgroupOptions{Path: h.to, Attach: h.attach, Program: program})
	}
	if err == nil {
		e.links = append(e.links, l)
	}
	return err
}

// cost is what the kernel's statistics say so far.
func (e *emptyPrograms) cost() (kernelCost, error) {
	c := kernelCost{runs: map[string]float64{}, seconds: map[string]float64{}}
	for name, program := range e.programs {
		stats, err := program.Stats()
		if err != nil {
			return c, fmt.Errorf("cannot read the statistics of an empty program: %w", err)
		}
		c.runs[name], c.seconds[name] = float64(stats.RunCount), stats.Runtime.Seconds()
	}
	return c, nil
}

// Close detaches and unloads the programs.
func (e *emptyPrograms) Close() error {
	var errs []error
	for _, l := range e.links {
		errs = append(errs, l.Close())
	}
	for _, program := range e.programs {
		errs = append(errs, program.Close())
	}
	return errors.Join(errs...)
}

// cgroupRoot is where the whole cgroup v2 hierarchy is mounted (proc(5)).
func cgroupRoot() (string, error) {
	mounts, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return "", fmt.Errorf("cannot read the list of mounts: %w", err)
	}
	defer func() { _ = mounts.Close() }()
	lines := bufio.NewScanner(mounts)
	for lines.Scan() {
		mount, filesystem, _ := strings.Cut(lines.Text(), " - ")
		fields := strings.Fields(mount)
		if len(fields) > 4 && fields[3] == "/" && strings.HasPrefix(filesystem, "cgroup2 ") {
			return fields[4], nil
		}
	}
	if err := lines.Err(); err != nil {
		return "", fmt.Errorf("cannot read the list of mounts: %w", err)
	}
	return "", errors.New("cgroup v2 is not mounted: mount -t cgroup2 none /sys/fs/cgroup")
}
