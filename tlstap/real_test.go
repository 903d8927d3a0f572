package tlstap

import (
	"context"
	"strings"
	"testing"
	"time"

	"sonde_exporter/tlslib"
)

// lateImport is a server that loads its TLS library when it needs it, as many do.
const lateImport = `
print("ready", flush=True)
input()
import ssl, sys
print("imported", flush=True)
sys.stdin.read()
`

// TestPythonThatImportsTLSLate runs everything as it is, except for uprobes.
func TestPythonThatImportsTLSLate(t *testing.T) {
	needRoot(t)
	python := startCommand(t, "python3", "-c", lateImport)
	h := newHost(t)
	h.members[a] = []uint32{python.pid}
	h.analyser.find, h.now = tlslib.Find, time.Now
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		h.Run(ctx)
	}()
	defer func() {
		stop()
		<-ended
	}()

	h.Spoken(a, python.pid)
	eventually(t, "it is told that no TLS library is mapped", func() bool {
		return len(h.Hidden(a)) == 1 && h.Hidden(a)[0] == nothingMapped
	})
	python.tell("", "imported")
	eventually(t, "libssl is attached", func() bool {
		h.Spoken(a, 0) // The kernel repeats it, too.
		return len(h.Files()) == 1
	})
	if file := h.Files()[0]; !strings.Contains(file.Path, "libssl") || file.Library != tlslib.OpenSSL || file.Processes != 1 {
		t.Errorf("attached is %+v, want libssl of python", file)
	}
	python.stop()
	eventually(t, "it is detached again", func() bool { return len(h.Files()) == 0 })
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(4 * sweepInterval); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it never came true that %s", what)
		}
	}
}
