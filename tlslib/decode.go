package tlslib

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/arch/x86/x86asm"
)

var errUnknownInstruction = errors.New("the instruction is unknown")

// decodeAMD64 decodes an instruction. Of those that x86asm does not know but
// compilers emit, it gives the length alone.
func decodeAMD64(code []byte) (x86asm.Inst, error) {
	// ENDBR64, with which a function begins that may be called indirectly.
	if endbr64 := []byte{0xf3, 0x0f, 0x1e, 0xfa}; bytes.HasPrefix(code, endbr64) {
		return x86asm.Inst{Len: len(endbr64)}, nil
	}
	if length := vexLength(code); length > 0 {
		return x86asm.Inst{Len: length}, nil
	}
	instruction, err := x86asm.Decode(code, 64)
	if err != nil {
		return x86asm.Inst{}, fmt.Errorf("the instruction is unknown: %w", err)
	}
	// Of an instruction with a prefix that it does not know, it gives the prefix.
	if instruction.Op == 0 {
		return x86asm.Inst{}, errUnknownInstruction
	}
	return instruction, nil
}

// Prefixes of AVX and BMI instructions, which a compiler uses with GOAMD64=v3
// and v4, and which x86asm does not know (Intel's manual, volume 2, 2.3 and 2.7).
// In 64-bit code, their first bytes have no other meaning.
const (
	prefixVEX2 = 0xc5
	prefixVEX3 = 0xc4
	prefixEVEX = 0x62
)

// Opcode maps: what would be the prefixes 0F, 0F 38 and 0F 3A in older encodings.
const (
	map0F   = 1
	map0F38 = 2
	map0F3A = 3
)

// vexLength is the length of an instruction with one of these prefixes, or 0 for
// another, an unknown one, or one that is cut off.
func vexLength(code []byte) int {
	const longestPrefix = 4
	if len(code) < longestPrefix {
		return 0
	}
	at, opcodes := 0, byte(map0F)
	switch code[0] {
	case prefixVEX2:
		at = 2
	case prefixVEX3:
		at, opcodes = 3, code[1]&0x1f
	case prefixEVEX:
		at, opcodes = 4, code[1]&7
	default:
		return 0
	}
	if opcodes < map0F || opcodes > map0F3A || at >= len(code) {
		return 0
	}
	opcode := code[at]
	at++
	if opcodes != map0F || opcode != 0x77 { // VZEROUPPER alone has no operands.
		size := operandLength(code[at:])
		if size == 0 {
			return 0
		}
		at += size
	}
	if hasImmediate(opcodes, opcode) {
		at++
	}
	if at > len(code) {
		return 0
	}
	return at
}

// hasImmediate says whether a byte follows the operands: for all of map 0F3A,
// and for shifts, comparisons, PINSRW, PEXTRW, SHUFPS and PSHUFD.
func hasImmediate(opcodes, opcode byte) bool {
	if opcodes != map0F {
		return opcodes == map0F3A
	}
	switch opcode {
	case 0x70, 0x71, 0x72, 0x73, 0xc2, 0xc4, 0xc5, 0xc6:
		return true
	}
	return false
}

// operandLength is the length of the byte ModRM with what follows from it: the
// byte SIB and a displacement. It is 0 if they are cut off.
func operandLength(code []byte) int {
	if len(code) == 0 {
		return 0
	}
	mode, register := code[0]>>6, code[0]&7
	length := 1
	base := register
	if mode != 3 && register == 4 {
		if len(code) < 2 {
			return 0
		}
		base = code[1] & 7
		length++
	}
	switch {
	case mode == 1:
		length++
	case mode == 2, mode == 0 && base == 5:
		length += 4
	}
	if length > len(code) {
		return 0
	}
	return length
}
