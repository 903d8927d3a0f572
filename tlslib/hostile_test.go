package tlslib

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"
)

func TestNotELF(t *testing.T) {
	for _, content := range []string{"", "\x7fEL", "#!/bin/sh\n", "MZ\x90\x00", "\x7fELG"} {
		if _, err := Find(bytes.NewReader([]byte(content)), int64(len(content))); !errors.Is(err, ErrNotELF) {
			t.Errorf("Find(%q): %v, want ErrNotELF", content, err)
		}
	}
}

// sparse is a file that ends in a hole of any size.
type sparse struct{ start []byte }

func (s sparse) ReadAt(buffer []byte, offset int64) (int, error) {
	clear(buffer)
	if offset < int64(len(s.start)) {
		copy(buffer, s.start[offset:])
	}
	return len(buffer), nil
}

// makeC makes a library with the symbols that the parts contain.
func makeC(symbols, names []byte) []byte {
	return makeELF(elf.EM_X86_64,
		part{name: ".text", kind: elf.SHT_PROGBITS, flags: elf.SHF_ALLOC | elf.SHF_EXECINSTR, content: fixed(bytes.Repeat([]byte{0xc3}, 64))},
		part{name: ".strtab", kind: elf.SHT_STRTAB, content: fixed(names)},
		part{name: ".dynamic", kind: elf.SHT_DYNAMIC, link: ".strtab", content: fixed(make([]byte, 32))},
		part{name: ".symtab", kind: elf.SHT_SYMTAB, link: ".strtab", content: fixed(symbols)},
	)
}

func makeSymbol(name uint32, address, size uint64) []byte {
	symbol := binary.LittleEndian.AppendUint32(nil, name)
	symbol = append(symbol, byte(elf.STT_FUNC), 0, 1, 0)
	symbol = binary.LittleEndian.AppendUint64(symbol, address)
	return binary.LittleEndian.AppendUint64(symbol, size)
}

// TestHugeTables has section headers that claim up to all there can be.
func TestHugeTables(t *testing.T) {
	content := makeC(makeSymbol(1, baseAddress+128, 8), []byte("\x00SSL_read\x00"))
	file, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	sectionHeaders := binary.LittleEndian.Uint64(content[40:])
	for index := 1; index < len(file.Sections); index++ {
		for _, size := range []uint64{1 << 31, 1 << 40, math.MaxInt64, math.MaxUint64} {
			broken := bytes.Clone(content)
			binary.LittleEndian.PutUint64(broken[sectionHeaders+uint64(index)*64+32:], size)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			started := time.Now()
			found, err := Find(sparse{broken}, math.MaxInt64)
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > 32<<20 {
				t.Errorf("section %d of %d bytes took %d bytes of memory (%+v, %v)", index, size, used, found, err)
			}
			if took := time.Since(started); took > 5*time.Second {
				t.Errorf("section %d of %d bytes took %v", index, size, took)
			}
		}
	}
}

// TestHostileSymbols has symbols that no linker makes.
func TestHostileSymbols(t *testing.T) {
	names := []byte("\x00SSL_read\x00SSL_connect\x00SSL_do_handshake\x00")
	const read, connect, handshake = 1, 10, 22
	flood, aliases := []byte{}, []byte{}
	for i := range uint64(100) {
		flood = append(flood, makeSymbol(read, baseAddress+120+i, 1)...)
		aliases = append(aliases, makeSymbol(read, baseAddress+128, i)...)
	}
	aliases = append(aliases, makeSymbol(read, baseAddress+129, 1)...)
	tests := []struct {
		name    string
		symbols []byte
		sites   int
	}{
		{"address outside", makeSymbol(read, 1<<62, 8), 0},
		{"address at the end of all", makeSymbol(read, math.MaxUint64, math.MaxUint64), 0},
		{"endless size", append(makeSymbol(read, baseAddress+128, math.MaxUint64), makeSymbol(connect, baseAddress+129, math.MaxUint64)...), 4},
		{
			"two functions at one place",
			append(makeSymbol(read, baseAddress+128, 1), makeSymbol(handshake, baseAddress+128, 1)...), 2,
		},
		{"hundred functions of one name", flood, 2 * maxNamesakes},
		{"hundred aliases and one more", aliases, 4},
		{"half a symbol", makeSymbol(read, baseAddress+128, 1)[:20], 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			content := makeC(test.symbols, names)
			found, err := Find(bytes.NewReader(content), int64(len(content)))
			if err != nil {
				t.Fatal(err)
			}
			sites := 0
			for _, image := range found.Images {
				sites += len(image.Sites)
			}
			if sites != test.sites {
				t.Errorf("found %+v, want %d sites", found, test.sites)
			}
		})
	}
}

