package tlslib

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/arch/x86/x86asm"
)

const (
	// maxFunction bounds what is disassembled. The longest of the functions has
	// some two kilobytes.
	maxFunction = 256 << 10
	// maxReturns bounds the probes of one function, which normally has a dozen.
	maxReturns = 256
)

var errManyReturns = errors.New("it has too many return instructions")

// returnsOf lists where a Go function's return instructions are, in bytes from
// its start. It fails rather than leave one out.
func returnsOf(code []byte, machine elf.Machine) ([]int, error) {
	if machine == elf.EM_AARCH64 {
		return returnsARM64(code)
	}
	return returnsAMD64(code)
}

// returnsAMD64 decodes every instruction. A probe in the middle of one would
// make the program crash, so that code which cannot be decoded gets none at all.
func returnsAMD64(code []byte) ([]int, error) {
	returns := []int{}
	for at := 0; at < len(code); {
		instruction, err := decodeAMD64(code[at:])
		if err != nil {
			return nil, fmt.Errorf("no instruction is known for its bytes at %#x", at)
		}
		if instruction.Op == x86asm.RET {
			returns = append(returns, at)
		}
		if len(returns) > maxReturns {
			return nil, errManyReturns
		}
		at += instruction.Len
	}
	return returns, nil
}

// returnsARM64 looks at the words alone: RET is 0xd65f0000 with a register in
// bits 5 to 9 (Arm Architecture Reference Manual, C6.2). Go emits no variant
// that authenticates the address.
func returnsARM64(code []byte) ([]int, error) {
	returns := []int{}
	for at := 0; at+4 <= len(code); at += 4 {
		if binary.LittleEndian.Uint32(code[at:])&^(0x1f<<5) == 0xd65f0000 {
			returns = append(returns, at)
		}
	}
	if len(returns) > maxReturns {
		return nil, errManyReturns
	}
	return returns, nil
}
