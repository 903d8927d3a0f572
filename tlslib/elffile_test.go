package tlslib

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
)

// baseAddress is where the first byte of a made-up file is in memory, so that
// no address is an offset by accident.
const baseAddress = 0x40000

// part is a section of a made-up file. content is called with the addresses of
// all parts, twice: it must have the same size then.
type part struct {
	name    string
	kind    elf.SectionType
	flags   elf.SectionFlag
	link    string
	content func(addresses map[string]uint64) []byte
}

func fixed(content []byte) func(map[string]uint64) []byte {
	return func(map[string]uint64) []byte { return content }
}

// makeELF lays out an ELF file with one segment.
func makeELF(machine elf.Machine, parts ...part) []byte {
	const headers = 64 + 56
	names := []byte{0}
	addresses := map[string]uint64{}
	indices := map[string]uint32{}
	for round := range 2 {
		file := bytes.NewBuffer(make([]byte, headers))
		sections := []elf.Section64{{}}
		for i, part := range parts {
			file.Write(make([]byte, -file.Len()&31))
			content := part.content(addresses)
			indices[part.name], addresses[part.name] = uint32(i+1), uint64(baseAddress+file.Len())
			sections = append(sections, elf.Section64{
				Name: uint32(len(names)), Type: uint32(part.kind), Flags: uint64(part.flags), Addr: addresses[part.name],
				Off: uint64(file.Len()), Size: uint64(len(content)), Link: indices[part.link],
			})
			names = append(append(names, part.name...), 0)
			file.Write(content)
		}
		if round == 0 {
			names = names[:1]
			continue
		}
		sections = append(sections, elf.Section64{Type: uint32(elf.SHT_STRTAB), Off: uint64(file.Len()), Size: uint64(len(names))})
		file.Write(names)
		return finishELF(machine, file, sections)
	}
	return nil
}

func finishELF(machine elf.Machine, file *bytes.Buffer, sections []elf.Section64) []byte {
	header := elf.Header64{
		Type: uint16(elf.ET_EXEC), Machine: uint16(machine), Version: 1, Phoff: 64, Shoff: uint64(file.Len()),
		Ehsize: 64, Phentsize: 56, Phnum: 1, Shentsize: 64, Shnum: uint16(len(sections)), Shstrndx: uint16(len(sections) - 1),
	}
	copy(header.Ident[:], elf.ELFMAG+"\x02\x01\x01")
	segment := elf.Prog64{
		Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Vaddr: baseAddress,
		Filesz: uint64(file.Len()), Memsz: uint64(file.Len()), Align: 1,
	}
	start := &bytes.Buffer{}
	for _, value := range []any{header, segment} {
		if err := binary.Write(start, binary.LittleEndian, value); err != nil {
			panic(err)
		}
	}
	for _, section := range sections {
		if err := binary.Write(file, binary.LittleEndian, section); err != nil {
			panic(err)
		}
	}
	copy(file.Bytes(), start.Bytes())
	return file.Bytes()
}

// madeFunction is where each function of a made-up Go program begins; its code
// is a NOP, a return and INT3s.
const madeFunction = 16

// goProgram says how a made-up Go program differs from one of Go 1.26.
type goProgram struct {
	magic     uint32
	tableName string
	module    string
	// textStart says that the function table has the address of the code.
	textStart bool
	// relocated says that pointers are in relocations alone.
	relocated bool
	// shift makes the module's address of the code wrong.
	shift uint64
}

