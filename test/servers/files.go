package servers

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The sizes of the documents large.bin and huge.bin in bytes. The second is more
// than the kernel buffers for a socket.
const (
	LargeFile = 1 << 20
	HugeFile  = 24 << 20
)

// WriteDocuments fills a new document root: small.txt, index.html, large.bin, and
// huge.bin, which is nothing but a hole.
func WriteDocuments(t testing.TB, dir string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatalf("cannot make a document root: %v", err)
	}
	WriteFile(t, filepath.Join(dir, "small.txt"), "ok\n")
	WriteFile(t, filepath.Join(dir, "index.html"), "<!doctype html><title>test</title>\n")
	WriteFile(t, filepath.Join(dir, "large.bin"), strings.Repeat("HTTP/1.1 200 OK\r\n", LargeFile/17+1)[:LargeFile])
	WriteFile(t, filepath.Join(dir, "huge.bin"), "")
	if err := os.Truncate(filepath.Join(dir, "huge.bin"), HugeFile); err != nil {
		t.Fatalf("cannot make a huge document: %v", err)
	}
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("cannot read a file of a server: %v", err)
	}
	return string(content)
}
