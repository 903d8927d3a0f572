package tlslib

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"reflect"
	"testing"
)

// inMemory is a file without headers, read as a part.
func inMemory(content []byte) (*image, extent) {
	file := &image{
		elf:    &elf.File{FileHeader: elf.FileHeader{ByteOrder: binary.LittleEndian}},
		reader: bytes.NewReader(content), size: uint64(len(content)),
	}
	return file, extent{0, uint64(len(content))}
}

// TestAcrossChunks has texts at every place around where a chunk ends.
func TestAcrossChunks(t *testing.T) {
	const text = "SSL_do_handshake"
	for at := chunkSize - len(text) - 1; at <= chunkSize+1; at++ {
		content := make([]byte, chunkSize+100)
		copy(content[at:], text)
		file, all := inMemory(content)
		names, err := findNames(file, all, wantedNames())
		if want := map[uint32]string{uint32(at): text}; err != nil || !reflect.DeepEqual(names, want) {
			t.Errorf("findNames: got %v (%v), want %v", names, err, want)
		}
		places, err := file.find(all, []string{"_do_", text})
		if want := map[string]uint64{"_do_": uint64(at + 3), text: uint64(at)}; err != nil || !reflect.DeepEqual(places, want) {
			t.Errorf("find: got %v (%v), want %v", places, err, want)
		}
	}
}

// TestRecords counts records of each size that there is.
func TestRecords(t *testing.T) {
	for _, size := range []int{funcTableEntry, symbolSize, relocationSize} {
		for _, count := range []int{0, 1, chunkSize / size, chunkSize/size + 1, 3 * chunkSize / size} {
			content := make([]byte, count*size+size-1) // The last one is incomplete.
			for i := range count {
				binary.LittleEndian.PutUint32(content[i*size:], uint32(i))
			}
			file, all := inMemory(content)
			next := 0
			err := file.records(all, size, func(index int, record []byte) bool {
				if index != next || binary.LittleEndian.Uint32(record) != uint32(next) {
					t.Fatalf("record %d of %d bytes says %d, want %d", index, size, record, next)
				}
				next++
				return true
			})
			if err != nil || next != count {
				t.Errorf("%d of %d records (%v)", next, count, err)
			}
		}
	}
}

// TestWindow reads forwards, backwards, and past the end.
func TestWindow(t *testing.T) {
	content := make([]byte, 3*chunkSize+2)
	for at := 0; at+4 <= len(content); at += 4 {
		binary.LittleEndian.PutUint32(content[at:], uint32(at))
	}
	file, all := inMemory(content)
	numbers := window{file: file, part: all}
	for _, at := range []uint64{8, chunkSize - 4, chunkSize, 3*chunkSize - 4, 0, 2 * chunkSize} {
		if got, err := numbers.uint32At(at); err != nil || uint64(got) != at {
			t.Errorf("uint32At(%d) = %d (%v)", at, got, err)
		}
	}
	for _, at := range []uint64{3 * chunkSize, 1 << 63, 1<<64 - 1} {
		if got, err := numbers.uint32At(at); err == nil {
			t.Errorf("uint32At(%d) = %d, want an error", at, got)
		}
	}
}
