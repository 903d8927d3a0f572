package netlab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// testTimeout is how long a transfer over a bad wire may take on a busy machine.
const testTimeout = time.Minute

// newLab makes a lab that is closed, without problems, at the end of the test.
func newLab(t *testing.T, im Impairment) *Lab {
	t.Helper()
	lab, err := New(im)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lab.Close(); err != nil {
			t.Error(err)
		}
	})
	return lab
}

// connect returns both ends of a TCP connection through the lab.
func connect(t *testing.T, lab *Lab, serverAddress netip.Addr) (client, server *net.TCPConn) {
	t.Helper()
	listener, err := lab.Server().Listen("tcp", netip.AddrPortFrom(serverAddress, 0).String())
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	dialed, err := lab.Client().DialContext(ctx, "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	for _, connection := range []net.Conn{dialed, accepted} {
		t.Cleanup(func() { connection.Close() })
		if err := connection.SetDeadline(time.Now().Add(testTimeout)); err != nil {
			t.Fatal(err)
		}
	}
	return dialed.(*net.TCPConn), accepted.(*net.TCPConn)
}

// exchange sends 1 MiB in each direction at the same time and compares what arrived.
func exchange(t *testing.T, client, server *net.TCPConn) {
	t.Helper()
	const size = 1 << 20
	random := rand.NewChaCha8([32]byte{'n', 'e', 't', 'l', 'a', 'b'})
	toServer, toClient := make([]byte, size), make([]byte, size)
	for _, data := range [][]byte{toServer, toClient} {
		if _, err := random.Read(data); err != nil {
			t.Fatal(err)
		}
	}
	results := make(chan error)
	send := func(connection *net.TCPConn, data []byte) {
		_, err := connection.Write(data)
		results <- errors.Join(err, connection.CloseWrite())
	}
	receive := func(connection *net.TCPConn, want []byte) {
		got, err := io.ReadAll(connection)
		if err == nil && !bytes.Equal(got, want) {
			err = fmt.Errorf("%v got %d bytes that differ from the %d sent", connection.LocalAddr(), len(got), len(want))
		}
		results <- err
	}
	go send(client, toServer)
	go send(server, toClient)
	go receive(client, toClient)
	go receive(server, toServer)
	for range 4 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}

// tcpInfo asks the kernel what a connection went through.
func tcpInfo(t *testing.T, connection *net.TCPConn) *unix.TCPInfo {
	t.Helper()
	raw, err := connection.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var info *unix.TCPInfo
	var infoErr error
	err = raw.Control(func(fd uintptr) {
		info, infoErr = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	})
	if err := errors.Join(err, infoErr); err != nil {
		t.Fatal(err)
	}
	return info
}

// families are the ways to address the server.
var families = map[string]func(*Namespace) netip.Addr{"IPv4": (*Namespace).IPv4, "IPv6": (*Namespace).IPv6}

func TestTransferOverBadWire(t *testing.T) {
	for family, address := range families {
		t.Run(family, func(t *testing.T) {
			lab := newLab(t, Impairment{Loss: 0.02, Duplicate: 0.02, Reorder: 0.05, PayloadOnly: true, Seed: 1})
			client, server := connect(t, lab, address(lab.Server()))
			exchange(t, client, server)

			stats := lab.Stats()
			for direction, got := range map[string]Counters{"server": stats.ToServer, "client": stats.ToClient} {
				if got.Forwarded < 1<<20/wireMTU || got.Lost == 0 || got.Duplicated == 0 || got.Reordered == 0 || got.Refused > 0 {
					t.Errorf("to the %s: %+v", direction, got)
				}
			}
			// The kernels have to have noticed, or the wire would prove nothing.
			for end, connection := range map[string]*net.TCPConn{"client": client, "server": server} {
				info := tcpInfo(t, connection)
				if info.Total_retrans == 0 || info.Rcv_ooopack == 0 {
					t.Errorf("the %s retransmitted %d segments and received %d out of order", end, info.Total_retrans, info.Rcv_ooopack)
				}
			}
		})
	}
}

func TestTransferOverPerfectWire(t *testing.T) {
	for family, address := range families {
		t.Run(family, func(t *testing.T) {
			lab := newLab(t, Impairment{})
			client, server := connect(t, lab, address(lab.Server()))
			exchange(t, client, server)
			if got, want := lab.Stats().Total(), (Counters{Forwarded: lab.Stats().Total().Forwarded}); got != want {
				t.Errorf("a perfect wire did %+v", got)
			}
			for end, connection := range map[string]*net.TCPConn{"client": client, "server": server} {
				if info := tcpInfo(t, connection); info.Rcv_ooopack > 0 {
					t.Errorf("the %s received %d segments out of order", end, info.Rcv_ooopack)
				}
			}
		})
	}
}

func TestHandshakePassesWhereNoDataDoes(t *testing.T) {
	lab := newLab(t, Impairment{Loss: 1, PayloadOnly: true})
	client, server := connect(t, lab, lab.Server().IPv4())
	if _, err := client.Write([]byte("GET / HTTP/1.1\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if err := server.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	var timeout net.Error
	if n, err := server.Read(make([]byte, 64)); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("read %d bytes, error %v; want none and a timeout", n, err)
	}
	if lost := lab.Stats().ToServer.Lost; lost == 0 {
		t.Error("no packet counts as lost")
	}
}

func TestDelayIsAddedInBothDirections(t *testing.T) {
	const delay = 20 * time.Millisecond
	lab := newLab(t, Impairment{Delay: delay})
	start := time.Now()
	connect(t, lab, lab.Server().IPv6())
	if took := time.Since(start); took < 2*delay {
		t.Errorf("the handshake took %v, less than there and back (%v)", took, 2*delay)
	}
}

func TestAddressesCanBeBoundAtOnce(t *testing.T) {
	for range 20 { // what would keep an address from being ready is a race
		lab := newLab(t, Impairment{})
		for _, n := range []*Namespace{lab.Client(), lab.Server()} {
			for family, address := range families {
				listener, err := n.Listen("tcp", netip.AddrPortFrom(address(n), 0).String())
				if err != nil {
					t.Fatalf("%s: %v", family, err)
				}
				if err := listener.Close(); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

func TestTwoLabsAtOnce(t *testing.T) {
	first, second := newLab(t, Impairment{}), newLab(t, Impairment{Loss: 1})
	connect(t, first, first.Server().IPv4())
	if got := second.Stats().ToServer.Forwarded; got != 0 {
		t.Errorf("%d packets crossed the lab that loses all", got)
	}
}
