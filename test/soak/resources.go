package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sonde_exporter/test/harness"
)

// resources is what the exporter holds at one moment.
type resources struct {
	rss          int64 // bytes
	goroutines   int
	descriptors  int
	threads      int
	kernelMemory int64 // bytes of its maps
}

func measure(sc *scope, e *harness.Exporter) resources {
	snap := e.Scrape(sc)
	r := resources{
		rss:         e.RSS(sc),
		goroutines:  int(snap.Value("go_goroutines", nil)),
		descriptors: entriesOf(sc, e.PID, "fd"),
		threads:     entriesOf(sc, e.PID, "task"),
	}
	for _, memory := range heldBy(sc, e.PID).maps {
		r.kernelMemory += memory
	}
	return r
}

func entriesOf(sc *scope, pid int, directory string) int {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/%s", pid, directory))
	if err != nil {
		sc.Fatalf("cannot look at the exporter: %v", err)
	}
	return len(entries)
}

// kernelObjects are the numbers of what a process holds in the kernel by BPF.
type kernelObjects struct {
	programs, links []uint32
	maps            map[uint32]int64 // and the memory of each in bytes
}

// heldBy reads the descriptors of a process: the kernel describes each BPF
// object in fdinfo.
func heldBy(sc *scope, pid int) kernelObjects {
	held := kernelObjects{maps: map[uint32]int64{}}
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	if err != nil || len(files) == 0 {
		sc.Fatalf("cannot list the exporter's descriptors: %v", err)
	}
	for _, file := range files {
		fields := fdinfo(file)
		// A link also has the number of its program.
		if id, ok := fields["link_id"]; ok {
			held.links = append(held.links, uint32(id))
		} else if id, ok := fields["prog_id"]; ok {
			held.programs = append(held.programs, uint32(id))
		} else if id, ok := fields["map_id"]; ok {
			held.maps[uint32(id)] = fields["memlock"]
		}
	}
	return held
}

// fdinfo reads the numbers among the lines "name: value". A descriptor that was
// closed in the meantime has none.
func fdinfo(path string) map[string]int64 {
	fields := map[string]int64{}
	file, err := os.Open(path)
	if err != nil {
		return fields
	}
	defer func() { _ = file.Close() }()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		name, text, _ := strings.Cut(lines.Text(), ":")
		var value int64
		if _, err := fmt.Sscan(text, &value); err == nil {
			fields[name] = value
		}
	}
	return fields
}
