package tlslib

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"math"
	"reflect"
	"strings"
	"testing"
)

// TestFuncTableFormats makes programs as Go's releases and linkers lay them out;
// the formats were compared with programs of Go 1.17 to 1.26.
func TestFuncTableFormats(t *testing.T) {
	tests := []struct {
		name    string
		program goProgram
		hidden  string
	}{
		{"1.26", goProgram{magic: funcTableMagic120, tableName: ".gopclntab", module: ".go.module"}, ""},
		{
			"1.26, position-independent, linked by lld",
			goProgram{magic: funcTableMagic120, tableName: ".gopclntab", module: ".go.module", relocated: true}, "",
		},
		{"1.20", goProgram{magic: funcTableMagic120, tableName: ".gopclntab", module: ".data", textStart: true}, ""},
		{"1.18", goProgram{magic: funcTableMagic118, tableName: ".gopclntab", module: ".data", textStart: true}, ""},
		{
			"1.18, position-independent",
			goProgram{magic: funcTableMagic118, tableName: ".data.rel.ro.gopclntab", module: ".data", textStart: true, relocated: true}, "",
		},
		{
			"1.20, position-independent, linked by gcc",
			goProgram{magic: funcTableMagic120, tableName: ".data.rel.ro", module: ".data", textStart: true}, "",
		},
		{"1.17", goProgram{magic: funcTableMagic116, tableName: ".gopclntab", module: ".data"}, "Go 1.17 or older"},
		{"1.15", goProgram{magic: funcTableMagic12, tableName: ".gopclntab", module: ".data"}, "Go 1.17 or older"},
		{"of the future", goProgram{magic: 0xfffffff2, tableName: ".gopclntab", module: ".go.module"}, "unknown format"},
		{"no start of code", goProgram{magic: funcTableMagic120, tableName: ".gopclntab", module: ".data"}, "where it starts"},
		{
			"other fields in the module",
			goProgram{magic: funcTableMagic120, tableName: ".gopclntab", module: ".go.module", shift: madeFunction}, "where it starts",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			content := makeGo(test.program)
			found, err := Find(bytes.NewReader(content), int64(len(content)))
			if err != nil {
				t.Fatal(err)
			}
			if test.hidden != "" {
				if len(found.Images) > 0 || len(found.Hidden) != 1 || !strings.Contains(found.Hidden[0].Reason, test.hidden) {
					t.Fatalf("found %+v, want a reason with %q", found, test.hidden)
				}
				return
			}
			checkMadeGo(t, content, found)
		})
	}
}

// TestHostileFuncTable has headers that lead out of the table.
func TestHostileFuncTable(t *testing.T) {
	const count, names, namesEnd, functions = 0, 3, 4, 7
	tests := []struct {
		name  string
		word  int
		value uint64
	}{
		{"more functions than fit", count, 1 << 22},
		{"more functions than can be counted in bytes", count, 1 << 61},
		{"names that end before they begin", names, 1 << 20},
		{"names past the end", namesEnd, 1 << 40},
		{"functions past the end", functions, math.MaxUint64},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			content := makeGo(goProgram{magic: funcTableMagic120, tableName: ".gopclntab", module: ".go.module"})
			file, err := elf.NewFile(bytes.NewReader(content))
			if err != nil {
				t.Fatal(err)
			}
			header := content[file.Section(".gopclntab").Offset:]
			binary.LittleEndian.PutUint64(header[8+8*test.word:], test.value)
			found, err := Find(bytes.NewReader(content), int64(len(content)))
			if want := []Hidden{{"Go", errNoFuncTable.Error()}}; err != nil || !reflect.DeepEqual(found, Found{Images: []Image{}, Hidden: want}) {
				t.Errorf("found %+v (%v), want %+v", found, err, want)
			}
		})
	}
}

// checkMadeGo compares with where makeGo puts the functions: after one that is
// before Go's code, and after main.main.
func checkMadeGo(t *testing.T, content []byte, found Found) {
	t.Helper()
	file, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	entries, exits := map[string][]uint64{}, map[string][]uint64{}
	for i, function := range goFunctions() {
		start := file.Section(".text").Offset + uint64((2+i)*madeFunction)
		entries[function.name] = []uint64{start}
		if function.exits {
			exits[function.name] = []uint64{start + 1}
		}
	}
	image := onlyImage(t, found)
	if image.Version != "go1.26.8" {
		t.Errorf("the version is %q", image.Version)
	}
	if got := places(image, Entry); !reflect.DeepEqual(got, entries) {
		t.Errorf("entries are\n%#x, want\n%#x", got, entries)
	}
	if got := places(image, Exit); !reflect.DeepEqual(got, exits) {
		t.Errorf("exits are\n%#x, want\n%#x", got, exits)
	}
}
