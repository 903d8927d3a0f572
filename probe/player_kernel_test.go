package probe

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// partVariable holds, as JSON, the part that a process is to play.
const partVariable = "SONDE_TEST_PART"

// part is a program that is observed. It listens, speaks its script on each
// connection, and places the calls that it reads from its standard input, until
// that ends.
type part struct {
	Network   string  // tcp, tcp4 or tcp6
	Address   string  // where it listens
	MPTCP     bool    `json:",omitempty"`
	TLS       bool    `json:",omitempty"`
	Deferred  bool    `json:",omitempty"` // TCP_DEFER_ACCEPT
	First     *call   `json:",omitempty"` // placed before it listens
	Once      bool    `json:",omitempty"` // else the script begins again until the peer leaves
	HandsOver bool    `json:",omitempty"` // listens, leaves all else to a child, and exits
	Becomes   bool    `json:",omitempty"` // listens, and becomes another program
	Inherits  uintptr `json:",omitempty"` // is that child or program: the listener's descriptor
	Plugs     bool    `json:",omitempty"` // brings its loopback interface up first
	Script    []step
}

// call is a number of conversations that a process begins.
type call struct {
	Address     string
	Connections int           `json:",omitempty"` // one after another; 0 means one
	Times       int           `json:",omitempty"` // the script is spoken on each; 0 means once
	TLS         bool          `json:",omitempty"`
	Keeps       bool          `json:",omitempty"` // the connection is left open, or was by the last call
	GiveUpAfter time.Duration `json:",omitempty"` // TCP_USER_TIMEOUT: the call is to fail by it
	Script      []step
}

// reply is what a player says once it listens and after each call.
type reply struct {
	PID     int
	Address string
	Error   string
}

// play runs the part until standard input ends, and returns the exit status.
func play(text string) int {
	var p part
	err := json.Unmarshal([]byte(text), &p)
	if err == nil {
		err = p.play(os.Stdin, os.Stdout)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "player %d: %v\n", os.Getpid(), err)
		return 1
	}
	return 0
}

func (p part) play(orders io.Reader, replies io.Writer) error {
	if p.Plugs {
		if err := setLoopback(true); err != nil {
			return err
		}
	}
	caller := newCaller()
	defer caller.hangUp()
	if p.First != nil {
		if err := caller.place(*p.First); err != nil {
			return err
		}
	}
	listener, err := p.listen()
	if err != nil {
		return err
	}
	if p.HandsOver || p.Becomes {
		return p.passOn(listener)
	}
	go p.serve(listener)
	out := json.NewEncoder(replies)
	if err := out.Encode(reply{PID: os.Getpid(), Address: listener.Addr().String()}); err != nil {
		return err
	}
	for lines := bufio.NewScanner(orders); lines.Scan(); {
		var c call
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return err
		}
		answer := reply{PID: os.Getpid()}
		if err := caller.place(c); err != nil {
			answer.Error = err.Error()
		}
		if err := out.Encode(answer); err != nil {
			return err
		}
	}
	return nil
}

func (p part) listen() (net.Listener, error) {
	if p.Inherits > 0 {
		return net.FileListener(os.NewFile(p.Inherits, "listener"))
	}
	config := net.ListenConfig{}
	if p.Deferred {
		config.Control = option(unix.TCP_DEFER_ACCEPT, 60)
	}
	config.SetMultipathTCP(p.MPTCP)
	listener, err := config.Listen(context.Background(), p.Network, p.Address)
	if err != nil || !p.TLS {
		return listener, err
	}
	return listenTLS(listener)
}

// option sets an option of TCP before a socket listens or connects.
func option(name, value int) func(string, string, syscall.RawConn) error {
	return func(_, _ string, raw syscall.RawConn) error {
		var failed error
		err := raw.Control(func(fd uintptr) {
			failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, name, value)
		})
		return errors.Join(err, failed)
	}
}

// passOn leaves the listener, standard input and output to another program: a
// child, or what this process becomes.
func (p part) passOn(listener net.Listener) error {
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		return err
	}
	if p.HandsOver {
		p.HandsOver, p.Inherits = false, 3 // the first of ExtraFiles
		child, err := p.command()
		if err != nil {
			return err
		}
		child.Stdin, child.Stdout, child.ExtraFiles = os.Stdin, os.Stdout, []*os.File{file}
		return child.Start()
	}
	p.Becomes, p.Inherits = false, file.Fd()
	if _, err := unix.FcntlInt(p.Inherits, unix.F_SETFD, 0); err != nil {
		return err
	}
	next, err := p.command()
	if err != nil {
		return err
	}
	return unix.Exec(next.Path, next.Args, next.Env)
}

// command is how to start a process that plays the part.
func (p part) command() (*exec.Cmd, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.Command(self)
	command.Env = append(slices.DeleteFunc(os.Environ(), isPart), partVariable+"="+string(text))
	command.Stderr = os.Stderr
	return command, nil
}

func isPart(variable string) bool { return strings.HasPrefix(variable, partVariable+"=") }

func (p part) serve(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go p.attend(conn)
	}
}

// attend speaks with one caller. How callers leave is the test's business.
func (p part) attend(conn net.Conn) {
	defer conn.Close()
	for {
		if err := perform(conn, p.Script); err != nil || p.Once {
			return
		}
	}
}

// caller places calls, and keeps the connections that it was told to keep.
type caller struct {
	kept map[string]net.Conn
}

func newCaller() *caller { return &caller{kept: map[string]net.Conn{}} }

func (c *caller) hangUp() {
	for _, conn := range c.kept {
		conn.Close()
	}
}

// place fails if a script could not be spoken to its end.
func (c *caller) place(order call) error {
	for range max(order.Connections, 1) {
		if err := c.connect(order); err != nil {
			return err
		}
	}
	return nil
}

func (c *caller) connect(order call) error {
	conn := c.kept[order.Address]
	if conn == nil {
		dialer := net.Dialer{}
		if order.GiveUpAfter > 0 {
			dialer.Control = option(unix.TCP_USER_TIMEOUT, int(order.GiveUpAfter.Milliseconds()))
		}
		var err error
		// Go turns Nagle's algorithm off, so each write is a segment.
		if conn, err = dialer.Dial("tcp", order.Address); err != nil {
			return err
		}
	}
	if order.TLS {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // The peer is a test.
	}
	if order.Keeps {
		c.kept[order.Address] = conn
	} else {
		defer conn.Close()
	}
	for range max(order.Times, 1) {
		err := perform(conn, order.Script)
		if errors.Is(err, errOver) || (order.GiveUpAfter > 0 && errors.Is(err, unix.ETIMEDOUT)) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	if order.GiveUpAfter > 0 {
		return errors.New("TCP did not give up")
	}
	return nil
}
