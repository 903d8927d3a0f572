package tlslib

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
)

// The table of a Go program's functions (pclntab), by which its runtime unwinds
// stacks, and which stripping therefore leaves. Its format is that of
// runtime.pcHeader and of writePCHeader in Go's linker.
const (
	funcTableMagic12  = 0xfffffffb // Go 1.2 to 1.15
	funcTableMagic116 = 0xfffffffa // Go 1.16 and 1.17
	funcTableMagic118 = 0xfffffff0 // Go 1.18 and 1.19
	funcTableMagic120 = 0xfffffff1 // Go 1.20 to at least 1.26

	funcTableHeader = 8 + 8*8
	funcTableEntry  = 8
	maxGoFunctions  = 1 << 23
	// maxCandidates bounds how many places that look like a table are tried.
	maxCandidates = 16
)

var (
	errOldFuncTable  = errors.New("it was built with Go 1.17 or older and is stripped; rebuild it with Go 1.18 or newer")
	errNoFuncTable   = errors.New("its function table (.gopclntab) has an unknown format; Go 1.18 to 1.26 are known")
	errNoStartOfCode = errors.New("its code cannot be found: neither its function table nor its section .go.module says where it starts")
)

// funcTable is a function table as its header describes it.
type funcTable struct {
	file  *image
	start extent
	// address is that of the header in memory.
	address uint64
	// textStart is what the header says to be the address that all entries are
	// relative to. Go 1.26 no longer writes it.
	textStart uint64
	count     uint64
	// names, entries and functions are parts of the file.
	names, entries, functions extent
}

// findInFuncTable finds the functions of crypto/tls. None is no error.
func findInFuncTable(file *image) (map[string]symbol, error) {
	table, err := findFuncTable(file)
	if err != nil || table == nil {
		return nil, err
	}
	wanted := map[string]bool{}
	for _, function := range goFunctions() {
		wanted[function.name] = true
	}
	names, err := findNames(file, table.names, wanted)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	functions, err := table.lookUp(names)
	if err != nil || len(functions) == 0 {
		return nil, err
	}
	textStart, err := table.findTextStart()
	for name, function := range functions {
		function.address += textStart
		functions[name] = function
	}
	return functions, err
}

// findFuncTable finds the table by the name of its section, or else by its first
// bytes: a C linker puts what Go's calls .data.rel.ro.gopclntab in
// position-independent programs into .data.rel.ro. It returns neither a table
// nor an error if there is nothing about crypto/tls anyway.
func findFuncTable(file *image) (*funcTable, error) {
	for _, name := range []string{".gopclntab", ".data.rel.ro.gopclntab"} {
		section := file.elf.Section(name)
		if part, ok := file.content(section); ok {
			return readFuncTable(file, part, section.Addr)
		}
	}
	for _, section := range file.elf.Sections {
		part, ok := file.content(section)
		if !ok || section.Type != elf.SHT_PROGBITS || section.Flags&(elf.SHF_ALLOC|elf.SHF_EXECINSTR) != elf.SHF_ALLOC {
			continue
		}
		for _, at := range funcTableCandidates(file, part) {
			table, err := readFuncTable(file, extent{part.offset + at, part.size - at}, section.Addr+at)
			if table != nil && err == nil {
				return table, nil
			}
		}
	}
	return nil, nil
}

// funcTableCandidates lists where a part of the file looks like a table's start.
func funcTableCandidates(file *image, part extent) []uint64 {
	places := []uint64{}
	quantum := byte(1)
	if file.elf.Machine == elf.EM_AARCH64 {
		quantum = 4
	}
	for _, magic := range []uint32{funcTableMagic118, funcTableMagic120} {
		start := append(binary.LittleEndian.AppendUint32(nil, magic), 0, 0, quantum, 8)
		err := file.chunks(part, len(start)-1, func(at uint64, piece []byte) bool {
			for from := 0; len(places) < maxCandidates; from++ {
				i := bytes.Index(piece[from:], start)
				if i < 0 {
					return true
				}
				from += i
				places = append(places, at+uint64(from))
			}
			return false
		})
		if err != nil {
			return nil
		}
	}
	return places
}

// readFuncTable reads a table's header.
func readFuncTable(file *image, part extent, address uint64) (*funcTable, error) {
	if part.size < funcTableHeader {
		return nil, errNoFuncTable
	}
	header, err := file.read(extent{part.offset, funcTableHeader})
	if err != nil {
		return nil, err
	}
	switch binary.LittleEndian.Uint32(header) {
	case funcTableMagic12, funcTableMagic116:
		places, err := file.find(part, []string{goPrefix + "Read\x00"})
		if err == nil && len(places) > 0 {
			err = errOldFuncTable
		}
		return nil, err
	case funcTableMagic118, funcTableMagic120:
	default:
		return nil, errNoFuncTable
	}
	word := func(i int) uint64 { return binary.LittleEndian.Uint64(header[8+8*i:]) }
	table := &funcTable{file: file, start: part, address: address, count: word(0), textStart: word(2)}
	names, namesEnd, functions := word(3), word(4), word(7)
	entriesSize := (table.count + 1) * funcTableEntry
	if table.count > maxGoFunctions || names > namesEnd || namesEnd > part.size ||
		functions > part.size || entriesSize > part.size-functions {
		return nil, errNoFuncTable
	}
	table.names = extent{part.offset + names, namesEnd - names}
	table.functions = extent{part.offset + functions, part.size - functions}
	table.entries = extent{table.functions.offset, entriesSize}
	return table, nil
}

// lookUp finds functions by where their names stand. Their addresses are still
// relative to the start of the code.
func (t *funcTable) lookUp(names map[uint32]string) (map[string]symbol, error) {
	functions := map[string]symbol{}
	data := window{file: t.file, part: t.functions}
	open := ""
	var failure error
	err := t.file.records(t.entries, funcTableEntry, func(_ int, entry []byte) bool {
		start := uint64(binary.LittleEndian.Uint32(entry))
		if open != "" {
			functions[open] = symbol{functions[open].address, start - functions[open].address, 0}
			open = ""
			if len(functions) == len(names) {
				return false
			}
		}
		// The name stands after the entry's address in runtime._func.
		name, err := data.uint32At(uint64(binary.LittleEndian.Uint32(entry[4:])) + 4)
		if err != nil {
			failure = err
			return false
		}
		if text, ok := names[name]; ok {
			functions[text] = symbol{address: start}
			open = text
		}
		return true
	})
	if err = errors.Join(err, failure); err != nil {
		return nil, fmt.Errorf("its function table (.gopclntab) cannot be read: %w", err)
	}
	delete(functions, open)
	return functions, nil
}
