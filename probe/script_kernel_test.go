package probe

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// step is one act of one side of a conversation; one field is set, but for Times. Scripts reach
// the programs that play them as JSON.
type step struct {
	Send    string        `json:",omitempty"` // in one write
	Times   int           `json:",omitempty"` // that Send holds its text; 0 means once
	Trickle string        `json:",omitempty"` // a write for each byte
	Receive int           `json:",omitempty"` // bytes
	Pause   time.Duration `json:",omitempty"`
	End     ending        `json:",omitempty"`
}

// ending is how a script leaves its connection, or more than that.
type ending string

const (
	endClose  ending = "close"
	endReset  ending = "reset"
	endDrain  ending = "drain"  // reads until the peer leaves
	endExit   ending = "exit"   // of the process, without a word on the connection
	endUnplug ending = "unplug" // of the loopback interface
)

func send(text string) step      { return step{Send: text} }
func trickle(text string) step   { return step{Trickle: text} }
func receive(text string) step   { return step{Receive: len(text)} }
func pause(d time.Duration) step { return step{Pause: d} }
func end(how ending) step        { return step{End: how} }

// errOver says that a script ended its connection itself.
var errOver = errors.New("the script has ended the connection")

// perform plays a script once. The error matches io.EOF if the peer left, and
// errOver if the script did.
func perform(conn net.Conn, script []step) error {
	for i, s := range script {
		if err := s.perform(conn); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	return nil
}

func (s step) perform(conn net.Conn) error {
	switch {
	case s.Send != "":
		_, err := io.WriteString(conn, strings.Repeat(s.Send, max(s.Times, 1)))
		return err
	case s.Trickle != "":
		for i := range s.Trickle {
			if _, err := io.WriteString(conn, s.Trickle[i:i+1]); err != nil {
				return err
			}
		}
		return nil
	case s.Receive > 0:
		_, err := io.CopyN(io.Discard, conn, int64(s.Receive))
		return err
	case s.Pause > 0:
		time.Sleep(s.Pause)
		return nil
	default:
		return s.End.perform(conn)
	}
}

func (e ending) perform(conn net.Conn) error {
	switch e {
	case endClose:
		return errors.Join(conn.Close(), errOver)
	case endReset:
		if inner, ok := conn.(*tls.Conn); ok {
			conn = inner.NetConn()
		}
		tcp, ok := conn.(*net.TCPConn)
		if !ok {
			return fmt.Errorf("%T cannot be reset", conn)
		}
		// Close without lingering sends RST and drops what was not sent.
		return errors.Join(tcp.SetLinger(0), tcp.Close(), errOver)
	case endDrain:
		_, err := io.Copy(io.Discard, conn)
		return err
	case endExit:
		os.Exit(0)
	case endUnplug:
		return setLoopback(false)
	}
	return fmt.Errorf("there is no ending %q", e)
}

// setLoopback switches the loopback interface of this network namespace. In a
// new one it is down, and a bare virtual machine has no ip(8).
func setLoopback(up bool) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, request); err != nil {
		return fmt.Errorf("SIOCGIFFLAGS: %w", err)
	}
	flags := request.Uint16() &^ unix.IFF_UP
	if up {
		flags |= unix.IFF_UP
	}
	request.SetUint16(flags)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request); err != nil {
		return fmt.Errorf("SIOCSIFFLAGS: %w", err)
	}
	return nil
}
