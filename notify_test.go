package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// hearing is the service manager's end of its socket.
type hearing struct {
	*net.UnixConn
	t *testing.T
}

func beManager(t *testing.T) hearing {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv("NOTIFY_SOCKET", socket)
	return hearing{conn, t}
}

// next is what is said within 30 seconds.
func (h hearing) next() string {
	h.t.Helper()
	message, err := h.read(30 * time.Second)
	if err != nil {
		h.t.Fatalf("the manager hears nothing: %v", err)
	}
	return message
}

// noMore demands that nothing was said besides.
func (h hearing) noMore() {
	h.t.Helper()
	// Messages that were sent are there already.
	if message, err := h.read(time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		h.t.Errorf("the manager also hears %q (%v), want nothing", message, err)
	}
}

func (h hearing) read(limit time.Duration) (string, error) {
	if err := h.SetReadDeadline(time.Now().Add(limit)); err != nil {
		return "", err
	}
	buffer := make([]byte, 256)
	n, err := h.Read(buffer)
	return string(buffer[:n]), err
}

func TestManagerHearsThatSondeIsReady(t *testing.T) {
	address, second := freeAddress(t), freeAddress(t)
	r, o := openExporter(t, "--web.listen-address", address, "--web.listen-address", second)
	manager := beManager(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	served := make(chan error, 1)
	go func() { served <- serve(ctx, o, r.exporter, r.logger) }()

	if got := manager.next(); got != "READY=1" {
		t.Fatalf("first the manager hears %q, want READY=1", got)
	}
	for _, address := range []string{address, second} {
		answer, err := http.Get("http://" + address + "/-/ready")
		if err != nil {
			t.Fatalf("Sonde was said to be ready: %v", err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Errorf("Sonde was said to be ready, but %s answers %s", address, answer.Status)
		}
	}
	stop()
	if got := manager.next(); got != "STOPPING=1" {
		t.Errorf("in the end the manager hears %q, want STOPPING=1", got)
	}
	if err := errors.Join(<-served, r.close()); err != nil {
		t.Error(err)
	}
	manager.noMore()
}

func TestManagerDoesNotHearThatAFailedStartIsReady(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	r, o := openExporter(t, "--web.listen-address", freeAddress(t), "--web.listen-address", taken.Addr().String())
	manager := beManager(t)
	err = errors.Join(serve(t.Context(), o, r.exporter, r.logger), r.close())
	if err == nil || !strings.Contains(err.Error(), "another program uses this address") {
		t.Errorf("error %v, want one about the address that is taken", err)
	}
	if got := manager.next(); got != "STOPPING=1" {
		t.Errorf("the manager hears %q, want STOPPING=1", got)
	}
	manager.noMore()
}

func TestManagerThatCannotBeTold(t *testing.T) {
	cases := []struct {
		name, socket string
		want         []string // words of the log, which is empty without any
	}{
		{"there is none", "", nil},
		{"it does not listen", filepath.Join(t.TempDir(), "none"), []string{"READY=1", "AF_UNIX", "no such file"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("NOTIFY_SOCKET", c.socket)
			var said strings.Builder
			manager{slog.New(slog.NewTextHandler(&said, nil))}.ready()
			if c.want == nil && said.String() != "" {
				t.Errorf("the log has %q, want nothing", said.String())
			}
			for _, words := range c.want {
				if !strings.Contains(said.String(), words) {
					t.Errorf("the log has %q, want it to say %q", said.String(), words)
				}
			}
		})
	}
}

func TestAfterCalls(t *testing.T) {
	happened := 0
	call := afterCalls(2, func() { happened++ })
	for i, want := range []int{0, 1, 1} {
		if call(); happened != want {
			t.Errorf("after %d calls it has happened %d times, want %d", i+1, happened, want)
		}
	}
}

// freeAddress returns a loopback address that nothing listened on a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
