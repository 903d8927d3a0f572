package tlstap

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// mappedFile is a regular file that a process maps. It is open without effect on
// the file (O_PATH): opening a FIFO would wait, opening a device may do something.
type mappedFile struct {
	descriptor int
	stat       unix.Stat_t
}

// path leads to this very file, whatever happens to its name. The kernel and
// cilium/ebpf follow it when they attach. Sonde's own descriptors are always at
// /proc, whichever procfs it inspects.
func (f *mappedFile) path() string { return fmt.Sprintf("/proc/self/fd/%d", f.descriptor) }

func (f *mappedFile) close() { _ = unix.Close(f.descriptor) }

// openMapped opens the file behind a mapping. The error is errGone if neither the
// process nor the mapping can be found any more.
func (p procfs) openMapped(pid uint32, wanted mapping) (*mappedFile, error) {
	// map_files leads to the very inode that is mapped, deleted or not, in any
	// mount namespace. It wants CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE.
	file, mapErr := openRegular(p.path(pid, "map_files/"+wanted.addresses))
	if mapErr == nil {
		return file, nil
	}
	// These want no more than the right to read the maps. The file of that name
	// may be another one by now.
	if file, err := openRegular(p.path(pid, "exe")); err == nil {
		if file.isBehind(wanted) {
			return file, nil
		}
		file.close()
	}
	if wanted.deleted {
		return nil, fmt.Errorf("open deleted file: %w", goneOr(mapErr))
	}
	file, err := openBeneath(p.path(pid, "root"), wanted.path)
	if err != nil {
		return nil, goneOr(err)
	}
	if !file.isBehind(wanted) {
		file.close()
		return nil, fmt.Errorf("another file has taken its name: %w", goneOr(mapErr))
	}
	return file, nil
}

// openRegular opens what a link of procfs leads to.
func openRegular(link string) (*mappedFile, error) {
	descriptor, err := unix.Open(link, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: link, Err: err}
	}
	return regular(descriptor)
}

// openBeneath resolves path as if root were "/" (openat2, Linux 5.6). A plain
// open would follow absolute links of a hostile container to files of the host.
func openBeneath(root, path string) (*mappedFile, error) {
	directory, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: root, Err: err}
	}
	defer unix.Close(directory) //nolint:errcheck // Nothing was written.
	descriptor, err := unix.Openat2(directory, strings.TrimLeft(path, "/"), &unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	})
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: root + path, Err: err}
	}
	return regular(descriptor)
}

// regular closes the descriptor again if it is of anything but a regular file.
func regular(descriptor int) (*mappedFile, error) {
	file := &mappedFile{descriptor: descriptor}
	if err := unix.Fstat(descriptor, &file.stat); err != nil {
		file.close()
		return nil, fmt.Errorf("stat: %w", err)
	}
	if file.stat.Mode&unix.S_IFMT != unix.S_IFREG {
		file.close()
		return nil, errors.New("it is not a regular file")
	}
	return file, nil
}

// isBehind says whether the file can be the one of a mapping. Maps and stat agree
// on the lower half of inode numbers: overlayfs puts the number of the layer into
// the upper half (xino). They disagree on the device of overlayfs and btrfs.
func (f *mappedFile) isBehind(wanted mapping) bool {
	if uint32(f.stat.Ino) != uint32(wanted.inode) {
		return false
	}
	if f.stat.Dev == wanted.device {
		return true
	}
	kind := f.filesystem()
	return kind == unix.OVERLAYFS_SUPER_MAGIC || kind == unix.BTRFS_SUPER_MAGIC
}

// filesystem is the kernel's number for the type of the file system, or 0.
func (f *mappedFile) filesystem() int64 {
	stat := unix.Statfs_t{}
	if err := unix.Fstatfs(f.descriptor, &stat); err != nil {
		return 0
	}
	return int64(stat.Type)
}
