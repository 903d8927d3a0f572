package servers

import (
	"fmt"
	"path/filepath"
	"testing"
)

// The TLS libraries beside OpenSSL that the tests have modules of lighttpd for.
const (
	GnuTLS = "gnutls"
	NSS    = "nss"
)

// Without max-keep-alive-requests lighttpd closes every connection in the end.
const lighttpdConfig = `
server.modules = ("mod_%[1]s")
server.document-root = "%[2]s/html"
server.errorlog = "%[2]s/error.log"
server.bind = "127.0.0.1"
server.port = %[3]d
server.max-keep-alive-requests = 30000
server.feature-flags = ("server.h2proto" => "disable")
ssl.engine = "enable"
ssl.pemfile = "%[4]s"
ssl.privkey = "%[5]s"
ssl.openssl.ssl-conf-cmd = ("MinProtocol" => "TLSv1.2")
`

// Lighttpd starts lighttpd with the documents of WriteDocuments behind TLS of
// the given library. env is added to its environment.
func Lighttpd(t testing.TB, library string, keys KeyFiles, env ...string) *Process {
	t.Helper()
	dir, port := Dir(t), FreePort(t)
	WriteDocuments(t, filepath.Join(dir, "html"))
	config := filepath.Join(dir, "lighttpd.conf")
	WriteFile(t, config, fmt.Sprintf(lighttpdConfig, library, dir, port, keys.Cert, keys.Key))
	return startTLS(t, "lighttpd", port, NewCommand(Tool(t, "lighttpd"), env, "-D", "-f", config))
}
