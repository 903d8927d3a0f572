package inspect

import (
	"fmt"
	"io"
	"os"

	"sonde_exporter/safefile"
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

// readBeneath reads at most limit bytes of a regular file in a root directory of
// strangers.
func readBeneath(root, path string, limit int64) ([]byte, error) {
	file, err := safefile.OpenBeneath(root, path)
	if err != nil {
		return nil, fmt.Errorf("%s below %s: %w", path, root, err)
	}
	defer file.Close()
	return readCapped(file.Path(), limit)
}
