package tlslib

import "debug/elf"

const (
	relocationSize = 24 // Elf64_Rela
	// stubSize is enough for an entry of any procedure linkage table.
	stubSize = 16
)

// callFinder says which functions call which others. It reads the relocations
// once, if at all.
type callFinder struct {
	file    *image
	symbols symbolTable
	// slots holds which function the loader puts into each pointer of the global
	// offset table: calls within a shared library go through these, too.
	slots map[uint64]uint32
}

// passesThrough says whether a function calls, or ends with a jump to, the one
// of the given name. It is false if that cannot be told.
func (c *callFinder) passesThrough(outer symbol, name string) (bool, error) {
	inner := c.symbols[name]
	if len(inner) == 0 {
		return false, nil
	}
	code, _, err := c.file.code(outer.address, outer.size)
	if err != nil {
		return false, nil //nolint:nilerror // Its symbol is no good: the caller will see that, too.
	}
	if err := c.readSlots(); err != nil {
		return false, err
	}
	for _, target := range c.targets(code, outer.address) {
		for _, symbol := range inner {
			if target.address == symbol.address || target.index != 0 && target.index == symbol.index {
				return true, nil
			}
		}
	}
	return false, nil
}

// target is where a call leads: to an address, or to the function that the
// loader will have found for a symbol of .dynsym.
type target struct {
	address uint64
	index   uint32
}

// targets lists where the calls and jumps of some code lead.
func (c *callFinder) targets(code []byte, address uint64) []target {
	var branches []branch
	if c.file.elf.Machine == elf.EM_AARCH64 {
		branches = branchesARM64(code, address)
	} else {
		branches = branchesAMD64(code, address)
	}
	targets := make([]target, 0, len(branches))
	for _, branch := range branches {
		if !branch.slot {
			targets = append(targets, target{address: branch.address, index: c.stub(branch.address)})
		} else if index, ok := c.slots[branch.address]; ok {
			targets = append(targets, target{index: index})
		}
	}
	return targets
}

// stub is the symbol that an entry of the procedure linkage table jumps to, or 0
// if there is none at the address.
func (c *callFinder) stub(address uint64) uint32 {
	code, ok := c.file.readAddress(address, stubSize)
	if !ok {
		return 0
	}
	var branches []branch
	if c.file.elf.Machine == elf.EM_AARCH64 {
		branches = stubARM64(code, address)
	} else {
		branches = branchesAMD64(code, address)
	}
	if len(branches) == 0 || !branches[0].slot {
		return 0
	}
	return c.slots[branches[0].address]
}

// readSlots reads which symbol each pointer of the global offset table is for.
func (c *callFinder) readSlots() error {
	if c.slots != nil {
		return nil
	}
	c.slots = map[uint64]uint32{}
	wanted := map[uint32]bool{}
	for _, namesakes := range c.symbols {
		for _, symbol := range namesakes {
			wanted[symbol.index] = symbol.index != 0
		}
	}
	return c.file.relocations(func(place uint64, info uint64, _ uint64) bool {
		if index := elf.R_SYM64(info); wanted[index] && isSlot(c.file.elf.Machine, elf.R_TYPE64(info)) {
			c.slots[place] = index
		}
		return true
	})
}

func isSlot(machine elf.Machine, kind uint32) bool {
	if machine == elf.EM_AARCH64 {
		return kind == uint32(elf.R_AARCH64_JUMP_SLOT) || kind == uint32(elf.R_AARCH64_GLOB_DAT)
	}
	return kind == uint32(elf.R_X86_64_JMP_SLOT) || kind == uint32(elf.R_X86_64_GLOB_DAT)
}

// relocations visits what the loader will write, until visit returns false.
func (f *image) relocations(visit func(place, info, addend uint64) bool) error {
	for _, section := range f.elf.Sections {
		part, ok := f.content(section)
		if !ok || section.Type != elf.SHT_RELA || section.Flags&elf.SHF_ALLOC == 0 {
			continue
		}
		err := f.records(part, relocationSize, func(_ int, record []byte) bool {
			order := f.elf.ByteOrder
			return visit(order.Uint64(record), order.Uint64(record[8:]), order.Uint64(record[16:]))
		})
		if err != nil {
			return err
		}
	}
	return nil
}