// makeGo makes a stripped Go program with the functions of crypto/tls.
func makeGo(program goProgram) []byte {
	const pointers = 23
	names := []string{"main.main"}
	for _, function := range goFunctions() {
		names = append(names, function.name)
	}
	names = append(names, "runtime.exit")
	code := bytes.Repeat([]byte{0x90, 0xc3, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc}, len(names)+1)

	table := func(addresses map[string]uint64) []byte {
		text := uint64(0)
		if program.textStart && !program.relocated {
			text = addresses[".text"] + madeFunction
		}
		return makeFuncTable(program.magic, text, names)
	}
	modulePointers := func(addresses map[string]uint64) map[int]uint64 {
		text := addresses[".text"] + madeFunction
		return map[int]uint64{moduleFuncTable: addresses[program.tableName], moduleFirst: text, moduleText: text + program.shift}
	}
	module := func(addresses map[string]uint64) []byte {
		content := make([]byte, 8*pointers)
		for word, value := range modulePointers(addresses) {
			if !program.relocated {
				binary.LittleEndian.PutUint64(content[8*word:], value)
			}
		}
		return content
	}
	relocations := func(addresses map[string]uint64) []byte {
		content := []byte{}
		add := func(place, value uint64) {
			for _, word := range []uint64{place, uint64(elf.R_X86_64_RELATIVE), value} {
				content = binary.LittleEndian.AppendUint64(content, word)
			}
		}
		for word, value := range modulePointers(addresses) {
			add(addresses[program.module]+uint64(8*word), value)
		}
		if program.textStart {
			add(addresses[program.tableName]+8+2*8, addresses[".text"]+madeFunction)
		}
		return content
	}
	return makeELF(elf.EM_X86_64,
		part{name: ".text", kind: elf.SHT_PROGBITS, flags: elf.SHF_ALLOC | elf.SHF_EXECINSTR, content: fixed(code)},
		part{name: ".rodata", kind: elf.SHT_PROGBITS, flags: elf.SHF_ALLOC, content: fixed([]byte("constants"))},
		part{name: program.tableName, kind: elf.SHT_PROGBITS, flags: elf.SHF_ALLOC, content: table},
		part{name: program.module, kind: elf.SHT_PROGBITS, flags: elf.SHF_ALLOC, content: module},
		part{name: ".rela.dyn", kind: elf.SHT_RELA, flags: elf.SHF_ALLOC, content: relocations},
		part{name: ".go.buildinfo", kind: elf.SHT_PROGBITS, flags: elf.SHF_ALLOC, content: fixed(makeBuildInfo("go1.26.8"))},
	)
}

// makeFuncTable makes a function table (pclntab) of functions in a row.
func makeFuncTable(magic uint32, text uint64, names []string) []byte {
	nameTable := []byte{}
	entries := []byte{}
	functions := []byte{}
	entriesSize := 8*len(names) + 8
	for i, name := range names {
		entries = binary.LittleEndian.AppendUint32(entries, uint32(i*madeFunction))
		entries = binary.LittleEndian.AppendUint32(entries, uint32(entriesSize+len(functions)))
		functions = binary.LittleEndian.AppendUint32(functions, uint32(i*madeFunction))
		functions = binary.LittleEndian.AppendUint32(functions, uint32(len(nameTable)))
		functions = append(functions, make([]byte, 36)...)
		nameTable = append(append(nameTable, name...), 0)
	}
	entries = binary.LittleEndian.AppendUint64(entries, uint64(len(names)*madeFunction))
	nameTable = append(nameTable, make([]byte, -len(nameTable)&7)...)
	table := append(binary.LittleEndian.AppendUint32(nil, magic), 0, 0, 1, 8)
	end := uint64(funcTableHeader + len(nameTable))
	for _, word := range []uint64{uint64(len(names)), 0, text, funcTableHeader, end, end, end, end} {
		table = binary.LittleEndian.AppendUint64(table, word)
	}
	return append(append(append(table, nameTable...), entries...), functions...)
}

// makeBuildInfo has the format of debug/buildinfo since Go 1.18.
func makeBuildInfo(release string) []byte {
	const pointerSize, inlineStrings = 8, 2
	info := append([]byte("\xff Go buildinf:"), pointerSize, inlineStrings)
	info = append(info, make([]byte, 32-len(info))...)
	info = append(info, byte(len(release)))
	return append(append(info, release...), make([]byte, 16)...)
}
