package tlstap

import "golang.org/x/sys/unix"

// fileID names an inode as long as it exists.
type fileID struct{ device, inode uint64 }

func (f mappedFile) id() fileID { return fileID{f.Stat.Dev, f.Stat.Ino} }

// contentID changes when a file does, or when its inode is used for another one.
type contentID struct {
	id       fileID
	size     int64
	modified unix.Timespec
}

func (f mappedFile) content() contentID {
	return contentID{f.id(), f.Stat.Size, f.Stat.Mtim}
}

// fingerprint recognises one file of an image layer in two containers. Each of
// them has an overlayfs with a device number of its own, but uprobes belong to
// the inode below: attached through both, each call would be seen twice.
// Overlayfs passes the times, the size and the lower half of the inode number
// on. A copy in the upper layer keeps these, except for the time of its change.
type fingerprint struct {
	overlay  bool
	inode    uint32
	size     int64
	modified unix.Timespec
	changed  unix.Timespec
}

func (f mappedFile) fingerprint() fingerprint {
	return fingerprint{
		overlay:  f.filesystem() == unix.OVERLAYFS_SUPER_MAGIC,
		inode:    uint32(f.Stat.Ino),
		size:     f.Stat.Size,
		modified: f.Stat.Mtim,
		changed:  f.Stat.Ctim,
	}
}

// sameBelow says whether two files with different ids are one below overlayfs.
func (f fingerprint) sameBelow(other fingerprint) bool {
	if !f.overlay && !other.overlay {
		return false
	}
	f.overlay, other.overlay = true, true
	return f == other
}
