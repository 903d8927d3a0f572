package probe

import (
	"errors"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"sonde_exporter/procfile"
)

// cgroupV2 is the root of the hierarchy, and how it was come by.
type cgroupV2 struct {
	path    string
	isOurs  bool // mounted by Sonde, on a directory of its own
	unmount func() error
}

// findCgroup returns the root of the cgroup v2 hierarchy. Where it is mounted
// nowhere it is mounted.
func findCgroup(procfs string) (cgroupV2, error) {
	mounts, err := findCgroupMounts(procfs, isHierarchyRoot)
	switch {
	case err != nil:
		return cgroupV2{}, err
	case mounts.whole != "":
		return cgroupV2{path: mounts.whole, unmount: func() error { return nil }}, nil
	}
	mounted, err := mountCgroup()
	if err != nil && mounts.part != "" {
		return cgroupV2{}, lackOfHierarchy(mounts.part)
	}
	return mounted, err
}

// foundMounts are mount points of cgroup v2, empty if there is none.
type foundMounts struct {
	whole string
	part  string // a part of the hierarchy, as in a container
}

// findCgroupMounts prefers a mount point of its own. In a cgroup namespace Sonde
// has a part of the hierarchy only, and reaches the whole by way of the first
// process, as long as that is the host's.
func findCgroupMounts(procfs string, isRoot func(directory string) bool) (foundMounts, error) {
	points, err := cgroupMounts(procfs, "self")
	if err != nil {
		return foundMounts{}, err
	}
	beyond, _ := cgroupMounts(procfs, "1") // It may be hidden.
	for _, point := range beyond {
		points = append(points, filepath.Join(procfs, "1", "root", point))
	}
	var found foundMounts
	if i := slices.IndexFunc(points, isRoot); i >= 0 {
		found.whole = points[i]
	}
	if len(points) > 0 {
		found.part = points[0]
	}
	return found, nil
}

func lackOfHierarchy(part string) error {
	return lacking("give its container the host's (docker run --cgroupns=host), or mount the host's /sys/fs/cgroup into it",
		"at %s this process sees only a part of cgroup v2, and not the sockets of others", part)
}

// cgroupMounts lists the mount points of cgroup v2 that a process has.
func cgroupMounts(procfs, pid string) ([]string, error) {
	mounts, err := procfile.Mounts(procfs, pid)
	if err != nil {
		return nil, lacking(procfsRemedy, "the list of mounts cannot be read: %w", err)
	}
	var points []string
	for _, mount := range mounts {
		if mount.Type == "cgroup2" {
			points = append(points, mount.Point)
		}
	}
	return points, nil
}

// isHierarchyRoot tells the whole from a part, whatever it looks like in a cgroup
// namespace: the kernel gives the root of the hierarchy the inode number 1.
func isHierarchyRoot(directory string) bool {
	var filesystem unix.Statfs_t
	var stat unix.Stat_t
	return unix.Statfs(directory, &filesystem) == nil && filesystem.Type == unix.CGROUP2_SUPER_MAGIC &&
		unix.Stat(directory, &stat) == nil && stat.Ino == 1
}

func mountCgroup() (cgroupV2, error) {
	directory, err := os.MkdirTemp("", "sonde-cgroup-")
	if err != nil {
		return cgroupV2{}, lacking("set TMPDIR to a directory that can be written",
			"cgroup v2 is not mounted, and no directory can be made to mount it on: %w", err)
	}
	if err := unix.Mount("none", directory, "cgroup2", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		_ = os.Remove(directory)
		return cgroupV2{}, lacking("mount it (mount -t cgroup2 none /sys/fs/cgroup/unified) or grant CAP_SYS_ADMIN",
			"cgroup v2 is not mounted and cannot be mounted by this process: %w", err)
	}
	unmount := func() error {
		if err := unix.Unmount(directory, unix.MNT_DETACH); err != nil {
			return lacking("", "cgroup v2 cannot be unmounted from %s: %w", directory, err)
		}
		return os.Remove(directory)
	}
	if !isHierarchyRoot(directory) {
		return cgroupV2{}, errors.Join(lackOfHierarchy(directory), unmount())
	}
	return cgroupV2{path: directory, isOurs: true, unmount: unmount}, nil
}
