// Package inspect tells what procfs knows about one process, and how the
// service that it runs is called.
//
// It needs no kernel programs and keeps no state: every answer comes from
// files below two directories, the procfs root and the root file system of the
// host. All of that content is written by strangers, so every read is capped,
// files of a process are opened as that process sees them (a link inside a
// container cannot lead to the host), and names pass through [Sanitize].
//
// A file of a process may lie on a file system that the process itself serves
// (FUSE), so a read can hang. Callers should not hold locks over these calls.
package inspect

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	maxCommandLine = 64 << 10
	maxEnviron     = 1 << 20
	maxSmallFile   = 64 << 10

	// userHZ is the unit of times in /proc/PID/stat. The kernel scales them to
	// 100 per second on every architecture that Go supports, whatever HZ is.
	userHZ = 100
)

// FS is where processes are looked up. The zero value means /proc and /.
type FS struct {
	// Proc is the procfs root, /proc when empty.
	Proc string
	// Root is where the root file system of the host is mounted, / when empty.
	Root string
}

// Process is what procfs says about one process. A field is empty when Sonde
// lacks the right to read it or when the process has no such thing.
type Process struct {
	PID    int
	Parent int
	// Executable is the path of the program as the process sees it.
	Executable string
	// Command is the kernel's name of the first thread (comm), 15 bytes at most.
	Command string
	// Args is the command line. It may hold secrets: never print it.
	Args []string
	// WorkingDir is the current directory as the process sees it.
	WorkingDir string
	// Env holds the few variables that help to name a service, and no others.
	Env map[string]string
	// Cgroups are the distinct cgroup paths: version 2 first, then systemd's
	// own hierarchy, then the others of version 1.
	Cgroups []string
	// ContainerID is the full id that the container runtime gave.
	ContainerID string
	// SystemdUnit is the innermost service or scope, for example nginx.service.
	SystemdUnit string
	// Language is a value of telemetry.sdk.language where OpenTelemetry has one,
	// else "perl", "deno" or "bun". It is empty when it cannot be told.
	Language string
	// Terminal says that the process has a controlling terminal.
	Terminal bool
	// StartTicks is the start in 1/100 s since boot. With PID it identifies a
	// process even after the kernel reuses the number.
	StartTicks uint64
	// StartTime is StartTicks on the wall clock, exact to about one second.
	StartTime time.Time

	files FS
}

// Process reads what is known about pid, which is a thread group id. The error
// matches [fs.ErrNotExist] when there is no such process, or when it ended, or
// its number was reused, while it was being read.
func (f FS) Process(pid int) (Process, error) {
	before, err := f.readStat(pid)
	if err != nil {
		return Process{}, err
	}
	p := Process{
		PID:        pid,
		Parent:     before.parent,
		Command:    strings.ToValidUTF8(before.command, "\uFFFD"),
		Terminal:   before.terminal != 0,
		StartTicks: before.startTicks,
		StartTime:  f.startTime(before.startTicks),
		Executable: f.executable(pid),
		WorkingDir: f.workingDir(pid),
		files:      f,
	}
	// Each of these may be denied by hidepid, Yama or a missing capability. A
	// process that is known in part is worth more than an error.
	if raw, err := readCapped(f.processPath(pid, "cmdline"), maxCommandLine); err == nil {
		p.Args = parseCommandLine(raw)
	}
	if raw, err := readCapped(f.processPath(pid, "environ"), maxEnviron); err == nil {
		p.Env = parseEnviron(raw)
		clear(raw) // Everything else in there may be a secret.
	}
	if raw, err := readCapped(f.processPath(pid, "cgroup"), maxSmallFile); err == nil {
		p.Cgroups = parseCgroups(string(raw))
		p.ContainerID = containerIDOf(p.Cgroups)
		p.SystemdUnit = unitOf(p.Cgroups).name
	}
	p.Language = p.language()

	after, err := f.readStat(pid)
	if err != nil {
		return Process{}, err
	}
	if after.startTicks != before.startTicks {
		return Process{}, fmt.Errorf("process %d is gone and its number was reused: %w", pid, fs.ErrNotExist)
	}
	return p, nil
}

func (f FS) procDir() string {
	if f.Proc == "" {
		return "/proc"
	}
	return f.Proc
}

func (f FS) rootDir() string {
	if f.Root == "" {
		return "/"
	}
	return f.Root
}

func (f FS) processPath(pid int, name string) string {
	return filepath.Join(f.procDir(), strconv.Itoa(pid), name)
}

// executable returns the target of the exe link. Kernel threads and zombies
// have none.
func (f FS) executable(pid int) string {
	target, err := os.Readlink(f.processPath(pid, "exe"))
	if err != nil {
		return ""
	}
	return strings.ToValidUTF8(trimDeleted(target), "\uFFFD")
}

func (f FS) workingDir(pid int) string {
	target, err := os.Readlink(f.processPath(pid, "cwd"))
	if err != nil {
		return ""
	}
	return trimDeleted(target)
}

// trimDeleted removes the mark that the kernel (d_path) appends to the path of
// a removed file, as after the upgrade of a package.
func trimDeleted(path string) string {
	return strings.TrimSuffix(path, " (deleted)")
}

// parseCommandLine splits at NUL. Programs that rewrite their title leave the
// rest of the area full of NUL, so empty arguments at the end mean nothing.
func parseCommandLine(raw []byte) []string {
	raw = bytes.TrimRight(raw, "\x00")
	if len(raw) == 0 {
		return nil
	}
	return strings.Split(string(raw), "\x00")
}

// processError marks the two ways in which procfs says that a process is gone:
// ENOENT at open, ESRCH at read.
func processError(pid int, err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("process %d is gone: %w", pid, fs.ErrNotExist)
	}
	return fmt.Errorf("read process %d: %w", pid, err)
}
