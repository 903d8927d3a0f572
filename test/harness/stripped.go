package harness

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// StrippedGoServer compiles servers/goserver as many people ship their services:
// without cgo, symbol table and debug information. It does so once.
func (p Programs) StrippedGoServer(t testing.TB) string {
	t.Helper()
	out := filepath.Join(p.dir, "goserver-stripped")
	if _, err := os.Stat(out); err == nil {
		return out
	}
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", out, "./servers/goserver")
	cmd.Dir = filepath.Join(root, "test")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("cannot build goserver without symbols: %v\n%s", err, said)
	}
	return out
}
