package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os/exec"
)

// Fields of the x86 boot protocol's setup header (Documentation/arch/x86/boot.rst).
const (
	setupSectors  = 0x1f1 // u8, of 512 bytes, besides the boot sector
	headerMagic   = 0x202 // "HdrS"
	payloadOffset = 0x248 // u32, from the end of the setup sectors
	payloadLength = 0x24c // u32
	headerEnd     = 0x250

	sectorSize = 512
)

var elfMagic = []byte("\x7fELF")

// kernelPayload finds the compressed kernel in a bzImage, and the size that it
// unpacks to, which its last four bytes say.
func kernelPayload(image []byte) (payload []byte, size int, err error) {
	if len(image) < headerEnd || !bytes.Equal(image[headerMagic:headerMagic+4], []byte("HdrS")) {
		return nil, 0, errors.New("this is no bzImage: its setup header is missing")
	}
	sectors := int(image[setupSectors])
	if sectors == 0 {
		sectors = 4 // As the boot protocol says.
	}
	begin := (sectors+1)*sectorSize + int(binary.LittleEndian.Uint32(image[payloadOffset:]))
	length := int(binary.LittleEndian.Uint32(image[payloadLength:]))
	if length < 8 || begin+length > len(image) {
		return nil, 0, fmt.Errorf("the bzImage is cut off: its payload of %d bytes at %d lies outside", length, begin)
	}
	payload = image[begin : begin+length]
	trailer := len(payload) - 4
	return payload[:trailer], int(binary.LittleEndian.Uint32(payload[trailer:])), nil
}

// unpackKernel makes of a bzImage the ELF kernel, which QEMU boots by PVH: the
// unpacking inside, by an emulated processor, would take seconds at every boot.
func unpackKernel(ctx context.Context, image []byte) ([]byte, error) {
	payload, size, err := kernelPayload(image)
	if err != nil {
		return nil, err
	}
	kernel, err := decompress(ctx, payload)
	if err != nil {
		return nil, err
	}
	if len(kernel) != size || !bytes.HasPrefix(kernel, elfMagic) {
		return nil, fmt.Errorf("the bzImage unpacks to %d bytes rather than to an ELF file of %d", len(kernel), size)
	}
	return kernel, nil
}

// decompressors are told apart by what their files begin with.
func decompressors() map[string]string {
	return map[string]string{
		"\x1f\x8b":             "gzip",
		"\xfd7zXZ\x00":         "xz",
		"\x28\xb5\x2f\xfd":     "zstd",
		"\x02\x21\x4c\x18":     "lz4",
		"\x5d\x00\x00\x00\x04": "lzma",
	}
}

// decompress unpacks by the program for the format. Data in no known format is
// returned as it is.
func decompress(ctx context.Context, data []byte) ([]byte, error) {
	for magic, program := range decompressors() {
		if !bytes.HasPrefix(data, []byte(magic)) {
			continue
		}
		var out bytes.Buffer
		command := exec.CommandContext(ctx, program, "-dc")
		command.Stdin, command.Stdout = bytes.NewReader(data), &out
		if err := runCommand(command); err != nil {
			return nil, fmt.Errorf("a file of the kernel cannot be unpacked: %w", err)
		}
		return out.Bytes(), nil
	}
	return data, nil
}
