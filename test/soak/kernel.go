package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// overflowBit marks the operation numbers of overflow series, as SONDE_OTHER in
// bpf/sonde.h does; the number of the instance follows from bit 1 on.
const overflowBit = 1 << 31

// kernelMaps are the maps of the exporter that have an entry for each thing that
// comes and goes, by name.
type kernelMaps map[string]*ebpf.Map

// openMaps opens the exporter's own maps beside it.
func openMaps(sc *scope, held kernelObjects) kernelMaps {
	opened := kernelMaps{}
	for id := range held.maps {
		m, err := ebpf.NewMapFromID(ebpf.MapID(id))
		if err != nil {
			sc.Fatalf("cannot open a map of the exporter: %v", err)
		}
		sc.Cleanup(func() { _ = m.Close() })
		info, err := m.Info()
		if err != nil {
			sc.Fatalf("cannot tell the name of a map of the exporter: %v", err)
		}
		opened[info.Name] = m
	}
	for _, name := range []string{"services", "processes", "series", "operations"} {
		if opened[name] == nil {
			sc.Fatalf("the exporter has no map %q", name)
		}
	}
	return opened
}

// each calls visit with every entry of a map.
func (k kernelMaps) each(sc *scope, name string, visit func(key, value []byte)) {
	var key, value []byte
	entries := k[name].Iterate()
	for entries.Next(&key, &value) {
		visit(key, value)
	}
	if err := entries.Err(); err != nil && !errors.Is(err, ebpf.ErrIterationAborted) {
		sc.Fatalf("cannot read the map %s: %v", name, err)
	}
}

// unexplained names the entries that no process, listener or service explains.
// What has ended a moment ago is among them: only what stays there is a leak.
func (k kernelMaps) unexplained(sc *scope) []string {
	found := map[string]struct{}{}
	add := func(format string, args ...any) { found[fmt.Sprintf(format, args...)] = struct{}{} }
	u32 := binary.NativeEndian.Uint32
	members := map[uint32]int32{}
	k.each(sc, "processes", func(key, value []byte) {
		pid, service := u32(key), u32(value)
		members[service]++
		if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); err != nil {
			add("process %d is gone", pid)
		}
	})
	lives := map[uint32]bool{}
	k.each(sc, "services", func(key, value []byte) {
		service, listeners, processes := u32(key), int32(u32(value)), int32(u32(value[4:]))
		lives[service] = processes > 0
		if processes != members[service] || listeners < 0 || (listeners > 0 && processes == 0) {
			add("instance %d counts %d processes and %d listeners, and has %d processes", service, processes, listeners, members[service])
		}
	})
	k.each(sc, "series", func(key, _ []byte) {
		if operation := u32(key); operation&overflowBit != 0 && !lives[operation&^overflowBit>>1] {
			add("instance %d has no process but overflow series", operation&^overflowBit>>1)
		}
	})
	k.each(sc, "operations", func(key, _ []byte) {
		// The number of the instance follows the hash.
		if service := u32(key[8:]); !lives[service] {
			add("instance %d has no process but operations", service)
		}
	})
	return slices.Sorted(maps.Keys(found))
}

// remaining names the programs, links and maps that still exist. A link is what
// holds a program at a tracepoint or cgroup: without it nothing is attached.
func (held kernelObjects) remaining() []string {
	var left []string
	gone := func(what string, id uint32, closer interface{ Close() error }, err error) {
		if err == nil {
			_ = closer.Close()
		}
		if !errors.Is(err, os.ErrNotExist) {
			left = append(left, fmt.Sprintf("%s %d", what, id))
		}
	}
	for _, id := range held.programs {
		program, err := ebpf.NewProgramFromID(ebpf.ProgramID(id))
		gone("program", id, program, err)
	}
	for _, id := range held.links {
		l, err := link.NewFromID(link.ID(id))
		gone("link", id, l, err)
	}
	for id := range held.maps {
		m, err := ebpf.NewMapFromID(ebpf.MapID(id))
		gone("map", id, m, err)
	}
	return left
}
