package servers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// KeyFiles are the paths of a certificate and its key, both in PEM.
type KeyFiles struct {
	Cert, Key string
}

// trusting is the environment of a program that believes the certificate and no
// other. Go and OpenSSL both read the variable; Go's proxy variables would lead
// calls elsewhere.
func (k KeyFiles) trusting() []string {
	return append(os.Environ(), "SSL_CERT_FILE="+k.Cert, "NO_PROXY=*")
}

// joined writes certificate and key into one file in dir, as some servers want it.
func (k KeyFiles) joined(t testing.TB, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "pair.pem")
	WriteFile(t, path, readFile(t, k.Cert)+readFile(t, k.Key))
	return path
}

// startTLS is start for a server that speaks TLS on port.
func startTLS(t testing.TB, name string, port int, cmd *exec.Cmd) *Process {
	t.Helper()
	p := start(t, name, port, cmd)
	p.Secure = true
	return p
}

// NodeTLS starts shop.js, whose /call fetches /hello from the address upstream
// over HTTPS; an empty one is for tests that never ask for it.
func NodeTLS(t testing.TB, keys KeyFiles, upstream string) *Process {
	t.Helper()
	return script(t, "node", "shop.js", keys, upstream)
}

// PythonTLS starts shop.py, a service of threads that block in their TLS
// connection. Its /call is that of NodeTLS.
func PythonTLS(t testing.TB, keys KeyFiles, upstream string) *Process {
	t.Helper()
	return script(t, "python3", "shop.py", keys, upstream)
}

// PythonStreams starts streams.py, an asyncio service: the event loop owns the
// sockets, and OpenSSL only ever sees memory.
func PythonStreams(t testing.TB, keys KeyFiles) *Process {
	t.Helper()
	return script(t, "python3", "streams.py", keys)
}

// PythonForks starts forks.py, whose parent shakes hands and whose children, one for
// each connection, do the rest.
func PythonForks(t testing.TB, keys KeyFiles) *Process {
	t.Helper()
	return script(t, "python3", "forks.py", keys)
}

// PythonLateTLS starts late.py, which loads OpenSSL only when its first client
// has connected.
func PythonLateTLS(t testing.TB, keys KeyFiles) *Process {
	t.Helper()
	return script(t, "python3", "late.py", keys)
}

// RunListening runs a program to its end as a process that listens: that makes it
// a service, whose calls Sonde counts.
func RunListening(t testing.TB, args ...string) {
	t.Helper()
	args = append([]string{asset(t, "become.py"), fmt.Sprint(FreePort(t))}, args...)
	launch(t, filepath.Base(args[2]), 0, exec.Command(Tool(t, "python3"), args...)).Wait(t, startTimeout)
}

// script starts one of the scripts of this package that take a port, a
// certificate, its key, and what else they want.
func script(t testing.TB, interpreter, name string, keys KeyFiles, args ...string) *Process {
	t.Helper()
	port := FreePort(t)
	args = append([]string{asset(t, name), fmt.Sprint(port), keys.Cert, keys.Key}, args...)
	cmd := exec.Command(Tool(t, interpreter), args...)
	cmd.Env = keys.trusting()
	return startTLS(t, name, port, cmd)
}
