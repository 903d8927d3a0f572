package servers

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// GoServer is a running servers/goserver.
type GoServer struct {
	*Process
	adminPort int
}

// Go starts the net/http service from its built program. The flags are those
// of servers/goserver; without -addr it serves the IPv4 and IPv6 loopback.
func Go(t testing.TB, program string, flags ...string) *GoServer {
	t.Helper()
	port := FreePort(t)
	addr := fmt.Sprintf("127.0.0.1:%d,[::1]:%d", port, port)
	return GoOn(t, program, port, append([]string{"-addr", addr}, flags...)...)
}

// GoTLS is Go with HTTPS, over HTTP/1.1 only. Its /call fetches /hello from the
// address upstream over HTTPS; an empty one is for tests that never ask for it.
func GoTLS(t testing.TB, program string, keys KeyFiles, upstream string, env ...string) *GoServer {
	t.Helper()
	return GoTLSOn(t, program, FreePort(t), keys, upstream, env...)
}

// GoTLSOn is GoTLS for a test that chooses the port itself.
func GoTLSOn(t testing.TB, program string, port int, keys KeyFiles, upstream string, env ...string) *GoServer {
	t.Helper()
	cmd := exec.Command(program, "-addr", fmt.Sprintf("127.0.0.1:%d,[::1]:%d", port, port),
		"-cert", keys.Cert, "-key", keys.Key, "-upstream", "https://"+upstream)
	cmd.Env = append(keys.trusting(), env...)
	s := GoCommand(t, port, cmd)
	s.Secure = true
	return s
}

// GoOn is Go for a test that chooses port and addresses itself.
func GoOn(t testing.TB, program string, port int, flags ...string) *GoServer {
	t.Helper()
	return GoCommand(t, port, exec.Command(program, flags...))
}

// GoCommand is GoOn for a test that makes the command itself.
func GoCommand(t testing.TB, port int, cmd *exec.Cmd) *GoServer {
	t.Helper()
	s := &GoServer{adminPort: FreePort(t)}
	cmd.Args = append(cmd.Args, "-admin", fmt.Sprintf("127.0.0.1:%d", s.adminPort))
	s.Process = start(t, "goserver", port, cmd)
	return s
}

// Handled is how many requests the server says that it has handled.
func (s *GoServer) Handled(t testing.TB) uint64 {
	t.Helper()
	resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/", s.adminPort))
	if err != nil {
		t.Fatalf("cannot ask goserver for its counter: %v", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("cannot read goserver's counter: %v", err)
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(body)), 10, 64)
	if err != nil {
		t.Fatalf("goserver's counter is not a number: %v", err)
	}
	return n
}
