package tlslib

import (
	"bytes"
	"debug/elf"
	"encoding/hex"
	"slices"
	"testing"
)

// TestInstructionLengths has encodings that GNU as made and objdump read back:
// what a Go compiler emits with GOAMD64=v1 to v4, and forms that x86asm does not
// know.
func TestInstructionLengths(t *testing.T) {
	tests := []struct{ name, code string }{
		{"cmp 0x10(%r14),%rsp", "493b6610"},
		{"lea -0x98(%rsp),%r12", "4c8da42468ffffff"},
		{"endbr64", "f30f1efa"},
		{"int3", "cc"},
		{"popcnt %rax,%rcx", "f3480fb8c8"},
		{"vzeroupper", "c5f877"},
		{"vmovdqu (%rsi),%ymm0", "c5fe6f06"},
		{"vmovdqu 0x20(%rsi,%rcx,8),%ymm0", "c5fe6f44ce20"},
		{"vmovdqu 0x12345678(%r8),%xmm15", "c4417a6fb878563412"},
		{"vmovups 0x1234(%rip),%xmm15", "c578103d34120000"},
		{"vmovdqu 0x1234,%ymm1", "c5fe6f0c2534120000"},
		{"vpshufd $0x1b,%xmm1,%xmm2", "c5f970d11b"},
		{"vpsrlq $0x3,%ymm1,%ymm2", "c5ed73d103"},
		{"vpalignr $0x8,%ymm1,%ymm2,%ymm3", "c4e36d0fd908"},
		{"vpinsrq $0x1,%rax,%xmm1,%xmm1", "c4e3f122c801"},
		{"shlx %rcx,%rax,%rdx", "c4e2f1f7d0"},
		{"rorx $0x7,%r8,%r9", "c443fbf0c807"},
		{"mulx (%r9),%r13,%r12", "c44293f621"},
		{"vfmadd231sd %xmm1,%xmm2,%xmm0", "c4e2e9b9c1"},
		{"vmovdqu64 0x40(%rsi),%zmm0", "62f1fe486f4601"},
		{"vpternlogd $0x96,%zmm1,%zmm2,%zmm3", "62f36d4825d996"},
		{"vmovdqu64 0x12345678(%rax,%rbx,4),%zmm31", "6261fe486fbc9878563412"},
		{"vpxorq %zmm0,%zmm0,%zmm0", "62f1fd48efc0"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			code, err := hex.DecodeString(test.code)
			if err != nil {
				t.Fatal(err)
			}
			// With a return on both sides, a wrong length leads to a wrong list.
			around := slices.Concat([]byte{0xc3}, code, []byte{0xc3})
			got, err := returnsOf(around, elf.EM_X86_64)
			if want := []int{0, len(code) + 1}; err != nil || !slices.Equal(got, want) {
				t.Errorf("returns are at %v (%v), want %v", got, err, want)
			}
			for cut := 1; cut < len(code); cut++ {
				if got, err := decodeAMD64(code[:cut]); err == nil && got.Len > cut {
					t.Errorf("of %d bytes, %d are said to be an instruction", cut, got.Len)
				}
			}
		})
	}
}

// TestUnreadableCode checks that no function gets half of its probes.
func TestUnreadableCode(t *testing.T) {
	tests := []struct {
		name    string
		machine elf.Machine
		code    []byte
	}{
		{"not an instruction of 64-bit code", elf.EM_X86_64, []byte{0xc3, 0x06, 0xc3}},
		{"adcx, of which x86asm reads the prefix alone", elf.EM_X86_64, []byte{0x66, 0x4c, 0x0f, 0x38, 0xf6, 0xeb, 0xc3}},
		{"unknown map of opcodes", elf.EM_X86_64, []byte{0xc4, 0xe5, 0x78, 0x10, 0xc0, 0xc3}},
		{"cut off", elf.EM_X86_64, []byte{0xc3, 0x48, 0x8d, 0x05, 0x00}},
		{"too many returns", elf.EM_X86_64, bytes.Repeat([]byte{0xc3}, maxReturns+1)},
		{"too many returns on arm64", elf.EM_AARCH64, bytes.Repeat([]byte{0xc0, 0x03, 0x5f, 0xd6}, maxReturns+1)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got, err := returnsOf(test.code, test.machine); err == nil || got != nil {
				t.Errorf("returns are at %v (%v), want an error", got, err)
			}
		})
	}
}
