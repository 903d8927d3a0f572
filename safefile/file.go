// Package safefile opens and reads files of other processes: their names, kinds
// and contents are chosen by strangers.
package safefile

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// File is a regular file. It is open without effect on the file (O_PATH): opening
// a FIFO would wait, opening a device may do something.
type File struct {
	Stat       unix.Stat_t
	descriptor int
}

// OpenBeneath resolves path as if root were "/" (openat2, Linux 5.6). A plain
// open would follow absolute links of a hostile container to files of the host.
// The error is an [os.PathError], or says that it is no regular file.
func OpenBeneath(root, path string) (*File, error) {
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

// OpenLink opens what a link of procfs leads to.
func OpenLink(link string) (*File, error) {
	descriptor, err := unix.Open(link, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: link, Err: err}
	}
	return regular(descriptor)
}

// regular closes the descriptor again if it is of anything but a regular file.
func regular(descriptor int) (*File, error) {
	file := &File{descriptor: descriptor}
	if err := unix.Fstat(descriptor, &file.Stat); err != nil {
		file.Close()
		return nil, fmt.Errorf("stat: %w", err)
	}
	if file.Stat.Mode&unix.S_IFMT != unix.S_IFREG {
		file.Close()
		return nil, errors.New("it is not a regular file")
	}
	return file, nil
}

// Path leads to this very file, whatever happens to its name, until Close. Sonde's
// own descriptors are always at /proc, whichever procfs it inspects.
func (f *File) Path() string { return fmt.Sprintf("/proc/self/fd/%d", f.descriptor) }

// Close lets go of the file.
func (f *File) Close() { _ = unix.Close(f.descriptor) }
