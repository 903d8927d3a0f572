package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/licenseclassifier/v2/assets"
)

// isLicence says whether a file of that name in the root of a module has to be
// passed on with it.
func isLicence(name string) bool {
	stem, extension, _ := strings.Cut(strings.ToLower(name), ".")
	if slices.Contains([]string{"go", "docs"}, extension) {
		return false
	}
	for _, beginning := range []string{"license", "licence", "copying", "notice", "patents", "copyright"} {
		if strings.HasPrefix(stem, beginning) {
			return true
		}
	}
	return false
}

// identify finds out which licences the modules have. A module without one is an
// error: it could not be passed on.
func identify(modules []*module) error {
	classifier, err := assets.DefaultClassifier()
	if err != nil {
		return fmt.Errorf("the known licences cannot be read: %w", err)
	}
	for _, m := range modules {
		if err := m.readTexts(); err != nil {
			return err
		}
		found := map[string]bool{}
		for _, text := range m.texts {
			for _, match := range classifier.Match(text).Matches {
				if match.MatchType == "License" {
					found[match.Name] = true
				}
			}
		}
		if m.licences = slices.Sorted(maps.Keys(found)); len(found) == 0 {
			return fmt.Errorf("module %s %s has no licence that is known; look at %s", m.path, m.version, m.dir)
		}
	}
	return nil
}

// licenceTexts is one text of all licences. Modules that share a text share its
// copy.
func licenceTexts(modules []*module) []byte {
	var all bytes.Buffer
	all.WriteString("Licences of the Go modules in sonde_exporter, and of Go's standard library (std).\n")
	owners := map[string][]string{}
	var order []string
	for _, m := range modules {
		for _, name := range slices.Sorted(maps.Keys(m.texts)) {
			text := string(bytes.TrimSpace(m.texts[name]))
			if owners[text] == nil {
				order = append(order, text)
			}
			owners[text] = append(owners[text], fmt.Sprintf("%s %s: %s", m.path, m.version, name))
		}
	}
	for _, text := range order {
		fmt.Fprintf(&all, "\n%s\n%s\n\n%s\n", strings.Repeat("=", 78), strings.Join(owners[text], "\n"), text)
	}
	return all.Bytes()
}
