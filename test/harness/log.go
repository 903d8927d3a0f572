package harness

import (
	"bytes"
	"io"
	"sync"
	"testing"
)

// log collects a process's output, safe for use while it still writes.
type log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func readAll(t testing.TB, r io.Reader) string {
	t.Helper()
	body, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("cannot read an answer to its end: %v", err)
	}
	return string(body)
}
