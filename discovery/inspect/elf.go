package inspect

import (
	"bytes"
	"debug/elf"
	"io"
	"strings"

	"sonde_exporter/safefile"
)

const (
	// elfBudget bounds all reads of one executable.
	elfBudget  = 8 << 20
	maxComment = 64 << 10
	maxScan    = 2 << 20
)

// elfLanguage tells the language that an executable was compiled from, also
// when it is stripped. Plain C has no value in OpenTelemetry and is "".
func elfLanguage(source io.ReaderAt) (language string) {
	// debug/elf says of itself that malformed files may make it panic, and any
	// user can start any file.
	defer func() {
		if recover() != nil {
			language = ""
		}
	}()
	file, err := elf.NewFile(&safefile.BudgetReader{Source: source, Left: elfBudget})
	if err != nil {
		return ""
	}
	switch {
	case file.Section(".go.buildinfo") != nil:
		return languageGo
	case file.Section(".svm_heap") != nil: // A native image of GraalVM.
		return languageJava
	case isRust(file):
		return languageRust
	}
	return libraryLanguage(file)
}

// isRust looks at the compiler's note, then for the paths of the standard
// library that panic messages hold even in stripped programs.
func isRust(file *elf.File) bool {
	return sectionContains(file, ".comment", maxComment, "rustc version") ||
		sectionContains(file, ".rodata", maxScan, "/rustc/") ||
		sectionContains(file, ".rodata", maxScan, "/library/core/src/") || // of a distribution's compiler
		sectionContains(file, ".strtab", maxScan, "rust_eh_personality")
}

func sectionContains(file *elf.File, name string, limit int64, text string) bool {
	section := file.Section(name)
	if section == nil || section.Type == elf.SHT_NOBITS {
		return false
	}
	content, err := io.ReadAll(io.LimitReader(section.Open(), limit))
	return err == nil && bytes.Contains(content, []byte(text))
}

func libraryLanguage(file *elf.File) string {
	libraries, err := file.ImportedLibraries()
	if err != nil {
		return ""
	}
	language := ""
	for _, library := range libraries {
		switch {
		case strings.HasPrefix(library, "libswiftCore.so"):
			return languageSwift
		case strings.HasPrefix(library, "libstdc++.so"), strings.HasPrefix(library, "libc++.so"):
			language = languageCPP
		}
	}
	return language
}
