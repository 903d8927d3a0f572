package servers

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
)

// SSLServer says how ssl_server.c, a server of these tests, uses OpenSSL.
type SSLServer struct {
	// API is "plain" for SSL_read and SSL_write, "ex" for their _ex variants,
	// "peek" for SSL_peek before every SSL_read, and "reuse" for one SSL object
	// that serves one connection after the other.
	API string
	// Read and Write are the most bytes of one call.
	Read, Write int
}

// StartSSLServer compiles ssl_server.c and starts it.
func StartSSLServer(t testing.TB, keys KeyFiles, how SSLServer) *Process {
	t.Helper()
	port := FreePort(t)
	source := asset(t, "ssl_server.c")
	program := filepath.Join(filepath.Dir(source), "ssl_server")
	if said, err := exec.Command(Tool(t, "gcc"), "-O1", "-Wall", "-Werror", "-pthread", "-o", program, source, "-lssl").CombinedOutput(); err != nil {
		t.Fatalf("cannot compile ssl_server.c: %v\n%s", err, said)
	}
	return startTLS(t, "ssl_server", port, exec.Command(program,
		fmt.Sprint(port), keys.Cert, keys.Key, how.API, fmt.Sprint(how.Read), fmt.Sprint(how.Write)))
}
