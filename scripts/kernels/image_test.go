package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"strings"
	"testing"
)

// bzImage builds an image as the kernel's build does.
func bzImage(sectors byte, content []byte) []byte {
	var payload bytes.Buffer
	w := gzip.NewWriter(&payload)
	w.Write(content)
	w.Close()
	binary.Write(&payload, binary.LittleEndian, uint32(len(content)))

	setup := (max(int(sectors), 1) + 1) * sectorSize
	if sectors == 0 {
		setup = 5 * sectorSize
	}
	const stub = 100 // The code that would unpack the payload comes before it.
	image := make([]byte, setup+stub, setup+stub+payload.Len())
	image[setupSectors] = sectors
	copy(image[headerMagic:], "HdrS")
	binary.LittleEndian.PutUint32(image[payloadOffset:], stub)
	binary.LittleEndian.PutUint32(image[payloadLength:], uint32(payload.Len()))
	return append(image, payload.Bytes()...)
}

func TestUnpackKernel(t *testing.T) {
	elf := append([]byte("\x7fELF"), bytes.Repeat([]byte("kernel"), 1000)...)
	good := bzImage(27, elf)
	wrongSize := bytes.Clone(good)
	wrongSize[len(wrongSize)-4]++
	tests := map[string]struct {
		image   []byte
		failure string
	}{
		"good":                 {good, ""},
		"no number of sectors": {bzImage(0, elf), ""},
		"something follows":    {append(bytes.Clone(good), "signature"...), ""},
		"empty":                {nil, "no bzImage"},
		"an arm64 kernel":      {append([]byte("MZ@"), make([]byte, 1000)...), "no bzImage"},
		"cut off":              {good[:len(good)-1], "cut off"},
		"wrong size":           {wrongSize, "rather than to an ELF file"},
		"no ELF file":          {bzImage(27, []byte("something else")), "rather than to an ELF file"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := unpackKernel(t.Context(), test.image)
			switch {
			case test.failure == "" && (err != nil || !bytes.Equal(got, elf)):
				t.Errorf("got %d bytes, %v", len(got), err)
			case test.failure != "" && (err == nil || !strings.Contains(err.Error(), test.failure)):
				t.Errorf("error %v, want one with %q", err, test.failure)
			}
		})
	}
}

func TestDecompressLeavesTheUnknown(t *testing.T) {
	plain := []byte("\x7fELF module")
	if got, err := decompress(t.Context(), plain); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := decompress(t.Context(), []byte("\x1f\x8bno more")); err == nil {
		t.Error("a broken file unpacks without an error")
	}
}

// TestArchive has each entry where the format says: names and contents begin at
// multiples of four bytes.
func TestArchive(t *testing.T) {
	var a archive
	a.directory("etc")
	a.file("init", []byte("12345"))
	data := a.finish()
	want := []struct{ name, mode, content string }{{"etc", "000041ed", ""}, {"init", "000081ed", "12345"}, {"TRAILER!!!", "00000000", ""}}
	for _, entry := range want {
		const header = 110
		field := func(i int) string { return string(data[6+8*i : 14+8*i]) }
		if string(data[:6]) != "070701" || field(1) != entry.mode {
			t.Fatalf("%s: magic %q, mode %s", entry.name, data[:6], field(1))
		}
		size := len(entry.content)
		begin := (header + len(entry.name) + 1 + 3) &^ 3
		if name := string(bytes.TrimRight(data[header:begin], "\x00")); name != entry.name {
			t.Fatalf("name %q, want %q", name, entry.name)
		}
		if content := string(data[begin : begin+size]); content != entry.content {
			t.Errorf("%s: content %q, want %q", entry.name, content, entry.content)
		}
		data = data[begin+(size+3)&^3:]
	}
	if len(data) != 0 {
		t.Errorf("%d bytes follow the trailer", len(data))
	}
}
