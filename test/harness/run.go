package harness

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// runTimeout is how long an exporter that should not run may take to say so.
const runTimeout = 15 * time.Second

// Nobody is the unprivileged user of a Debian system.
const Nobody = 65534

// Outcome is how a run of the exporter that ended by itself went.
type Outcome struct {
	// Code is the exit code.
	Code int
	// Stdout and Stderr are what it printed.
	Stdout, Stderr string
}

// Run starts the exporter with these arguments and waits until it ends by
// itself. uid 0 is root.
func Run(t testing.TB, program string, uid uint32, env []string, args ...string) Outcome {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Dir = "/"
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if uid != 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: uid}
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("cannot start the exporter: %v", err)
	}
	timer := time.AfterFunc(runTimeout, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	if !timer.Stop() {
		t.Fatalf("%v still ran after %v; it said:\n%s", args, runTimeout, stderr.String())
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("cannot run the exporter: %v", err)
	}
	return Outcome{Code: cmd.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}
}
