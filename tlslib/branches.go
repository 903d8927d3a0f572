package tlslib

import (
	"encoding/binary"

	"golang.org/x/arch/x86/x86asm"
)

// branch is where an instruction leads: to an address, or to the address that is
// in the slot at an address.
type branch struct {
	address uint64
	slot    bool
}

// branchesAMD64 lists calls and jumps up to the first unknown instruction.
func branchesAMD64(code []byte, address uint64) []branch {
	branches := []branch{}
	for at := 0; at < len(code); {
		instruction, err := decodeAMD64(code[at:])
		if err != nil {
			break
		}
		at += instruction.Len
		if instruction.Op != x86asm.CALL && instruction.Op != x86asm.JMP {
			continue
		}
		next := address + uint64(at)
		switch operand := instruction.Args[0].(type) {
		case x86asm.Rel:
			branches = append(branches, branch{address: next + uint64(int64(operand))})
		case x86asm.Mem:
			if operand.Base == x86asm.RIP {
				// x86asm gives the 32 bits of the distance without their sign.
				branches = append(branches, branch{next + uint64(int32(operand.Disp)), true})
			}
		}
	}
	return branches
}

// branchesARM64 lists the instructions B and BL, whose low 26 bits count
// instructions from here (Arm Architecture Reference Manual, C6.2).
func branchesARM64(code []byte, address uint64) []branch {
	branches := []branch{}
	for at := 0; at+4 <= len(code); at += 4 {
		word := binary.LittleEndian.Uint32(code[at:])
		if word&0x7c000000 == 0x14000000 {
			distance := int64(int32(word<<6)>>6) * 4
			branches = append(branches, branch{address: address + uint64(at) + uint64(distance)})
		}
	}
	return branches
}

// stubARM64 decodes the pair "adrp x16, page; ldr x17, [x16, offset]" that an
// entry of the procedure linkage table begins with, perhaps after "bti c".
func stubARM64(code []byte, address uint64) []branch {
	for at := 0; at+8 <= len(code); at += 4 {
		adrp := binary.LittleEndian.Uint32(code[at:])
		load := binary.LittleEndian.Uint32(code[at+4:])
		if adrp&0x9f00001f != 0x90000010 || load&0xffc003ff != 0xf9400211 {
			continue
		}
		pages := int64(int32(adrp<<8)>>13)<<2 | int64(adrp>>29&3)
		page := (address+uint64(at))&^0xfff + uint64(pages<<12)
		return []branch{{page + uint64(load>>10&0xfff)*8, true}}
	}
	return nil
}
