package servers

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// The ports lie below the range from which the kernel picks the ports of
// clients, so that no client can take one before its server does.
const (
	firstPort = 15000
	lastPort  = 31000
)

// nextPort steps through the ports. No port is given out twice in a run of the
// tests: the counts of two servers on one port would add up.
var nextPort = sync.OnceValue(func() *atomic.Int64 {
	var port atomic.Int64
	port.Store(int64(rand.IntN(lastPort - firstPort)))
	return &port
})

// FreePort finds a TCP port that is free on every address. It binds but never
// listens: a process that listens is a service to Sonde, and the test is none.
func FreePort(t testing.TB) int {
	t.Helper()
	port, err := PickPort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// PickPort is FreePort outside a test.
func PickPort() (int, error) {
	for range lastPort - firstPort {
		port := firstPort + int(nextPort().Add(1))%(lastPort-firstPort)
		if bindable(port) {
			return port, nil
		}
	}
	return 0, errors.New("found no free TCP port")
}

func bindable(port int) bool {
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer func() { _ = unix.Close(fd) }()
	return unix.Bind(fd, &unix.SockaddrInet6{Port: port}) == nil
}

// listening says whether anything in a process's network namespace listens on port.
func listening(pid, port int) bool {
	return listeningIn(fmt.Sprintf("/proc/%d/net/tcp", pid), port) ||
		listeningIn(fmt.Sprintf("/proc/%d/net/tcp6", pid), port)
}

// listeningIn reads a table of the kernel's: local address and state are its
// second and fourth columns, and 0A is TCP_LISTEN.
func listeningIn(table string, port int) bool {
	file, err := os.Open(table)
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }()
	suffix := fmt.Sprintf(":%04X", port)
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) > 3 && fields[3] == "0A" && strings.HasSuffix(fields[1], suffix) {
			return true
		}
	}
	return false
}
