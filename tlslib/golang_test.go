package tlslib

import (
	"debug/elf"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// tlsProgram has all methods of tls.Conn, because net.Conn is an interface.
const tlsProgram = `package main

import "net/http"

func main() {
	if err := http.ListenAndServeTLS("127.0.0.1:0", "", "", nil); err != nil {
		panic(err)
	}
}
`

const plainProgram = `package main

import "os"

func main() { os.Exit(len(os.Args)) }
`

// goBuild builds a program.
func goBuild(t testing.TB, source string, environment []string, flags ...string) string {
	t.Helper()
	input := write(t, "main.go", source)
	output := filepath.Join(filepath.Dir(input), "program")
	arguments := append([]string{"build", "-o", output}, flags...)
	run(t, append(environment, "GOFLAGS="), "go", append(arguments, input)...)
	return output
}

// goSites asks Go's own tools for the entries and the return instructions.
func goSites(t testing.TB, path string) (entries, exits map[string][]uint64) {
	t.Helper()
	names := map[string]bool{}
	for _, function := range goFunctions() {
		names[function.name] = function.exits
	}
	entries, exits = map[string][]uint64{}, map[string][]uint64{}
	for line := range strings.Lines(run(t, nil, "go", "tool", "nm", path)) {
		fields := strings.Fields(line)
		if len(fields) != 3 {
			continue
		}
		returning, ok := names[fields[2]]
		if !ok {
			continue
		}
		entries[fields[2]] = []uint64{goOffset(t, path, fields[0])}
		if !returning {
			continue
		}
		code := run(t, nil, "go", "tool", "objdump", "-s", "^"+regexp.QuoteMeta(fields[2])+"$", path)
		for instruction := range strings.Lines(code) {
			words := strings.Fields(instruction)
			if len(words) == 4 && words[3] == "RET" {
				exits[fields[2]] = append(exits[fields[2]], goOffset(t, path, words[1]))
			}
		}
	}
	if len(entries) != len(names) {
		t.Fatalf("go tool nm names %v", entries)
	}
	return entries, exits
}

// goOffset is where one of Go's tools says that there is an instruction.
func goOffset(t testing.TB, path, address string) uint64 {
	t.Helper()
	offset, ok := textOffset(t, path, hexadecimal(t, address))
	if !ok {
		t.Fatalf("%s has no code at %s", path, address)
	}
	return offset
}

func checkGo(t *testing.T, image Image, entries, exits map[string][]uint64) {
	t.Helper()
	if image.Library != Go || image.Version != runtime.Version() {
		t.Errorf("found %v %q, want go %q", image.Library, image.Version, runtime.Version())
	}
	if got := places(image, Entry); !reflect.DeepEqual(got, entries) {
		t.Errorf("entries are\n%#x, want\n%#x", got, entries)
	}
	if got := places(image, Exit); !reflect.DeepEqual(got, exits) {
		t.Errorf("exits are\n%#x, want\n%#x", got, exits)
	}
	if got := places(image, Return); len(got) > 0 {
		t.Errorf("a Go function has a uretprobe: %#x", got)
	}
}

// TestGoPrograms builds each program twice: with symbols, which the oracle and
// Find use, and then stripped by Go's linker, which lays out the code alike.
func TestGoPrograms(t *testing.T) {
	tests := []struct {
		name        string
		environment []string
		flags       []string
		linkerFlags string
	}{
		{"plain", nil, nil, ""},
		{"without cgo", []string{"CGO_ENABLED=0"}, nil, ""},
		{"position-independent", nil, []string{"-buildmode=pie"}, ""},
		{"linked by gcc", nil, nil, "-linkmode=external"},
		{"position-independent, linked by gcc", nil, []string{"-buildmode=pie"}, "-linkmode=external"},
		{"arm64", []string{"CGO_ENABLED=0", "GOARCH=arm64"}, nil, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			build := func(linkerFlags string) string {
				return goBuild(t, tlsProgram, test.environment, append(slices.Clone(test.flags), "-ldflags", linkerFlags)...)
			}
			path := build(test.linkerFlags)
			entries, exits := goSites(t, path)
			checkGo(t, onlyImage(t, findIn(t, path)), entries, exits)

			small := build(test.linkerFlags + " -s -w")
			base := textShift(t, path, small)
			shift(entries, base)
			shift(exits, base)
			checkGo(t, onlyImage(t, findIn(t, small)), entries, exits)
		})
	}
}

