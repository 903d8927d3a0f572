package tlslib

import "debug/elf"

// Words of runtime.moduledata, which Go 1.16 to 1.26 have alike. Go 1.26 has it
// in a section of its own.
const (
	moduleSection   = ".go.module"
	moduleFuncTable = 0
	moduleFirst     = 20
	moduleText      = 22
)

// findTextStart is the address that the entries of the function table are
// relative to, which is not that of .text if a C linker put C code before Go's.
func (t *funcTable) findTextStart() (uint64, error) {
	header := t.file.pointers(t.address + 8 + 2*8)
	if t.isCode(header[0]) {
		return header[0], nil
	}
	section := t.file.elf.Section(moduleSection)
	if section == nil {
		return 0, errNoStartOfCode
	}
	module := t.file.pointers(section.Addr+8*moduleFuncTable, section.Addr+8*moduleFirst, section.Addr+8*moduleText)
	first, err := t.file.read(extent{t.entries.offset, 4})
	if err != nil {
		return 0, err
	}
	// That it names this table, and the same first function, shows that it has
	// the fields where they are expected.
	start := module[2]
	firstEntry := uint64(t.file.elf.ByteOrder.Uint32(first))
	if module[0] != t.address || module[1] != start+firstEntry || !t.isCode(start) {
		return 0, errNoStartOfCode
	}
	return start, nil
}

func (t *funcTable) isCode(address uint64) bool {
	_, ok := t.file.mapped(address, elf.PF_X)
	return address != 0 && ok
}

// pointers reads pointers as the loader will have set them, for a base address
// of 0. One that cannot be read is 0. Linkers may leave those of a
// position-independent file 0, with the value in the relocation alone.
func (f *image) pointers(addresses ...uint64) []uint64 {
	values := make([]uint64, len(addresses))
	missing := map[uint64]int{}
	for i, address := range addresses {
		if content, ok := f.readAddress(address, 8); ok {
			values[i] = f.elf.ByteOrder.Uint64(content)
		}
		if values[i] == 0 {
			missing[address] = i
		}
	}
	if len(missing) == 0 {
		return values
	}
	relative := uint32(elf.R_X86_64_RELATIVE)
	if f.elf.Machine == elf.EM_AARCH64 {
		relative = uint32(elf.R_AARCH64_RELATIVE)
	}
	err := f.relocations(func(place, info, addend uint64) bool {
		if i, ok := missing[place]; ok && elf.R_TYPE64(info) == relative {
			values[i] = addend
		}
		return true
	})
	if err != nil {
		return make([]uint64, len(addresses))
	}
	return values
}
