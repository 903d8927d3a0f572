package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"sonde_exporter/test/servers"
)

// OTLPProgram is the name of the receiver's executable. Sonde sees it as a
// service like any other: a test that counts all spans leaves it out by this.
const OTLPProgram = "otlp-receiver"

// receiverTimeout is how long a receiver may take to answer the test.
const receiverTimeout = 30 * time.Second

// OTLPReceiver compiles test/otlp, once in a run of the tests.
func (p Programs) OTLPReceiver(t testing.TB) string {
	t.Helper()
	out := filepath.Join(p.dir, OTLPProgram)
	if _, err := os.Stat(out); err == nil {
		return out
	}
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	if err := compile(filepath.Join(root, "test", "otlp"), out, "."); err != nil {
		t.Fatal(err)
	}
	return out
}

// ReceiverOptions says who may send to a receiver.
type ReceiverOptions struct {
	// Keys make it speak TLS; nil means plaintext.
	Keys *servers.KeyFiles
	// ClientCA is the authority whose certificates clients need; empty for none.
	ClientCA string
	// User and Password are for basic authentication; empty lets everyone in.
	User, Password string
	// HTTPPort is where it speaks OTLP over HTTP; 0 chooses a free port.
	HTTPPort int
	// Command makes the command, for example in a network namespace; nil is
	// exec.Command.
	Command func(program string, args ...string) *exec.Cmd
}

// Receiver is a running test/otlp: the collector's own OTLP receiver.
type Receiver struct {
	*servers.Process
	// GRPC and HTTP are its addresses on the IPv4 loopback, with their ports.
	GRPC, HTTP string

	scheme  string
	control *http.Client
}

// StartReceiver runs the built program and returns when its ports are open.
func StartReceiver(t testing.TB, program string, opts ReceiverOptions) *Receiver {
	t.Helper()
	if opts.HTTPPort == 0 {
		opts.HTTPPort = servers.FreePort(t)
	}
	if opts.Command == nil {
		opts.Command = exec.Command
	}
	control := filepath.Join(servers.Dir(t), "control.sock")
	r := &Receiver{
		GRPC:    fmt.Sprintf("127.0.0.1:%d", servers.FreePort(t)),
		HTTP:    fmt.Sprintf("127.0.0.1:%d", opts.HTTPPort),
		scheme:  "http://",
		control: &http.Client{Timeout: receiverTimeout, Transport: &http.Transport{DialContext: dialer(control)}},
	}
	args := []string{
		"-grpc", r.GRPC, "-http", r.HTTP, "-control", control,
		"-client-ca", opts.ClientCA, "-user", opts.User, "-password", opts.Password,
	}
	if opts.Keys != nil {
		args = append(args, "-cert", opts.Keys.Cert, "-key", opts.Keys.Key)
		r.scheme = "https://"
	}
	r.Process = servers.Start(t, OTLPProgram, opts.HTTPPort, opts.Command(program, args...))
	Eventually(t, "the receiver's control socket", func() bool {
		conn, err := net.Dial("unix", control)
		if err != nil {
			return false
		}
		return conn.Close() == nil
	})
	return r
}

// dialer connects to a socket in the file system, whatever the address.
func dialer(path string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
}

// GRPCURL and HTTPURL are its addresses as an endpoint of the configuration.
func (r *Receiver) GRPCURL() string { return r.scheme + r.GRPC }

// HTTPURL is GRPCURL for OTLP over HTTP.
func (r *Receiver) HTTPURL() string { return r.scheme + r.HTTP }

// Fault is how a receiver fails. The zero value is one that works.
type Fault struct {
	// Delay is how long each request waits before anything else happens to it, in
	// milliseconds.
	DelayMillis int `json:"delay_ms"`
	// Status is the answer of HTTP; over gRPC it is the code that OTLP has for it.
	Status int `json:"status"`
	// RetryAfterSeconds goes with Status.
	RetryAfterSeconds int `json:"retry_after_s"`
	// Reject is how many spans or data points of a request are thrown away, which
	// is answered as a partial success.
	Reject int `json:"reject"`
	// Requests is how many requests fail; 0 means all from now on.
	Requests int `json:"requests"`
}

// Fail makes the receiver fail from now on.
func (r *Receiver) Fail(t testing.TB, f Fault) {
	t.Helper()
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatalf("cannot encode a fault: %v", err)
	}
	r.ask(t, http.MethodPut, "/fault", text)
}

// Down closes the ports: connections are refused.
func (r *Receiver) Down(t testing.TB) {
	t.Helper()
	r.ask(t, http.MethodPost, "/down", nil)
}

// Up opens the ports again.
func (r *Receiver) Up(t testing.TB) {
	t.Helper()
	r.ask(t, http.MethodPost, "/up", nil)
}

// Reset forgets what was received.
func (r *Receiver) Reset(t testing.TB) {
	t.Helper()
	r.ask(t, http.MethodPost, "/reset", nil)
}

func (r *Receiver) ask(t testing.TB, method, path string, body []byte) []byte {
	t.Helper()
	req, err := http.NewRequest(method, "http://receiver"+path, bytes.NewReader(body))
	if err != nil {
		t.Fatalf("cannot ask the receiver for %s: %v", path, err)
	}
	resp, err := r.control.Do(req)
	if err != nil {
		t.Fatalf("cannot ask the receiver for %s: %v", path, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("cannot read the receiver's answer to %s: %v", path, err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("the receiver answers %s with %s: %s", path, resp.Status, answer)
	}
	return answer
}

// tell is what the receiver has to tell about one thing.
func tell[T any](t testing.TB, r *Receiver, path string) (v T) {
	t.Helper()
	if err := json.Unmarshal(r.ask(t, http.MethodGet, path, nil), &v); err != nil {
		t.Fatalf("cannot read the receiver's answer to %s: %v", path, err)
	}
	return v
}
