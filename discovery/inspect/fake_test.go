package inspect

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// fakeHost is a procfs and a root file system made of plain files.
type fakeHost struct {
	t *testing.T
	FS
}

// fakeProcess is what a test puts below /proc/PID.
type fakeProcess struct {
	pid    int // 42 when 0
	parent int
	exe    string
	comm   string
	args   []string
	cwd    string
	env    []string
	cgroup string
	tty    int
	start  uint64
	// files are those that the process sees, by absolute path.
	files map[string]string
}

func newFakeHost(t *testing.T) fakeHost {
	t.Helper()
	dir := t.TempDir()
	host := fakeHost{t: t, FS: FS{Proc: filepath.Join(dir, "proc"), Root: filepath.Join(dir, "host")}}
	host.write(filepath.Join(host.Proc, "stat"), "cpu  1 2 3 4\ncpu0 1 2 3 4\nbtime 1700000000\nprocesses 7\n")
	host.write(filepath.Join(host.Proc, "sys", "kernel", "hostname"), "bighost\n")
	host.write(filepath.Join(host.Root, "etc", "hostname"), "bighost.example.net\n")
	return host
}

func (h fakeHost) write(path, content string) {
	h.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

func (h fakeHost) link(target, path string) {
	h.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		h.t.Fatal(err)
	}
}

// seenBy returns where a file lies that the process sees at path.
func (h fakeHost) seenBy(pid int, path string) string {
	return filepath.Join(filepath.Dir(h.Proc), "root-of-"+strconv.Itoa(pid), path)
}

func (h fakeHost) add(p fakeProcess) int {
	h.t.Helper()
	if p.pid == 0 {
		p.pid = 42
	}
	if p.comm == "" {
		p.comm = filepath.Base(p.exe)
	}
	dir := h.processPath(p.pid, "")
	h.write(filepath.Join(dir, "stat"), fmt.Sprintf(
		"%d (%s) S %d %d %d %d -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 %d 1000 1 18446744073709551615 0 0 0\n",
		p.pid, p.comm, p.parent, p.pid, p.pid, p.tty, p.start))
	h.write(filepath.Join(dir, "cmdline"), nulTerminated(p.args))
	h.write(filepath.Join(dir, "environ"), nulTerminated(p.env))
	h.write(filepath.Join(dir, "cgroup"), p.cgroup)
	if p.exe != "" {
		h.link(p.exe, filepath.Join(dir, "exe"))
	}
	if p.cwd != "" {
		h.link(p.cwd, filepath.Join(dir, "cwd"))
	}
	root := h.seenBy(p.pid, "/")
	if err := os.MkdirAll(root, 0o755); err != nil {
		h.t.Fatal(err)
	}
	h.link(root, filepath.Join(dir, "root"))
	for path, content := range p.files {
		h.write(h.seenBy(p.pid, path), content)
	}
	return p.pid
}

func nulTerminated(parts []string) string {
	var text strings.Builder
	for _, part := range parts {
		text.WriteString(part + "\x00")
	}
	return text.String()
}

// inspect adds a process and reads it back.
func (h fakeHost) inspect(p fakeProcess) Process {
	h.t.Helper()
	found, err := h.Process(h.add(p))
	if err != nil {
		h.t.Fatalf("Process: %v", err)
	}
	return found
}

// words splits a command line at spaces, for arguments that hold none.
func words(line string) []string { return strings.Fields(line) }