// TestGoStripped removes the symbols as packagers do.
func TestGoStripped(t *testing.T) {
	path := goBuild(t, tlsProgram, nil)
	entries, exits := goSites(t, path)
	run(t, nil, "strip", "-s", path)
	checkGo(t, onlyImage(t, findIn(t, path)), entries, exits)
}

// textShift is how much farther the second file has its code.
func textShift(t *testing.T, from, to string) uint64 {
	t.Helper()
	offsets := [2]uint64{}
	for i, path := range []string{from, to} {
		file, err := elf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		offsets[i] = file.Section(".text").Offset
		file.Close()
	}
	return offsets[1] - offsets[0]
}

func shift(places map[string][]uint64, distance uint64) {
	for _, offsets := range places {
		for i := range offsets {
			offsets[i] += distance
		}
	}
}

func TestGoWithoutTLS(t *testing.T) {
	for _, linkerFlags := range []string{"", "-s -w"} {
		found := findIn(t, goBuild(t, plainProgram, nil, "-ldflags", linkerFlags))
		if len(found.Images)+len(found.Hidden) > 0 {
			t.Errorf("with -ldflags %q: found %+v, want nothing", linkerFlags, found)
		}
	}
}

func TestGo32Bit(t *testing.T) {
	found := findIn(t, goBuild(t, tlsProgram, []string{"CGO_ENABLED=0", "GOARCH=386"}))
	if len(found.Images) > 0 || len(found.Hidden) != 1 || found.Hidden[0].Library != "Go" ||
		!strings.Contains(found.Hidden[0].Reason, "32-bit") {
		t.Errorf("found %+v", found)
	}
}

func TestOldCallingConvention(t *testing.T) {
	tests := []struct {
		release string
		machine elf.Machine
		old     bool
	}{
		{"go1.16.15", elf.EM_X86_64, true},
		{"go1.17", elf.EM_X86_64, false},
		{"go1.17.13", elf.EM_AARCH64, true},
		{"go1.18", elf.EM_AARCH64, false},
		{"go1.18beta1", elf.EM_X86_64, false},
		{"go1.9.2", elf.EM_X86_64, true},
		{"go1.26.8", elf.EM_X86_64, false},
		{"go1.15-0123abcd", elf.EM_X86_64, true},
		{"go1.27-0123abcd", elf.EM_AARCH64, false},
		{"", elf.EM_X86_64, false},
	}
	for _, test := range tests {
		if reason := oldCallingConvention(test.release, test.machine); (reason != "") != test.old {
			t.Errorf("oldCallingConvention(%q, %v) = %q", test.release, test.machine, reason)
		}
	}
}

// TestGoAndOpenSSL has two libraries in one file.
func TestGoAndOpenSSL(t *testing.T) {
	path := goBuild(t, `package main

/*
int SSL_read(int *s) { return *s; }
int SSL_write(int *s) { return *s + 1; }
*/
import "C"
import "net/http"

func main() {
	n := C.int(1)
	println(C.SSL_read(&n), C.SSL_write(&n), http.ListenAndServeTLS("127.0.0.1:0", "", "", nil))
}
`, []string{"CGO_ENABLED=1"})
	found := findIn(t, path)
	if len(found.Images) != 2 || found.Images[0].Library != OpenSSL || found.Images[1].Library != Go {
		t.Fatalf("found %+v", found)
	}
	checkC(t, found.Images[0], readelfFunctions(t, path))
	entries, exits := goSites(t, path)
	checkGo(t, found.Images[1], entries, exits)
}
