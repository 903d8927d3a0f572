package main

import (
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// program is the Go program that is looked into.
type program struct {
	path, version string
	date          time.Time
}

// module is a Go module that is inside the program.
type module struct {
	path, version, sum string
	// dir is where its files are.
	dir string
	// texts are the licence files, by name; licences are what they are, as SPDX
	// calls them.
	texts    map[string][]byte
	licences []string
}

// standardLibrary is the path under which vulnerability databases know it.
const standardLibrary = "std"

// modules reads what the linker has noted in the program: the modules of which
// code is inside, not all those that go.mod names.
func (p program) modules(source string) ([]*module, error) {
	info, err := buildinfo.ReadFile(p.path)
	if err != nil {
		return nil, fmt.Errorf("%s does not say what it was built from: %w", p.path, err)
	}
	goRoot, err := goOutput(source, "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	all := []*module{{
		path: standardLibrary, version: strings.TrimPrefix(info.GoVersion, "go"), dir: strings.TrimSpace(string(goRoot)),
	}}
	directories, err := moduleDirectories(source)
	if err != nil {
		return nil, err
	}
	for _, dependency := range info.Deps {
		one := moduleOf(dependency)
		if one.dir = directories[one.path+"@"+one.version]; one.dir == "" {
			return nil, fmt.Errorf("module %s %s is in %s, but not on this machine; is %s what it was built from?",
				one.path, one.version, p.path, source)
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b *module) int { return strings.Compare(a.path, b.path) })
	return all, nil
}

func moduleOf(dependency *debug.Module) *module {
	for dependency.Replace != nil {
		dependency = dependency.Replace
	}
	return &module{path: dependency.Path, version: dependency.Version, sum: dependency.Sum}
}

// moduleDirectories finds the modules' files, by path@version.
func moduleDirectories(source string) (map[string]string, error) {
	listing, err := goOutput(source, "list", "-m", "-json=Path,Version,Dir,Replace", "all")
	if err != nil {
		return nil, err
	}
	directories := map[string]string{}
	for decoder := json.NewDecoder(strings.NewReader(string(listing))); ; {
		var one struct {
			Path, Version, Dir string
			Replace            *struct{ Path, Version string }
		}
		switch err := decoder.Decode(&one); {
		case errors.Is(err, io.EOF):
			return directories, nil
		case err != nil:
			return nil, fmt.Errorf("go list says what is no JSON: %w", err)
		}
		if one.Replace != nil {
			one.Path, one.Version = one.Replace.Path, one.Replace.Version
		}
		directories[one.Path+"@"+one.Version] = one.Dir
	}
}

func goOutput(dir string, args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	output, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s in %s: %w", strings.Join(args, " "), dir, err)
	}
	return output, nil
}

// readTexts reads the licence files of the module.
func (m *module) readTexts() error {
	entries, err := os.ReadDir(m.dir)
	if err != nil {
		return fmt.Errorf("module %s: %w", m.path, err)
	}
	m.texts = map[string][]byte{}
	for _, entry := range entries {
		if entry.IsDir() || !isLicence(entry.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(m.dir, entry.Name()))
		if err != nil {
			return fmt.Errorf("module %s: %w", m.path, err)
		}
		m.texts[entry.Name()] = text
	}
	return nil
}
