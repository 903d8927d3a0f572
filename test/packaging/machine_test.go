package packaging

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"sonde_exporter/test/servers"
)

// machine is a copy of this one, see testdata/machine.
type machine struct {
	// pid is a process inside.
	pid int
}

// startMachine starts one; systemd may be empty.
func startMachine(t testing.TB, systemd string) machine {
	t.Helper()
	dir := servers.Dir(t)
	cmd := exec.Command("unshare", "--mount", "--propagation", "private", "testdata/machine", dir, systemd)
	var said strings.Builder
	cmd.Stderr = &said
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("no copy of this machine can be made: %v", err)
	}
	t.Cleanup(func() {
		_ = input.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the copy of this machine did not end well: %v\n%s", err, &said)
		}
	})
	if line, err := bufio.NewReader(output).ReadString('\n'); line != "ready\n" {
		t.Fatalf("the copy of this machine says %q, want \"ready\" (%v); it also said:\n%s", line, err, &said)
	}
	return machine{pid: cmd.Process.Pid}
}

// startSystemd starts a machine whose services are run by systemd.
func startSystemd(t testing.TB) machine {
	t.Helper()
	return startMachine(t, "/usr/lib/systemd/systemd")
}

// command is a command inside the machine, in the process that exec makes.
func (m machine) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command("nsenter", append([]string{"--target", fmt.Sprint(m.pid), "--mount", "--", name}, args...)...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")
	return cmd
}

// try runs a command inside and returns what it prints and how it ended.
func (m machine) try(name string, args ...string) (string, error) {
	said, err := m.command(name, args...).CombinedOutput()
	return string(said), err
}

// run is try for commands that have to succeed.
func (m machine) run(t testing.TB, name string, args ...string) string {
	t.Helper()
	said, err := m.try(name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, said)
	}
	return said
}

// path is where a file of the machine can be found from outside.
func (m machine) path(name string) string { return fmt.Sprintf("/proc/%d/root%s", m.pid, name) }

// write makes a file inside, and the directories above it.
func (m machine) write(t testing.TB, path, content string) {
	t.Helper()
	m.run(t, "mkdir", "-p", path[:strings.LastIndex(path, "/")])
	if err := os.WriteFile(m.path(path), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// install is write for a program of this machine.
func (m machine) install(t testing.TB, program, path string) {
	t.Helper()
	content, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	m.write(t, path, string(content))
	m.run(t, "chmod", "0755", path)
}

// has says whether there is such a file inside.
func (m machine) has(path string) bool {
	_, err := os.Lstat(m.path(path))
	return err == nil
}

// waitTimeout is for what a machine does by itself.
const waitTimeout = 15 * time.Second

// wait returns when ok does; what says in the failure what for.
func wait(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(waitTimeout); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v in vain until %s", waitTimeout, what)
		}
	}
}
