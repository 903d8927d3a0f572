package main

import (
	"bytes"
	"fmt"
)

// Types of files, as in stat(2).
const (
	typeDirectory = 0o040000
	typeFile      = 0o100000
)

// archive is an initramfs in the making, in the format "newc" of cpio
// (Documentation/driver-api/early-userspace/buffer-format.rst).
type archive struct {
	data  bytes.Buffer
	count int
}

func (a *archive) directory(name string) { a.entry(name, typeDirectory|0o755, nil) }

func (a *archive) file(name string, content []byte) { a.entry(name, typeFile|0o755, content) }

// finish returns the archive, which its trailer ends.
func (a *archive) finish() []byte {
	a.entry("TRAILER!!!", 0, nil)
	return a.data.Bytes()
}

func (a *archive) entry(name string, mode int, content []byte) {
	a.count++
	a.data.WriteString("070701")
	for _, field := range []int{
		a.count, mode, 0, 0, 1, 0, len(content), // inode, mode, owner, group, links, time, size
		0, 0, 0, 0, len(name) + 1, 0, // devices, length of the name with its zero, checksum
	} {
		fmt.Fprintf(&a.data, "%08x", field)
	}
	a.data.WriteString(name)
	a.data.WriteByte(0)
	a.pad()
	a.data.Write(content)
	a.pad()
}

// pad fills up to a multiple of four bytes.
func (a *archive) pad() {
	for a.data.Len()%4 != 0 {
		a.data.WriteByte(0)
	}
}
