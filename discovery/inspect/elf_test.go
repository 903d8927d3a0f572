package inspect

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// minimalELF makes a 64-bit executable that has nothing but named sections.
func minimalELF(t *testing.T, sections map[string]string) []byte {
	t.Helper()
	const headerSize, sectionSize = 64, 64
	var content bytes.Buffer
	names := []byte{0}
	headers := []elf.Section64{{}}
	place := func(name string, kind elf.SectionType, data []byte) {
		headers = append(headers, elf.Section64{
			Name: uint32(len(names)), Type: uint32(kind), Off: uint64(headerSize + content.Len()), Size: uint64(len(data)),
		})
		names = append(append(names, name...), 0)
		content.Write(data)
	}
	for name, data := range sections {
		place(name, elf.SHT_PROGBITS, []byte(data))
	}
	nameTable := append(bytes.Clone(names), ".shstrtab\x00"...)
	place(".shstrtab", elf.SHT_STRTAB, nameTable)

	header := elf.Header64{
		Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
		Shoff: uint64(headerSize + content.Len()), Ehsize: headerSize, Phentsize: 56,
		Shentsize: sectionSize, Shnum: uint16(len(headers)), Shstrndx: uint16(len(headers) - 1),
	}
	copy(header.Ident[:], elf.ELFMAG+"\x02\x01\x01")
	var file bytes.Buffer
	for _, part := range []any{header, content.Bytes(), headers} {
		if err := binary.Write(&file, binary.LittleEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	return file.Bytes()
}

func TestELFLanguage(t *testing.T) {
	for _, test := range []struct {
		name     string
		sections map[string]string
		want     string
	}{
		{"Go", map[string]string{".go.buildinfo": "\xff Go buildinf:", ".text": "x"}, languageGo},
		{"Rust, by its compiler", map[string]string{".comment": "GCC: (Debian) 12\x00rustc version 1.80.0 (051478957)\x00"}, languageRust},
		{"Rust, stripped", map[string]string{".rodata": "x/rustc/051478957371ee0084a7c0913941d2a8c4757bb9/library/core/src/fmt/mod.rs"}, languageRust},
		{"Rust, stripped, of a distribution", map[string]string{".rodata": "x/usr/src/rustc-1.63.0/library/core/src/str/pattern.rs"}, languageRust},
		{"GraalVM", map[string]string{".svm_heap": "x"}, languageJava},
		{"C", map[string]string{".comment": "GCC: (Debian 12.2.0-14) 12.2.0\x00", ".rodata": "hello"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := elfLanguage(bytes.NewReader(minimalELF(t, test.sections))); got != test.want {
				t.Errorf("language %q, want %q", got, test.want)
			}
		})
	}
}

// The real thing, stripped as in packages. ripgrep is written in Rust.
func TestLanguageOfCompiledPrograms(t *testing.T) {
	needPrograms(t)
	dir := t.TempDir()
	for _, test := range []struct {
		source, content string
		compile         []string
		want            string
	}{
		{"b.cc", "#include <iostream>\nint main() { std::cout << 1; }", words("g++ -s -o b.cc.out b.cc"), languageCPP},
		{"c.c", "int main(void) { return 0; }", words("gcc -s -o c.c.out c.c"), ""},
	} {
		t.Run(test.compile[0], func(t *testing.T) {
			source := filepath.Join(dir, test.source)
			if err := os.WriteFile(source, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			command := exec.Command(test.compile[0], test.compile[1:]...)
			command.Dir = dir
			if output, err := command.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v: %s", test.compile[0], err, output)
			}
			if got := executableLanguage(source + ".out"); got != test.want {
				t.Errorf("language %q, want %q", got, test.want)
			}
		})
	}
	t.Run("ripgrep", func(t *testing.T) {
		path, err := exec.LookPath("rg")
		if err != nil {
			t.Fatal(err)
		}
		if got := executableLanguage(path); got != languageRust {
			t.Errorf("language %q, want %q", got, languageRust)
		}
	})
}

// A header that promises a huge table of names must cost no memory.
func TestELFThatAsksForTooMuch(t *testing.T) {
	file := minimalELF(t, map[string]string{".go.buildinfo": "x"})
	sparse := filepath.Join(t.TempDir(), "sparse")
	names := binary.LittleEndian.Uint64(file[40:]) + 2*64 // The header of .shstrtab.
	binary.LittleEndian.PutUint64(file[names+32:], 1<<32)
	if err := os.WriteFile(sparse, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(sparse, 1<<33); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if got := executableLanguage(sparse); got != "" {
		t.Errorf("language %q", got)
	}
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 32<<20 {
		t.Errorf("it took %d bytes of memory", allocated)
	}
}

func FuzzELF(f *testing.F) {
	f.Add([]byte(elf.ELFMAG))
	f.Fuzz(func(t *testing.T, content []byte) {
		_ = elfLanguage(bytes.NewReader(content)) // It must come back.
	})
}
