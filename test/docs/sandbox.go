package docs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// commandTimeout is for commands that end by themselves; the slowest builds Sonde.
const commandTimeout = 60 * time.Second

// sudo stands in for the real one, which may be missing and has a PATH of its own.
// The tests are root already.
const sudo = `#!/bin/sh
while [ "$1" = -E ] || [ "$1" = -n ]; do shift; done
case $1 in -*) echo "sudo: the stand-in of the tests does not know $1" >&2; exit 1 ;; esac
exec env "$@"
`

// openScene brings up the loopback and puts the copy of /etc in its place, tells
// so, and stays until its standard input closes, which it does when the test ends.
const openScene = `ip link set lo up && mount --bind "$1" /etc && echo ready && exec cat`

// notCopied is what a reader who has just cloned the repository does not have.
var notCopied = map[string]bool{".git": true, "certs": true, "dist": true, "sonde_exporter": true, "test.log": true}

// scene is the machine of a page's reader: a copy of the repository, a network in
// which every port is free, and an /etc that may be changed. Ports, files and
// processes of the real machine are left alone.
type scene struct {
	// dir is the copy of the repository, in which commands run.
	dir    string
	path   string
	pid    int
	daemon *daemon
	// helps are what commands that print help have said.
	helps map[string]string
}

// newScene makes a scene that ends with the test.
func newScene(t *testing.T, root, binary string) *scene {
	t.Helper()
	top := t.TempDir()
	s := &scene{dir: filepath.Join(top, "sonde"), helps: map[string]string{}}
	bin, etc := filepath.Join(top, "bin"), filepath.Join(top, "etc")
	s.path = bin + ":" + os.Getenv("PATH") + ":/usr/local/go/bin:/usr/sbin:/sbin"
	err := errors.Join(
		os.Mkdir(s.dir, 0o755), os.Mkdir(bin, 0o755),
		copyRepository(root, s.dir),
		os.Symlink(binary, filepath.Join(s.dir, "sonde_exporter")),
		os.Symlink(binary, filepath.Join(bin, "sonde_exporter")),
		os.WriteFile(filepath.Join(bin, "sudo"), []byte(sudo), 0o755),
		copyAll(etc, "/etc/."),
	)
	if err != nil {
		t.Fatalf("cannot make a sandbox: %v", err)
	}
	s.open(t, etc)
	t.Cleanup(func() {
		if err := s.stopDaemon(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// open makes the namespaces of the scene and a process that keeps them.
func (s *scene) open(t *testing.T, etc string) {
	t.Helper()
	keeper := exec.Command("unshare", "--net", "--mount", "--propagation", "private", "--", "sh", "-c", openScene, "sh", etc)
	keeper.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var said bytes.Buffer
	keeper.Stderr = &said
	input, inErr := keeper.StdinPipe()
	output, outErr := keeper.StdoutPipe()
	if err := errors.Join(inErr, outErr, keeper.Start()); err != nil {
		t.Fatalf("cannot make a sandbox: %v", err)
	}
	t.Cleanup(func() { _ = input.Close(); _ = keeper.Wait() })
	if _, err := output.Read(make([]byte, len("ready\n"))); err != nil {
		t.Fatalf("cannot make namespaces for a sandbox: %v\n%s", err, said.String())
	}
	s.pid = keeper.Process.Pid
}

func copyRepository(root, to string) error {
	entries, err := os.ReadDir(root)
	if err != nil {
		return err
	}
	var sources []string
	for _, entry := range entries {
		if !notCopied[entry.Name()] {
			sources = append(sources, filepath.Join(root, entry.Name()))
		}
	}
	return copyAll(to, sources...)
}

func copyAll(to string, sources ...string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	args := append([]string{"--archive", "--target-directory=" + to, "--"}, sources...)
	if said, err := exec.Command("cp", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("cannot copy to %s: %w\n%s", to, err, said)
	}
	return nil
}

// command is a command line inside the scene. Its process id is that of the program
// where the line is a single command: nsenter, bash and sudo replace themselves.
func (s *scene) command(ctx context.Context, line string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "nsenter", fmt.Sprintf("--target=%d", s.pid), "--net", "--mount", "--wdns="+s.dir,
		"--", "bash", "-o", "pipefail", "-c", line)
	cmd.Env = append(os.Environ(), "PATH="+s.path, "SONDE_DEMO_SECONDS=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	return cmd
}

// run runs a command line that ends by itself and demands that it succeeds. It
// returns what a reader sees: standard output and error.
func (s *scene) run(line string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	var said bytes.Buffer
	cmd := s.command(ctx, line)
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	if ctx.Err() != nil {
		err = fmt.Errorf("it still ran after %v", commandTimeout)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w; it said:\n%s", line, err, strings.TrimSpace(said.String()))
	}
	return said.String(), nil
}

// help is run for a command that always says the same.
func (s *scene) help(line string) (string, error) {
	if said, ok := s.helps[line]; ok {
		return said, nil
	}
	said, err := s.run(line)
	if err == nil {
		s.helps[line] = said
	}
	return said, err
}
