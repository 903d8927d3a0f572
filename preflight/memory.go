package preflight

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Memory is what this process may use and uses, in bytes.
type Memory struct {
	Limit    uint64 // the lowest of its cgroups; 0 means none
	LimitAt  string // the file that says so
	Resident uint64
}

func lookAtMemory(procfs string) Memory {
	m := Memory{Resident: residentOf(procfs)}
	for _, directory := range memoryCgroups(procfs) {
		for _, file := range []string{"memory.max", "memory.limit_in_bytes"} { // version 2, version 1
			path := filepath.Join(directory, file)
			limit, err := strconv.ParseUint(contentOf(path), 10, 64)
			// Version 1 writes the largest number of pages for "no limit".
			if err == nil && limit < math.MaxInt64/2 && (m.Limit == 0 || limit < m.Limit) {
				m.Limit, m.LimitAt = limit, path
			}
		}
	}
	return m
}

func residentOf(procfs string) uint64 {
	content, err := os.ReadFile(filepath.Join(procfs, "self/statm"))
	if err != nil {
		return 0
	}
	var size, pages uint64
	if _, err := fmt.Sscan(string(content), &size, &pages); err != nil {
		return 0
	}
	return pages * uint64(os.Getpagesize())
}

// memoryCgroups are the directories of the cgroups that this process is in, with
// all above them.
func memoryCgroups(procfs string) []string {
	own, err := os.ReadFile(filepath.Join(procfs, "self/cgroup"))
	if err != nil {
		return nil
	}
	mounts := memoryMounts(procfs)
	var all []string
	for line := range strings.Lines(string(own)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) < 3 {
			continue
		}
		kind := "cgroup"
		if parts[0] == "0" {
			kind = "cgroup2"
		} else if !slices.Contains(strings.Split(parts[1], ","), "memory") {
			continue
		}
		for path := parts[2]; mounts[kind] != ""; path = filepath.Dir(path) {
			all = append(all, filepath.Join(mounts[kind], path))
			if path == "/" || path == "." {
				break
			}
		}
	}
	return all
}

// memoryMounts are where cgroup2, and cgroup with its memory controller, are
// mounted.
func memoryMounts(procfs string) map[string]string {
	found := map[string]string{}
	mounts, err := os.Open(filepath.Join(procfs, "self/mountinfo"))
	if err != nil {
		return found
	}
	defer mounts.Close()
	for lines := bufio.NewScanner(mounts); lines.Scan(); {
		mount, filesystem, _ := strings.Cut(lines.Text(), " - ")
		fields, kind := strings.Fields(mount), strings.Fields(filesystem)
		if len(fields) < 5 || len(kind) < 3 {
			continue
		}
		if kind[0] == "cgroup2" || kind[0] == "cgroup" && slices.Contains(strings.Split(kind[2], ","), "memory") {
			found[kind[0]] = fields[4]
		}
	}
	return found
}
