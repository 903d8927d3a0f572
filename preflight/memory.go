package preflight

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"sonde_exporter/procfile"
)

// Memory is what this process may use and uses, in bytes.
type Memory struct {
	Limit    uint64 // the lowest of its cgroups; 0 means none
	LimitAt  string // the file that says so
	Resident uint64
}

func lookAtMemory(procfs string) Memory {
	m := Memory{Resident: procfile.ResidentBytes(procfs)}
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
	mounts, err := procfile.Mounts(procfs, "self")
	if err != nil {
		return found
	}
	for _, mount := range mounts {
		if mount.Type == "cgroup2" || mount.Type == "cgroup" && slices.Contains(mount.Options, "memory") {
			found[mount.Type] = mount.Point
		}
	}
	return found
}
