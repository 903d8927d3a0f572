package tlslib

import (
	"encoding/binary"
	"reflect"
	"testing"
)

// TestBranchesAMD64 takes its code from Ubuntu's and Debian's libraries.
func TestBranchesAMD64(t *testing.T) {
	tests := []struct {
		name    string
		address uint64
		code    []byte
		want    []branch
	}{
		{"call to an earlier place", 0x3c1a, []byte{0xe8, 0xa1, 0xf4, 0xff, 0xff}, []branch{{address: 0x30c0}}},
		{
			"jump after others", 0x3f2d0, []byte{0x45, 0x31, 0xc0, 0x31, 0xc9, 0xe9, 0x66, 0x9c, 0xff, 0xff},
			[]branch{{address: 0x38f40}},
		},
		{
			"stub with endbr64 and bnd", 0x1050, []byte{0xf3, 0x0f, 0x1e, 0xfa, 0xf2, 0xff, 0x25, 0xa5, 0x2f, 0, 0},
			[]branch{{address: 0x4000, slot: true}},
		},
		{"slot before the code", 0x4000, []byte{0xff, 0x15, 0xfa, 0xef, 0xff, 0xff}, []branch{{address: 0x3000, slot: true}}},
		{"through a register", 0x1000, []byte{0xff, 0xd0, 0xff, 0x60, 0x08}, []branch{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := branchesAMD64(test.code, test.address); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// TestBranchesARM64 takes its code from what clang and ld made of a library.
func TestBranchesARM64(t *testing.T) {
	tests := []struct {
		name    string
		decode  func([]byte, uint64) []branch
		address uint64
		code    []uint32
		want    []branch
	}{
		{
			"bl to an earlier stub", branchesARM64, 0x468,
			[]uint32{0x97ffffe6, 0x11000400, 0xd65f03c0}, []branch{{address: 0x400}},
		},
		{"b forward", branchesARM64, 0x1000, []uint32{0xd503201f, 0x14000002}, []branch{{address: 0x100c}}},
		{
			"stub", stubARM64, 0x410,
			[]uint32{0x90000110, 0xf9400611, 0x91002210, 0xd61f0220}, []branch{{address: 0x20008, slot: true}},
		},
		{
			"stub on a page that is no multiple of four", stubARM64, 0x3e8,
			[]uint32{0xf00000f0, 0xf947fe11, 0x913fe210, 0xd61f0220}, []branch{{address: 0x1fff8, slot: true}},
		},
		{
			"stub after bti", stubARM64, 0x40c,
			[]uint32{0xd503245f, 0x90000110, 0xf9400611, 0x91002210}, []branch{{address: 0x20008, slot: true}},
		},
		{"no stub", stubARM64, 0x410, []uint32{0xd503245f, 0xb9400008, 0x0b020100, 0xd65f03c0}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			code := []byte{}
			for _, word := range test.code {
				code = binary.LittleEndian.AppendUint32(code, word)
			}
			if got := test.decode(code, test.address); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}
