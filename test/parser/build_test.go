package parser

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestHeadersAreLinked: every header of bpf/ that the parser includes is linked
// here, so that a change of it is compiled and not a copy, or a header that Go
// does not see.
func TestHeadersAreLinked(t *testing.T) {
	include := regexp.MustCompile(`(?m)^#include "([^"]+)"`)
	seen := map[string]bool{"kernel.h": true} // replaced
	queue := []string{"wire.h"}
	for len(queue) > 0 {
		name := queue[0]
		queue = queue[1:]
		if seen[name] {
			continue
		}
		seen[name] = true
		target := filepath.Join("..", "..", "bpf", name)
		if link, err := os.Readlink(name); err != nil || link != target {
			t.Errorf("%s is no link to %s: run ln -s %[2]s in test/parser", name, target)
		}
		text, err := os.ReadFile(target)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range include.FindAllSubmatch(text, -1) {
			queue = append(queue, string(m[1]))
		}
	}
}
