package servers

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"
)

// Peer is a running servers/peer: one end of scripted conversations. It
// listens from its start on, so that Sonde takes it for a service and shows
// the calls that it makes.
type Peer struct {
	*Process
	enc *json.Encoder
	dec *json.Decoder
}

// peerCommand and peerResult are the lines of servers/peer.
type peerCommand struct {
	Op   string `json:"op"`
	ID   int    `json:"id"`
	Addr string `json:"addr,omitempty"`
	Data []byte `json:"data,omitempty"`
	N    int    `json:"n,omitempty"`
	Conc int    `json:"conc,omitempty"`
	Body int    `json:"body,omitempty"`
	Once bool   `json:"once,omitempty"`
}

type peerResult struct {
	ID    int    `json:"id"`
	Addr  string `json:"addr"`
	N     int    `json:"n"`
	Nanos int64  `json:"nanos"`
	Error string `json:"error"`
}

// StartPeer runs the built program peer.
func StartPeer(t testing.TB, program string) *Peer {
	t.Helper()
	return PeerCommand(t, exec.Command(program))
}

// TrustingPeer is StartPeer, and its calls believe the certificate and no other.
func TrustingPeer(t testing.TB, program string, keys KeyFiles) *Peer {
	t.Helper()
	cmd := exec.Command(program)
	cmd.Env = keys.trusting()
	return PeerCommand(t, cmd)
}

// PeerCommand runs a peer by a command of the test's own, for example one that
// enters a network namespace first.
func PeerCommand(t testing.TB, cmd *exec.Cmd) *Peer {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatalf("cannot make a pipe to the peer: %v", err)
	}
	out, answers, err := os.Pipe()
	if err != nil {
		t.Fatalf("cannot make a pipe from the peer: %v", err)
	}
	t.Cleanup(func() { _ = out.Close() })
	p := &Peer{enc: json.NewEncoder(in), dec: json.NewDecoder(out)}
	p.Process = launchPeer(t, cmd, answers)
	p.do(t, peerCommand{Op: "listen", Addr: ":0"})
	return p
}

// launchPeer keeps standard output for the results.
func launchPeer(t testing.TB, cmd *exec.Cmd, answers *os.File) *Process {
	t.Helper()
	defer func() { _ = answers.Close() }() // the peer has a descriptor of its own
	cmd.Stdout = answers
	return launch(t, "peer", 0, cmd)
}

// Endpoint is a connection or a listener inside a Peer.
type Endpoint struct {
	// Addr is its local address.
	Addr string

	peer *Peer
	id   int
}

func (p *Peer) do(t testing.TB, cmd peerCommand) peerResult {
	t.Helper()
	res, err := p.try(cmd)
	if err != nil {
		t.Fatalf("the peer process is gone: %v", err)
	}
	if res.Error != "" {
		t.Fatalf("the peer cannot go on with its script: %s", res.Error)
	}
	return res
}

func (p *Peer) try(cmd peerCommand) (res peerResult, err error) {
	if err := p.enc.Encode(cmd); err != nil {
		return res, err
	}
	return res, p.dec.Decode(&res)
}

// Listen opens a listener on the IPv4 loopback, on a port of its own.
func (p *Peer) Listen(t testing.TB) Endpoint {
	t.Helper()
	addr := fmt.Sprintf("127.0.0.1:%d", FreePort(t))
	res := p.do(t, peerCommand{Op: "listen", Addr: addr})
	return Endpoint{Addr: res.Addr, peer: p, id: res.ID}
}

// Dial opens a connection to addr.
func (p *Peer) Dial(t testing.TB, addr string) Endpoint {
	t.Helper()
	res := p.do(t, peerCommand{Op: "dial", Addr: addr})
	return Endpoint{Addr: res.Addr, peer: p, id: res.ID}
}

// Fetch is what Peer.Fetch sends.
type Fetch struct {
	// URL is the address of every request.
	URL string
	// Requests is how many are sent over how many Connections.
	Requests, Connections int
	// Once opens a connection for each request.
	Once bool
	// Body is the bytes that each posts; 0 makes it a GET.
	Body int
}

// Fetch makes calls with net/http from inside the peer, reads every answer to
// its end, and returns the mean time that a call took.
func (p *Peer) Fetch(t testing.TB, f Fetch) time.Duration {
	t.Helper()
	res := p.do(t, peerCommand{Op: "fetch", Addr: f.URL, N: f.Requests, Conc: f.Connections, Body: f.Body, Once: f.Once})
	return time.Duration(res.Nanos / int64(f.Requests))
}

// Accept takes the next connection of a listener.
func (e Endpoint) Accept(t testing.TB) Endpoint {
	t.Helper()
	res := e.peer.do(t, peerCommand{Op: "accept", ID: e.id})
	return Endpoint{Addr: res.Addr, peer: e.peer, id: res.ID}
}

// Write sends data by one write call.
func (e Endpoint) Write(t testing.TB, data string) { e.send(t, "write", data) }

// Writev sends data by one writev call of three parts.
func (e Endpoint) Writev(t testing.TB, data string) { e.send(t, "writev", data) }

// Sendfile sends data by sendfile, from a file.
func (e Endpoint) Sendfile(t testing.TB, data string) { e.send(t, "sendfile", data) }

func (e Endpoint) send(t testing.TB, op, data string) {
	t.Helper()
	e.peer.do(t, peerCommand{Op: op, ID: e.id, Data: []byte(data)})
}

// Post starts a write that may block until the other end reads, and returns a
// function that waits for its end. The peer takes no other command until then.
func (e Endpoint) Post(t testing.TB, op, data string) (wait func()) {
	t.Helper()
	failed := make(chan string, 1)
	go func() {
		res, err := e.peer.try(peerCommand{Op: op, ID: e.id, Data: []byte(data)})
		if err != nil {
			res.Error = err.Error()
		}
		failed <- res.Error
	}()
	return func() {
		t.Helper()
		if msg := <-failed; msg != "" {
			t.Fatalf("the peer cannot go on with its script: %s", msg)
		}
	}
}

// Read reads exactly n bytes.
func (e Endpoint) Read(t testing.TB, n int) {
	t.Helper()
	e.peer.do(t, peerCommand{Op: "read", ID: e.id, N: n})
}

// ReadAll reads until the other end has closed.
func (e Endpoint) ReadAll(t testing.TB) {
	t.Helper()
	e.peer.do(t, peerCommand{Op: "readall", ID: e.id})
}

// ReadUntilGone reads until the other end has closed or reset.
func (e Endpoint) ReadUntilGone(t testing.TB) {
	t.Helper()
	if _, err := e.peer.try(peerCommand{Op: "readall", ID: e.id}); err != nil && err != io.EOF {
		t.Fatalf("the peer process is gone: %v", err)
	}
}

// Close closes the connection or the listener.
func (e Endpoint) Close(t testing.TB) { e.do(t, "close") }

// CloseWrite ends the sending direction only.
func (e Endpoint) CloseWrite(t testing.TB) { e.do(t, "closewrite") }

// Reset closes the connection with RST.
func (e Endpoint) Reset(t testing.TB) { e.do(t, "reset") }

func (e Endpoint) do(t testing.TB, op string) {
	t.Helper()
	e.peer.do(t, peerCommand{Op: op, ID: e.id})
}
