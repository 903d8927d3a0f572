package servers

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Tool is the path of a program that the tests need.
func Tool(t testing.TB, name string) string {
	t.Helper()
	// Debian's own interpreter first: version managers put scripts of the same
	// name into PATH, and the daemons live in a directory that PATH may lack.
	for _, dir := range []string{"/usr/bin", "/usr/sbin"} {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode()&0o111 != 0 {
			return path
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is not installed: run scripts/setup test as root", name)
	}
	return path
}