// TestTruncated cuts a real file at every kind of place.
func TestTruncated(t *testing.T) {
	path := installed(t, "install libssl3", "/usr/lib/*/libssl.so.3", "/usr/lib64/libssl.so.3")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for size := 0; size < len(content); size += 997 {
		found, err := Find(bytes.NewReader(content[:size]), int64(size))
		if err == nil && len(found.Images) > 0 {
			t.Errorf("of the first %d bytes: %+v", size, found)
		}
	}
}

// TestPastTheEnd has a file that is smaller than its headers say, though there
// would be more to read.
func TestPastTheEnd(t *testing.T) {
	content := makeC(makeSymbol(1, baseAddress+128, 8), []byte("\x00SSL_read\x00"))
	file, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	end := int64(file.Progs[0].Filesz)
	for size := range end + 1 {
		found, err := Find(bytes.NewReader(content), size)
		if err != nil || (len(found.Images) > 0) != (size == end) {
			t.Errorf("of %d bytes: found %+v (%v)", size, found, err)
		}
	}
}

// FuzzFind looks for panics, and for sites outside of the file.
func FuzzFind(f *testing.F) {
	for _, program := range []goProgram{
		{magic: funcTableMagic120, tableName: ".gopclntab", module: ".go.module"},
		{magic: funcTableMagic118, tableName: ".data.rel.ro", module: ".data", textStart: true, relocated: true},
		{magic: funcTableMagic116, tableName: ".gopclntab", module: ".data"},
	} {
		content := makeGo(program)
		f.Add(content)
		f.Add(content[:len(content)/2])
	}
	symbols := append(makeSymbol(1, baseAddress+128, 8), makeSymbol(10, baseAddress+136, 8)...)
	f.Add(makeC(symbols, []byte("\x00SSL_read\x00SSL_read_ex\x00")))
	f.Add([]byte(elf.ELFMAG))
	f.Fuzz(func(t *testing.T, content []byte) {
		found, err := Find(bytes.NewReader(content), int64(len(content)))
		if err != nil && len(found.Images)+len(found.Hidden) > 0 {
			t.Errorf("found %+v, and also an error: %v", found, err)
		}
		for _, image := range found.Images {
			for _, site := range image.Sites {
				if site.Offset >= uint64(len(content)) {
					t.Errorf("%+v is outside of the file", site)
				}
			}
		}
	})
}

// TestReadError has a file that cannot be read to its end, as on a failing disk.
func TestReadError(t *testing.T) {
	content := makeC(makeSymbol(1, baseAddress+128, 8), []byte("\x00SSL_read\x00"))
	file, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	names := int64(file.Section(".strtab").Offset)
	if found, err := Find(failing{bytes.NewReader(content), names}, int64(len(content))); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("found %+v (%v), want the error of the file", found, err)
	}
}

// failing cannot read what begins at an offset.
type failing struct {
	io.ReaderAt
	at int64
}

func (f failing) ReadAt(buffer []byte, offset int64) (int, error) {
	if offset == f.at {
		return 0, io.ErrUnexpectedEOF
	}
	return f.ReaderAt.ReadAt(buffer, offset)
}

// BenchmarkFind looks into the largest executable that the tests need.
func BenchmarkFind(b *testing.B) {
	path, err := exec.LookPath("node")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		findIn(b, path)
	}
}
