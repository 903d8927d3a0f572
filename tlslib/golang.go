package tlslib

import (
	"debug/buildinfo"
	"debug/elf"
	"fmt"
	"go/version"
	"strings"

	"sonde_exporter/safefile"
)

// goPrefix is what the names of all functions of goFunctions begin with.
const goPrefix = "crypto/tls.(*Conn)."

// goFunction is a method of tls.Conn.
type goFunction struct {
	name     string
	function Function
	// exits says that its end matters, too.
	exits bool
}

func goFunctions() []goFunction {
	return []goFunction{
		{goPrefix + "Read", Read, true},
		{goPrefix + "Write", Write, true},
		// Not handshakeContext, which every Read and Write calls.
		{goPrefix + "clientHandshake", Handshake, true},
		{goPrefix + "serverHandshake", Handshake, true},
		{goPrefix + "Close", Shutdown, false},
	}
}

// findGo finds crypto/tls in a program that Go's linker made. It returns neither
// an image nor a reason if crypto/tls is not linked in.
func findGo(file *image, symbols symbolTable) (*Image, *Hidden) {
	release := goVersion(file)
	functions, err := goSymbols(file, symbols, release)
	if err != nil {
		return nil, &Hidden{"Go", err.Error()}
	}
	if len(functions) == 0 {
		return nil, nil
	}
	if reason := oldCallingConvention(release, file.elf.Machine); reason != "" {
		return nil, &Hidden{"Go", reason}
	}
	sites := sites{}
	for _, function := range goFunctions() {
		symbol, ok := functions[function.name]
		if !ok {
			continue
		}
		if err := sites.addGo(file, function, symbol); err != nil {
			return nil, &Hidden{"Go", fmt.Sprintf("the code of %s cannot be read: %v", function.name, err)}
		}
	}
	if !sites.carryData() {
		return nil, nil
	}
	return &Image{Go, release, sites.sorted()}, nil
}

// goSymbols looks the functions up in the symbol table, or in the table that
// every Go program has for its own use. The former is trusted only if the
// version, and with it the calling convention, is known.
func goSymbols(file *image, symbols symbolTable, release string) (map[string]symbol, error) {
	functions := map[string]symbol{}
	for _, function := range goFunctions() {
		if namesakes := symbols[function.name]; len(namesakes) == 1 && release != "" {
			functions[function.name] = namesakes[0]
		}
	}
	if len(functions) > 0 {
		return functions, nil
	}
	return findInFuncTable(file)
}

// addGo adds the places of one function.
func (s *sites) addGo(file *image, function goFunction, symbol symbol) error {
	code, offset, err := file.code(symbol.address, symbol.size)
	if err != nil {
		return err
	}
	s.add(Site{function.function, Entry, function.name, offset})
	if !function.exits {
		return nil
	}
	returns, err := returnsOf(code, file.elf.Machine)
	for _, at := range returns {
		s.add(Site{function.function, Exit, function.name, offset + uint64(at)})
	}
	return err
}

// goVersion is the version of Go that built the file, or "".
func goVersion(file *image) string {
	const maxBuildInfo, maxVersion = 8 << 20, 64
	info, err := buildinfo.Read(&safefile.BudgetReader{Source: file.reader, Left: maxBuildInfo})
	if err != nil {
		return ""
	}
	for _, word := range strings.Fields(info.GoVersion) {
		if strings.HasPrefix(word, "go1") && len(word) <= maxVersion {
			return strings.ToValidUTF8(word, "\uFFFD")
		}
	}
	return ""
}

// oldCallingConvention says why arguments cannot be found if they are on the
// stack, as they were before Go 1.17 on amd64 and Go 1.18 on arm64.
func oldCallingConvention(release string, machine elf.Machine) string {
	oldest := "go1.17"
	if machine == elf.EM_AARCH64 {
		oldest = "go1.18"
	}
	// A build between two releases calls itself go1.27-0123abcd.
	release, _, _ = strings.Cut(release, "-")
	if !version.IsValid(release) || version.Compare(release, oldest) >= 0 {
		return ""
	}
	return fmt.Sprintf("it was built with %s, which passes arguments on the stack; rebuild it with %s or newer", release, oldest)
}
