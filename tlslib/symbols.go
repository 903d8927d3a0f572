package tlslib

import (
	"bytes"
	"debug/elf"
	"fmt"
	"strings"
)

const (
	symbolSize = 24 // Elf64_Sym
	maxName    = 64
	// maxNamesakes bounds the functions of one name: a library has one for each
	// version of it, and a program may have static ones.
	maxNamesakes = 8
	// maxPlaces bounds how often the names may stand in a string table, where
	// each normally stands once.
	maxPlaces = 4096
)

// symbol is a function that is defined in the file.
type symbol struct {
	address, size uint64
	// index is its place in .dynsym, or 0 if it is in .symtab alone. Relocations
	// refer to it.
	index uint32
}

// symbolTable holds the functions by name, without the version that follows "@".
type symbolTable map[string][]symbol

// readSymbols reads the functions that this package is about from .dynsym and
// .symtab. Other symbols, of which there may be a million, are not kept.
func readSymbols(file *image) (symbolTable, error) {
	wanted := wantedNames()
	symbols := symbolTable{}
	for _, kind := range []elf.SectionType{elf.SHT_DYNSYM, elf.SHT_SYMTAB} {
		section := file.elf.SectionByType(kind)
		table, ok := file.content(section)
		if !ok || int(section.Link) >= len(file.elf.Sections) {
			continue
		}
		texts, ok := file.content(file.elf.Sections[section.Link])
		if !ok {
			continue
		}
		names, err := findNames(file, texts, wanted)
		if err == nil && len(names) > 0 {
			err = symbols.read(file, table, names, kind == elf.SHT_DYNSYM)
		}
		if err != nil {
			return nil, fmt.Errorf("the ELF file's section %q cannot be read: %w", section.Name, err)
		}
	}
	return symbols, nil
}

// findNames says where in a string table the wanted names stand. A name may be
// the end of a longer one, because linkers merge them so.
func findNames(file *image, texts extent, wanted map[string]bool) (map[uint32]string, error) {
	stems := [][]byte{[]byte("SSL_"), []byte("gnutls_"), []byte(goPrefix)}
	places := map[uint32]string{}
	err := file.chunks(texts, maxName, func(at uint64, piece []byte) bool {
		for _, stem := range stems {
			for from := 0; ; {
				i := bytes.Index(piece[from:], stem)
				if i < 0 {
					break
				}
				start := from + i
				if name := symbolName(piece[start:]); wanted[name] {
					places[uint32(at)+uint32(start)] = name
				}
				from = start + len(stem)
			}
		}
		return len(places) < maxPlaces
	})
	return places, err
}

// symbolName is the name that text begins with. The linkers append the version
// to names in .symtab: SSL_read@@OPENSSL_3.0.0.
func symbolName(text []byte) string {
	text = text[:min(len(text), maxName)]
	end := bytes.IndexByte(text, 0)
	if end < 0 {
		return ""
	}
	name, _, _ := strings.Cut(string(text[:end]), "@")
	return name
}

// read adds the functions of a symbol table whose names are at the places.
func (s symbolTable) read(file *image, table extent, names map[uint32]string, dynamic bool) error {
	order := file.elf.ByteOrder
	return file.records(table, symbolSize, func(index int, record []byte) bool {
		name, ok := names[order.Uint32(record)]
		if !ok {
			return true
		}
		// What is undefined is imported from elsewhere, even if it has an address:
		// then that of its jump in the procedure linkage table. The address of an
		// indirect function (IFUNC) is that of code that chooses one.
		shndx := elf.SectionIndex(order.Uint16(record[6:]))
		if elf.ST_TYPE(record[4]) != elf.STT_FUNC || shndx == elf.SHN_UNDEF || shndx == elf.SHN_ABS {
			return true
		}
		found := symbol{address: order.Uint64(record[8:]), size: order.Uint64(record[16:])}
		if dynamic {
			found.index = uint32(index)
		}
		s.add(name, found)
		return true
	})
}

// add leaves out what is an alias, or the same function in the other table.
func (s symbolTable) add(name string, found symbol) {
	for i, known := range s[name] {
		if known.address == found.address {
			s[name][i].size = max(known.size, found.size)
			return
		}
	}
	if len(s[name]) < maxNamesakes {
		s[name] = append(s[name], found)
	}
}
