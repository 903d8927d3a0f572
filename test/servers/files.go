package servers

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// LargeFile is the size of the document large.bin in bytes.
const LargeFile = 1 << 20

// WriteDocuments fills a new document root: small.txt, index.html, large.bin.
func WriteDocuments(t testing.TB, dir string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatalf("cannot make a document root: %v", err)
	}
	WriteFile(t, filepath.Join(dir, "small.txt"), "ok\n")
	WriteFile(t, filepath.Join(dir, "index.html"), "<!doctype html><title>test</title>\n")
	WriteFile(t, filepath.Join(dir, "large.bin"), strings.Repeat("HTTP/1.1 200 OK\r\n", LargeFile/17+1)[:LargeFile])
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("cannot read a file of a server: %v", err)
	}
	return string(content)
}
