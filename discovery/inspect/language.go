package inspect

import (
	"os"
	"strings"
)

// maxMaps caps the list of mappings. Libraries of a runtime are mapped early,
// but mappings are sorted by address, so the cap has to be generous.
const maxMaps = 4 << 20

// language tells the language by the interpreter's name, then by the executable
// itself, then by the runtime that it has loaded.
func (p Process) language() string {
	if family, known := familyOf(p.program()); known {
		return family.language
	}
	if p.Executable == "" {
		return ""
	}
	language := executableLanguage(p.files.processPath(p.PID, "exe"))
	if language == "" || language == languageCPP {
		if loaded := p.files.loadedRuntime(p.PID); loaded != "" {
			return loaded
		}
	}
	return language
}

// loadedRuntime finds programs that bring their runtime as a library: .NET's
// own launchers, and Java embedded in a native one.
func (f FS) loadedRuntime(pid int) string {
	raw, err := readCapped(f.processPath(pid, "maps"), maxMaps)
	if err != nil {
		return ""
	}
	maps := string(raw)
	switch {
	case strings.Contains(maps, "/libcoreclr.so"):
		return languageDotnet
	case strings.Contains(maps, "/libjvm.so"):
		return languageJava
	}
	return ""
}

// executableLanguage opens an executable and reads its language out of it.
func executableLanguage(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close() //nolint:errcheck // Nothing was written.
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return elfLanguage(file)
}
