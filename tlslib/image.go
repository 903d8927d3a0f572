package tlslib

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"

	"sonde_exporter/safefile"
)

// Bounds of all reads of one file: its headers first, and then everything else.
// A symbol table may well have a hundred megabytes, but a header that claims
// huge tables in a sparse file must not cost more than that, and debug/elf holds
// in memory what it reads.
const (
	headerBudget = 8 << 20
	readBudget   = 512 << 20
)

// image is an open ELF file.
type image struct {
	elf    *elf.File
	reader io.ReaderAt
	size   uint64
	soname string
}

// extent is a part of a file, in bytes from its start.
type extent struct{ offset, size uint64 }

func open(source io.ReaderAt, size int64) (*image, error) {
	reader := &safefile.BudgetReader{Source: source, Left: headerBudget}
	magic := make([]byte, len(elf.ELFMAG))
	if _, err := reader.ReadAt(magic, 0); err != nil || string(magic) != elf.ELFMAG {
		return nil, ErrNotELF
	}
	parsed, err := elf.NewFile(reader)
	if err != nil {
		return nil, fmt.Errorf("the ELF file is malformed: %w", err)
	}
	reader.Left = readBudget
	file := &image{elf: parsed, reader: reader, size: uint64(max(size, 0))}
	file.soname = file.readSoname()
	return file, nil
}

// unsupported says why machine code of this file cannot be probed, or "".
func (f *image) unsupported() string {
	if f.elf.Class != elf.ELFCLASS64 {
		return "it is 32-bit code, which the probes cannot follow; use a 64-bit build"
	}
	if f.elf.Machine != elf.EM_X86_64 && f.elf.Machine != elf.EM_AARCH64 || f.elf.ByteOrder != binary.LittleEndian {
		return fmt.Sprintf("it is code for %s, and only amd64 and arm64 can be probed", f.elf.Machine)
	}
	return ""
}

// isGo says whether Go's linker had a part in the file.
func (f *image) isGo() bool {
	for _, name := range []string{".go.buildinfo", ".note.go.buildid", ".gopclntab"} {
		if f.elf.Section(name) != nil {
			return true
		}
	}
	return false
}

// content is where a section's bytes are in the file; not ok if it has none
// there, if they are compressed, or if they would be outside of the file.
func (f *image) content(section *elf.Section) (extent, bool) {
	if section == nil || section.Type == elf.SHT_NOBITS || section.Flags&elf.SHF_COMPRESSED != 0 {
		return extent{}, false
	}
	return f.within(extent{section.Offset, section.FileSize})
}

func (f *image) within(part extent) (extent, bool) {
	return part, part.offset <= f.size && part.size <= f.size-part.offset
}

// mapped is where the file has the bytes of an address, up to the end of the
// segment's part of the file. Only segments with all of flags are looked at.
func (f *image) mapped(address uint64, flags elf.ProgFlag) (extent, bool) {
	for _, segment := range f.elf.Progs {
		if segment.Type != elf.PT_LOAD || segment.Flags&flags != flags || address < segment.Vaddr {
			continue
		}
		if into := address - segment.Vaddr; into < segment.Filesz {
			whole, ok := f.within(extent{segment.Off, segment.Filesz})
			return extent{whole.offset + into, whole.size - into}, ok
		}
	}
	return extent{}, false
}

// code reads the machine code of a function, and says where it is in the file.
func (f *image) code(address, size uint64) ([]byte, uint64, error) {
	if size == 0 || size > maxFunction {
		return nil, 0, fmt.Errorf("its size is said to be %d bytes", size)
	}
	part, ok := f.mapped(address, elf.PF_X)
	if !ok || part.size < size {
		return nil, 0, fmt.Errorf("its address %#x is outside of the file's code", address)
	}
	code, err := f.read(extent{part.offset, size})
	return code, part.offset, err
}

func (f *image) read(part extent) ([]byte, error) {
	content := make([]byte, part.size)
	if _, err := f.reader.ReadAt(content, int64(part.offset)); err != nil {
		return nil, fmt.Errorf("the file cannot be read at %d: %w", part.offset, err)
	}
	return content, nil
}

// readAddress reads size bytes at an address as the file has them, before any
// relocation.
func (f *image) readAddress(address, size uint64) ([]byte, bool) {
	part, ok := f.mapped(address, 0)
	if !ok || part.size < size {
		return nil, false
	}
	content, err := f.read(extent{part.offset, size})
	return content, err == nil
}

// readSoname reads the name that a shared library gives itself. DynString of
// debug/elf would read the whole string table for it.
func (f *image) readSoname() string {
	const maxDynamic, maxName = 64 << 10, 128
	section := f.elf.SectionByType(elf.SHT_DYNAMIC)
	part, ok := f.content(section)
	if !ok || int(section.Link) >= len(f.elf.Sections) {
		return ""
	}
	names, ok := f.content(f.elf.Sections[section.Link])
	if !ok {
		return ""
	}
	tags, err := f.read(extent{part.offset, min(part.size, maxDynamic)})
	if err != nil {
		return ""
	}
	for word := f.wordSize(); len(tags) >= 2*word; tags = tags[2*word:] {
		at := f.word(tags[word:])
		if f.word(tags) == uint64(elf.DT_SONAME) && at < names.size {
			return f.text(extent{names.offset + at, min(maxName, names.size-at)})
		}
	}
	return ""
}

// wordSize is the size of an address in bytes.
func (f *image) wordSize() int {
	if f.elf.Class == elf.ELFCLASS64 {
		return 8
	}
	return 4
}

// word decodes an address or a size.
func (f *image) word(content []byte) uint64 {
	if f.elf.Class == elf.ELFCLASS64 {
		return f.elf.ByteOrder.Uint64(content)
	}
	return uint64(f.elf.ByteOrder.Uint32(content))
}

// text reads a string that ends in a zero byte, or is "".
func (f *image) text(part extent) string {
	content, err := f.read(part)
	end := bytes.IndexByte(content, 0)
	if err != nil || end < 0 {
		return ""
	}
	return string(content[:end])
}
