package probe

import (
	"bufio"
	"encoding/json"
	"io"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// player is a running process that plays a part.
type player struct {
	command *exec.Cmd
	orders  io.WriteCloser
	replies *bufio.Scanner

	pid     int    // of the process that listens first
	serving int    // of the process that serves
	address string // where it listens
}

// where a part is played.
type where func(*exec.Cmd)

// elsewhere is a network namespace of its own.
func elsewhere(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
}

// start plays a part in a process of its own until the test ends.
func start(t *testing.T, p part, places ...where) *player {
	t.Helper()
	if p.Network == "" {
		p.Network = "tcp4"
	}
	if p.Address == "" {
		p.Address = "127.0.0.1:0"
	}
	p.Plugs = len(places) > 0
	command, err := p.command()
	if err != nil {
		t.Fatal(err)
	}
	for _, place := range places {
		place(command)
	}
	started := &player{command: command}
	if started.orders, err = command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	started.replies = bufio.NewScanner(out)
	if err := command.Start(); err != nil {
		t.Fatalf("a player cannot be started: %v", err)
	}
	t.Cleanup(started.stop)
	hello := started.hear(t)
	started.pid, started.serving, started.address = command.Process.Pid, hello.PID, hello.Address
	return started
}

// stop ends the process, and the child that it may have left in its place: both
// end with their standard input.
func (p *player) stop() {
	p.orders.Close()
	for p.replies.Scan() {
	}
	p.command.Wait()
}

// call lets the process place a call.
func (p *player) call(t *testing.T, order call) {
	t.Helper()
	if err := json.NewEncoder(p.orders).Encode(order); err != nil {
		t.Fatalf("player %d does not listen to orders: %v", p.pid, err)
	}
	if answer := p.hear(t); answer.Error != "" {
		t.Fatalf("player %d: %s", p.pid, answer.Error)
	}
}

func (p *player) hear(t *testing.T) reply {
	t.Helper()
	late := time.AfterFunc(patience(30*time.Second), func() { p.command.Process.Kill() })
	defer late.Stop()
	var r reply
	if !p.replies.Scan() {
		t.Fatalf("player %d ended without a reply", p.command.Process.Pid)
	}
	if err := json.Unmarshal(p.replies.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// callFromOutside places a call from the test's own process, which Sonde ignores.
func callFromOutside(t *testing.T, order call) {
	t.Helper()
	c := newCaller()
	defer c.hangUp()
	if err := c.place(order); err != nil {
		t.Fatalf("call: %v", err)
	}
}
