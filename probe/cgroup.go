package probe

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// cgroupRoot returns the root of the cgroup v2 hierarchy. Where it is mounted
// nowhere it is mounted on a directory of its own, which undo removes.
func cgroupRoot(procfs string) (root string, undo func() error, err error) {
	path := filepath.Join(procfs, "self", "mountinfo")
	mounts, err := os.Open(path)
	if err != nil {
		return "", nil, fmt.Errorf("the list of mounts cannot be read: %w; check --path.procfs", err)
	}
	defer mounts.Close()
	for lines := bufio.NewScanner(mounts); lines.Scan(); {
		if point, ok := wholeCgroupMount(lines.Text()); ok {
			return point, func() error { return nil }, nil
		}
	}
	return mountCgroup()
}

// wholeCgroupMount reads a line of mountinfo (proc(5)): it returns the mount
// point if the whole cgroup v2 hierarchy is mounted there, not a part of it.
func wholeCgroupMount(line string) (point string, ok bool) {
	mount, filesystem, found := strings.Cut(line, " - ")
	fields := strings.Fields(mount)
	if !found || len(fields) < 5 || !strings.HasPrefix(filesystem, "cgroup2 ") || fields[3] != "/" {
		return "", false
	}
	return unescapeMount(fields[4]), true
}

func mountCgroup() (string, func() error, error) {
	directory, err := os.MkdirTemp("", "sonde-cgroup-")
	if err != nil {
		return "", nil, fmt.Errorf("cgroup v2 is not mounted, and no directory can be made to mount it on: %w", err)
	}
	if err := unix.Mount("none", directory, "cgroup2", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		_ = os.Remove(directory)
		return "", nil, fmt.Errorf("cgroup v2 is not mounted and cannot be mounted by this process: %w; mount it (mount -t cgroup2 none /sys/fs/cgroup/unified) or grant CAP_SYS_ADMIN", err)
	}
	undo := func() error {
		if err := unix.Unmount(directory, unix.MNT_DETACH); err != nil {
			return fmt.Errorf("cgroup v2 cannot be unmounted from %s: %w", directory, err)
		}
		return os.Remove(directory)
	}
	return directory, undo, nil
}

// unescapeMount undoes the octal escapes that the kernel uses for white space.
func unescapeMount(path string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(path)
}
