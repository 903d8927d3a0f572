package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// bulkWrite is what one write and one read call move.
	bulkWrite = 256 << 10
	// datagram is the size of a packet of the flood in bytes.
	datagram = 64
	// clockEvery is how many pieces of work are done between looks at the clock.
	clockEvery = 1000
)

// bulkTCP sends bytes through a loopback connection and returns GiB.
func bulkTCP(length time.Duration) (float64, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("cannot listen for the bulk transfer: %w", err)
	}
	defer func() { _ = listener.Close() }()
	received := make(chan error, 1)
	go func() { received <- drain(listener) }()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		return 0, fmt.Errorf("cannot connect for the bulk transfer: %w", err)
	}
	data, sent := make([]byte, bulkWrite), 0
	for end := time.Now().Add(length); time.Now().Before(end); {
		n, err := conn.Write(data)
		if err != nil {
			return 0, errors.Join(fmt.Errorf("the bulk transfer broke: %w", err), conn.Close())
		}
		sent += n
	}
	return float64(sent) / (1 << 30), errors.Join(conn.Close(), <-received)
}

// drain reads one connection to its end.
func drain(listener net.Listener) error {
	conn, err := listener.Accept()
	if err != nil {
		return err
	}
	for buffer := make([]byte, bulkWrite); err == nil; {
		_, err = conn.Read(buffer)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, conn.Close())
}

// pingPong sends one byte to and fro between two threads and returns round trips.
func pingPong(length time.Duration) (float64, error) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("cannot make a pair of sockets: %w", err)
	}
	defer func() { _ = unix.Close(ends[0]) }()
	echoed := make(chan error, 1)
	go func() { echoed <- echo(ends[1]) }()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ball, trips := make([]byte, 1), 0
	for end := time.Now().Add(length); time.Now().Before(end); trips++ {
		if _, err := unix.Write(ends[0], ball); err != nil {
			return 0, fmt.Errorf("the ball was lost: %w", err)
		}
		if _, err := unix.Read(ends[0], ball); err != nil {
			return 0, fmt.Errorf("the ball was lost: %w", err)
		}
	}
	// The other end reads that no more will come.
	return float64(trips), errors.Join(unix.Shutdown(ends[0], unix.SHUT_WR), <-echoed)
}

func echo(fd int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer func() { _ = unix.Close(fd) }()
	for ball := make([]byte, 1); ; {
		n, err := unix.Read(fd, ball)
		if n <= 0 {
			return err
		}
		if _, err := unix.Write(fd, ball); err != nil {
			return err
		}
	}
}

// systemCalls makes calls that do next to nothing and returns how many.
func systemCalls(length time.Duration) (float64, error) {
	calls := 0
	for end := time.Now().Add(length); time.Now().Before(end); calls += clockEvery {
		for range clockEvery {
			unix.Getppid()
		}
	}
	return float64(calls), nil
}

// floodUDP sends to a socket that nobody reads and returns packets. Each passes
// the hooks of both directions; once the buffer is full it is dropped after them.
func floodUDP(length time.Duration) (float64, error) {
	sink, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, fmt.Errorf("cannot open a UDP socket: %w", err)
	}
	defer func() { _ = sink.Close() }()
	source, err := net.DialUDP("udp", nil, sink.LocalAddr().(*net.UDPAddr))
	if err != nil {
		return 0, fmt.Errorf("cannot open a UDP socket: %w", err)
	}
	defer func() { _ = source.Close() }()
	data, sent := make([]byte, datagram), 0
	for end := time.Now().Add(length); time.Now().Before(end); sent++ {
		if _, err := source.Write(data); err != nil {
			return 0, fmt.Errorf("the flood ran dry: %w", err)
		}
	}
	return float64(sent), nil
}
