package tlstap

import (
	"fmt"

	"golang.org/x/sys/unix"

	"sonde_exporter/safefile"
)

// mappedFile is a regular file that a process maps. The kernel and cilium/ebpf
// follow its path when they attach.
type mappedFile struct{ *safefile.File }

// openMapped opens the file behind a mapping. The error is errGone if neither the
// process nor the mapping can be found any more.
func (p procfs) openMapped(pid uint32, wanted mapping) (mappedFile, error) {
	// map_files leads to the very inode that is mapped, deleted or not, in any
	// mount namespace. It wants CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE.
	file, mapErr := safefile.OpenLink(p.path(pid, "map_files/"+wanted.addresses))
	if mapErr == nil {
		return mappedFile{file}, nil
	}
	// These want no more than the right to read the maps. The file of that name
	// may be another one by now.
	if file, err := safefile.OpenLink(p.path(pid, "exe")); err == nil {
		if mapped := (mappedFile{file}); mapped.isBehind(wanted) {
			return mapped, nil
		}
		file.Close()
	}
	if wanted.deleted {
		return mappedFile{}, fmt.Errorf("open deleted file: %w", goneOr(mapErr))
	}
	file, err := safefile.OpenBeneath(p.path(pid, "root"), wanted.path)
	if err != nil {
		return mappedFile{}, goneOr(err)
	}
	if mapped := (mappedFile{file}); mapped.isBehind(wanted) {
		return mapped, nil
	}
	file.Close()
	return mappedFile{}, fmt.Errorf("another file has taken its name: %w", goneOr(mapErr))
}

// isBehind says whether the file can be the one of a mapping. Maps and stat agree
// on the lower half of inode numbers: overlayfs puts the number of the layer into
// the upper half (xino). They disagree on the device of overlayfs and btrfs.
func (f mappedFile) isBehind(wanted mapping) bool {
	if uint32(f.Stat.Ino) != uint32(wanted.inode) {
		return false
	}
	if f.Stat.Dev == wanted.device {
		return true
	}
	kind := f.filesystem()
	return kind == unix.OVERLAYFS_SUPER_MAGIC || kind == unix.BTRFS_SUPER_MAGIC
}

// filesystem is the kernel's number for the type of the file system, or 0.
func (f mappedFile) filesystem() int64 {
	stat := unix.Statfs_t{}
	if err := unix.Statfs(f.Path(), &stat); err != nil {
		return 0
	}
	return int64(stat.Type)
}
