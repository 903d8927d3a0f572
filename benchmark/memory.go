package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"sonde_exporter/test/harness"
)

// measureMemory files what the exporter holds now, and returns the quantity of
// its resident memory.
func measureMemory(s *stage, rec *record, e *harness.Exporter, subject string) quantity {
	objects, err := kernelMemory(e.PID)
	s.must(err)
	q := func(measure string) quantity {
		return quantity{part: partMemory, subject: subject, measure: measure, unit: "MB"}
	}
	resident := q("resident")
	rec.add(resident, with, float64(e.RSS(s))/1e6)
	rec.add(q("BPF maps in the kernel"), with, float64(objects.maps)/1e6)
	rec.add(q("BPF programs in the kernel"), with, float64(objects.programs)/1e6)
	return resident
}

// bpfMemory is the kernel memory of BPF objects, in bytes.
type bpfMemory struct{ maps, programs int64 }

// kernelMemory adds up the BPF maps and programs that a process holds. The kernel
// tells the memory of each in fdinfo; several descriptors may be of one object.
func kernelMemory(pid int) (bpfMemory, error) {
	var sum bpfMemory
	paths, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	if err != nil {
		return sum, fmt.Errorf("cannot list the descriptors of process %d: %w", pid, err)
	}
	seen := map[string]bool{}
	for _, path := range paths {
		fields, err := readFields(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it was closed since
		}
		if err != nil {
			return sum, fmt.Errorf("cannot read about a descriptor: %w", err)
		}
		object := "map " + fields["map_id"]
		if fields["map_id"] == "" {
			object = "program " + fields["prog_id"]
		}
		// A link names its program as well, but holds no memory of its own.
		if fields["memlock"] == "" || seen[object] {
			continue
		}
		seen[object] = true
		bytes, err := strconv.ParseInt(fields["memlock"], 10, 64)
		if err != nil {
			return sum, fmt.Errorf("%s: the memory is not a number: %w", path, err)
		}
		if fields["map_id"] != "" {
			sum.maps += bytes
		} else {
			sum.programs += bytes
		}
	}
	return sum, nil
}

// readFields reads lines of a name, a colon and a value.
func readFields(path string) (map[string]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	fields := map[string]string{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if name, value, found := strings.Cut(lines.Text(), ":"); found {
			fields[name] = strings.TrimSpace(value)
		}
	}
	return fields, lines.Err()
}
