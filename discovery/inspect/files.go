package inspect

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// readCapped reads at most limit bytes of a file below the procfs root. Sizes
// in procfs are always 0, so there is nothing to ask beforehand.
func readCapped(path string, limit int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // Nothing was written.
	return io.ReadAll(io.LimitReader(file, limit))
}

// readInside reads at most limit bytes of a regular file as the process sees
// it, be it in a container or a chroot.
func (f FS) readInside(pid int, path string, limit int64) ([]byte, error) {
	return readBeneath(f.processPath(pid, "root"), path, limit)
}

// readHost reads at most limit bytes of a regular file of the host.
func (f FS) readHost(path string, limit int64) ([]byte, error) {
	return readBeneath(f.rootDir(), path, limit)
}

// readBeneath resolves path as if root were "/" (openat2, Linux 5.6). A plain
// open would follow absolute links of a hostile container to files of the host.
// The file is opened without effect (O_PATH) first, and for reading only when
// it is regular: opening a FIFO would wait, opening a device may do something.
func readBeneath(root, path string, limit int64) ([]byte, error) {
	dir, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", root, err)
	}
	defer unix.Close(dir) //nolint:errcheck // Nothing was written.
	fd, err := unix.Openat2(dir, strings.TrimLeft(path, "/"), &unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	})
	if err != nil {
		return nil, fmt.Errorf("open %s below %s: %w", path, root, err)
	}
	defer unix.Close(fd) //nolint:errcheck // Nothing was written.
	var info unix.Stat_t
	if err := unix.Fstat(fd, &info); err != nil {
		return nil, fmt.Errorf("stat %s below %s: %w", path, root, err)
	}
	if info.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, fmt.Errorf("%s below %s is not a regular file", path, root)
	}
	// Sonde's own descriptors are always at /proc, whichever procfs it inspects.
	return readCapped(fmt.Sprintf("/proc/self/fd/%d", fd), limit)
}
