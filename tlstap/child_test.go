package tlstap

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const childVariable = "TLSTAP_TEST_CHILD"

// TestMain lets the test binary be the processes that are looked at.
func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		behave()
		return
	}
	os.Exit(m.Run())
}

// behave obeys one command a line, "map FILE" or "exec", until its input ends.
func behave() {
	fmt.Println("ready")
	// One byte at a time: what exec leaves unread is for the next program.
	for lines := bufio.NewReaderSize(os.Stdin, 16); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		switch command, argument, _ := strings.Cut(strings.TrimSpace(line), " "); command {
		case "map":
			fmt.Println(mapExecutable(argument))
		case "exec":
			fmt.Println(unix.Exec("/proc/self/exe", []string{"child"}, os.Environ()))
		}
	}
}

// mapExecutable does what the loader does with the code of a shared library.
func mapExecutable(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = unix.Mmap(int(file.Fd()), 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE)
	return err
}

// child is a running process that obeys.
type child struct {
	t       *testing.T
	command *exec.Cmd
	input   io.WriteCloser
	output  *bufio.Reader
	pid     uint32
}

// start runs the test binary as a child, with what is put before it, for example
// unshare. It returns once the child is ready.
func start(t *testing.T, before ...string) *child {
	t.Helper()
	return startCommand(t, append(before, testBinary(t))...)
}

func testBinary(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// startCommand runs a program that says "ready" and then obeys in its own way.
func startCommand(t *testing.T, words ...string) *child {
	t.Helper()
	c := &child{t: t, command: exec.Command(words[0], words[1:]...)}
	c.command.Env = append(os.Environ(), childVariable+"=1")
	c.command.Stderr = os.Stderr
	output, err := c.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if c.input, err = c.command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.stop)
	c.output, c.pid = bufio.NewReader(output), uint32(c.command.Process.Pid)
	c.expect("ready")
	return c
}

// maps lets the child map files as code.
func (c *child) maps(files ...string) *child {
	c.t.Helper()
	for _, file := range files {
		c.tell("map "+file, "<nil>")
	}
	return c
}

// tell gives a command, and waits for its answer.
func (c *child) tell(command, answer string) {
	c.t.Helper()
	if _, err := fmt.Fprintln(c.input, command); err != nil {
		c.t.Fatal(err)
	}
	c.expect(answer)
}

func (c *child) expect(want string) {
	c.t.Helper()
	if got, err := c.output.ReadString('\n'); err != nil || strings.TrimSpace(got) != want {
		c.t.Fatalf("process %d said %q (%v), want %q", c.pid, got, err, want)
	}
}

// end closes the child's input, with which it ends, without waiting for it.
func (c *child) end() { _ = c.input.Close() }

// stop ends the child and reaps it.
func (c *child) stop() {
	c.end()
	_ = c.command.Wait()
}
