package docs

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

const (
	readyTimeout = 30 * time.Second
	stopTimeout  = 10 * time.Second
	// readyInterval is how long to wait between two looks.
	readyInterval = 50 * time.Millisecond
)

// daemon is a program that a page starts and that stays.
type daemon struct {
	line   string
	cmd    *exec.Cmd
	said   *lockedBuffer
	exited chan error
}

// start runs a command line that stays, and waits until another one, which asks
// whether it is ready, succeeds. The daemon before it ends, as a reader would end
// it with Ctrl-C.
func (s *scene) start(line, isReady string) error {
	if err := s.stopDaemon(); err != nil {
		return err
	}
	d := &daemon{line: line, cmd: s.command(context.Background(), line), said: &lockedBuffer{}, exited: make(chan error, 1)}
	d.cmd.Stdout, d.cmd.Stderr = d.said, d.said
	if err := d.cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w", line, err)
	}
	s.daemon = d
	go func() { d.exited <- d.cmd.Wait() }()
	deadline := time.Now().Add(readyTimeout)
	for time.Now().Before(deadline) {
		select {
		case err := <-d.exited:
			s.daemon = nil
			return fmt.Errorf("%s: it should stay, but ended (%v); it said:\n%s", line, err, d.said)
		case <-time.After(readyInterval):
		}
		if _, err := s.run(isReady); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%s: it is not ready after %v; it said:\n%s", line, readyTimeout, d.said)
}

// stopDaemon ends what start has started, and demands that it ends cleanly.
func (s *scene) stopDaemon() error {
	d := s.daemon
	if d == nil {
		return nil
	}
	s.daemon = nil
	// Its own group, in case that the shell stayed in between.
	_ = syscall.Kill(-d.cmd.Process.Pid, syscall.SIGTERM)
	select {
	case err := <-d.exited:
		if err != nil {
			return fmt.Errorf("%s: it did not end cleanly (%w); it said:\n%s", d.line, err, d.said)
		}
		return nil
	case <-time.After(stopTimeout):
		_ = syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
		return fmt.Errorf("%s: it still ran %v after SIGTERM; it said:\n%s", d.line, stopTimeout, d.said)
	}
}

// lockedBuffer may be read while a program writes to it.
type lockedBuffer struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.String()
}
