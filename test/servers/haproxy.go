package servers

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
)

const haproxyConfig = `
global
	nbthread 2
	maxconn 500
	tune.bufsize 65536
	tune.http.maxhdr 1000
defaults
	mode http
	timeout connect 5s
	timeout client 60s
	timeout server 60s
frontend front
	bind 127.0.0.1:%d ssl crt %s alpn http/1.1
	default_backend back
backend back
	server one %s %s
`

// HAProxy starts haproxy, which ends TLS and passes requests on to the address
// upstream: as they are, or encrypted anew.
func HAProxy(t testing.TB, keys KeyFiles, upstream string, encrypted bool) *Process {
	t.Helper()
	dir, port := Dir(t), FreePort(t)
	connection := ""
	if encrypted {
		connection = fmt.Sprintf("ssl verify required verifyhost localhost ca-file %s alpn http/1.1", keys.Cert)
	}
	config := filepath.Join(dir, "haproxy.cfg")
	WriteFile(t, config, fmt.Sprintf(haproxyConfig, port, keys.joined(t, dir), upstream, connection))
	return startTLS(t, "haproxy", port, exec.Command(Tool(t, "haproxy"), "-db", "-f", config))
}
