// Package servers starts real HTTP servers for the end-to-end tests, each as an
// operating system process of its own, on a free loopback port, with a
// configuration of its own in a directory of its own, and stops them by pid.
package servers

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

// startTimeout is how long a server may take until it accepts connections.
const startTimeout = 15 * time.Second

// Process is a server that a test started.
type Process struct {
	// Name says in messages which server this is.
	Name string
	// Port is the TCP port that it serves on the loopback addresses.
	Port int
	// PID is the process that was started; it may have children.
	PID int
	// Secure says that it speaks TLS on its port.
	Secure bool

	cmd    *exec.Cmd
	output *output
	done   chan struct{}
	stop   sync.Once
}

// Addr is the server's IPv4 loopback address with its port.
func (p *Process) Addr() string { return fmt.Sprintf("127.0.0.1:%d", p.Port) }

// URL is the address of path on the server.
func (p *Process) URL(path string) string {
	if p.Secure {
		return "https://" + p.Addr() + path
	}
	return "http://" + p.Addr() + path
}

// PortLabel is the port as the label server_port has it.
func (p *Process) PortLabel() string { return fmt.Sprint(p.Port) }

// Output is what the server has printed so far.
func (p *Process) Output() string { return p.output.String() }

// Stop asks the server to end, waits until it has, and kills it if it will not.
func (p *Process) Stop() {
	p.stop.Do(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.done:
		case <-time.After(5 * time.Second):
			_ = p.cmd.Process.Kill()
			<-p.done
		}
	})
}

// Kill ends the server as the kernel's out-of-memory killer would.
func (p *Process) Kill() {
	p.stop.Do(func() {
		_ = p.cmd.Process.Kill()
		<-p.done
	})
}

// Wait blocks until the server has ended by itself.
func (p *Process) Wait(t testing.TB, timeout time.Duration) {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(timeout):
		t.Fatalf("%s did not end within %v", p.Name, timeout)
	}
}

// start runs cmd and returns when it accepts connections on port.
func start(t testing.TB, name string, port int, cmd *exec.Cmd) *Process {
	t.Helper()
	p := launch(t, name, port, cmd)
	p.waitListening(t)
	return p
}

// launch runs cmd without waiting for it to listen.
func launch(t testing.TB, name string, port int, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{Name: name, Port: port, cmd: cmd, output: &output{}, done: make(chan struct{})}
	cmd.Stderr = p.output
	if cmd.Stdout == nil {
		cmd.Stdout = p.output
	}
	// A test run that is killed must not leave servers behind.
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("cannot start %s: %v", name, err)
	}
	p.PID = cmd.Process.Pid
	go func() {
		_ = cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.Stop()
		if t.Failed() && p.output.String() != "" {
			t.Logf("%s said:\n%s", name, p.output)
		}
	})
	return p
}

// waitListening asks the kernel for a listener instead of connecting to it: a
// connection would be traffic that Sonde may see.
func (p *Process) waitListening(t testing.TB) {
	t.Helper()
	deadline := time.Now().Add(startTimeout)
	for time.Now().Before(deadline) {
		if listening(p.PID, p.Port) {
			return
		}
		select {
		case <-p.done:
			t.Fatalf("%s ended before it listened; it said:\n%s", p.Name, p.output)
		case <-time.After(2 * time.Millisecond):
		}
	}
	t.Fatalf("%s does not listen on port %d after %v; it said:\n%s", p.Name, p.Port, startTimeout, p.output)
}

// Dir makes a directory that servers which give up root can read as well.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sonde-test-")
	if err != nil {
		t.Fatalf("cannot make a directory: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatalf("cannot open up %s: %v", dir, err)
	}
	return dir
}

// WriteFile writes content to path, or fails the test.
func WriteFile(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatalf("cannot write a file for the test: %v", err)
	}
}

// Dial connects to addr, or fails the test; the test's end closes it.
func Dial(t testing.TB, addr string) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, startTimeout)
	if err != nil {
		t.Fatalf("cannot connect to %s: %v", addr, err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// output collects what a process prints, safe for use while it still prints.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
