package tlslib

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// run runs a tool and returns what it prints.
func run(t testing.TB, environment []string, name string, arguments ...string) string {
	t.Helper()
	command := exec.Command(name, arguments...)
	command.Env = append(os.Environ(), environment...)
	var complaints bytes.Buffer
	command.Stderr = &complaints
	output, err := command.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, arguments, err, complaints.String())
	}
	return string(output)
}

// write writes a file into a directory of its own.
func write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// compile compiles C, and strips the result if asked to.
func compile(t testing.TB, source string, arguments ...string) string {
	t.Helper()
	input := write(t, "source.c", source)
	output := filepath.Join(filepath.Dir(input), "out")
	run(t, nil, "gcc", append([]string{"-O1", "-o", output, input}, arguments...)...)
	return output
}

func findIn(t testing.TB, path string) Found {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	found, err := Find(file, info.Size())
	if err != nil {
		t.Fatalf("Find(%s): %v", path, err)
	}
	return found
}

// onlyImage is the one image of a file in which nothing is hidden.
func onlyImage(t testing.TB, found Found) Image {
	t.Helper()
	if len(found.Images) != 1 || len(found.Hidden) != 0 {
		t.Fatalf("found %+v, want one image", found)
	}
	return found.Images[0]
}

// places groups the offsets of an image by symbol, for one kind of place.
func places(image Image, place Place) map[string][]uint64 {
	grouped := map[string][]uint64{}
	for _, site := range image.Sites {
		if site.Place == place {
			grouped[site.Symbol] = append(grouped[site.Symbol], site.Offset)
		}
	}
	return grouped
}

// textOffset converts an address to an offset by means of the section headers,
// whereas Find uses the program headers. It is not ok if there is no code.
func textOffset(t testing.TB, path string, address uint64) (offset uint64, ok bool) {
	t.Helper()
	file, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, section := range file.Sections {
		if section.Flags&elf.SHF_EXECINSTR != 0 && address >= section.Addr && address < section.Addr+section.Size {
			return address - section.Addr + section.Offset, true
		}
	}
	return 0, false
}

// readelfFunctions asks binutils for the functions in C that a file defines, by
// name without version, as offsets.
func readelfFunctions(t testing.TB, path string) map[string][]uint64 {
	t.Helper()
	functions := map[string][]uint64{}
	for line := range strings.Lines(run(t, nil, "readelf", "-sW", path)) {
		fields := strings.Fields(line)
		if len(fields) < 8 || fields[3] != "FUNC" || fields[6] == "UND" {
			continue
		}
		name, _, _ := strings.Cut(fields[7], "@")
		if !wantedNames()[name] || strings.HasPrefix(name, goPrefix) {
			continue
		}
		if offset, ok := textOffset(t, path, hexadecimal(t, fields[1])); ok && !slices.Contains(functions[name], offset) {
			functions[name] = append(functions[name], offset)
		}
	}
	for _, offsets := range functions {
		slices.Sort(offsets)
	}
	return functions
}

func hexadecimal(t testing.TB, text string) uint64 {
	t.Helper()
	number, err := strconv.ParseUint(strings.TrimPrefix(text, "0x"), 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	return number
}

// calls asks binutils whether one function calls or jumps to another.
func calls(t testing.TB, path, outer, inner string) bool {
	t.Helper()
	code := run(t, nil, "objdump", "-d", "--no-show-raw-insn", "--disassemble="+outer, path)
	return regexp.MustCompile(`\b(call|jmp|bl|b)\s+[0-9a-f]+ <` + inner + `[@>]`).MatchString(code)
}

// installed is the first of some files that is there.
func installed(t testing.TB, advice string, patterns ...string) string {
	t.Helper()
	for _, pattern := range patterns {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if len(matches) > 0 {
			return matches[0]
		}
	}
	t.Fatalf("none of %v is there; %s", patterns, advice)
	return ""
}
