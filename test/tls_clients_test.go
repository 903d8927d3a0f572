package e2e

import (
	"bytes"
	"crypto/tls"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// fetchByUrllib is a client by Python's standard library. Its arguments are the
// certificate, the version of TLS, and the addresses.
const fetchByUrllib = `
import ssl, sys
from urllib.request import urlopen
context = ssl.create_default_context(cafile=sys.argv[1])
context.minimum_version = context.maximum_version = ssl.TLSVersion[sys.argv[2]]
for url in sys.argv[3:]:
    with urlopen(url, context=context) as answered:
        answered.read()
`

// program is a client that people run, as the arguments for some addresses.
type program struct {
	name string
	args func(t testing.TB, keys harness.KeyPair, version uint16, urls []string) []string
}

func clientPrograms() []program {
	return []program{
		{"curl", func(t testing.TB, keys harness.KeyPair, version uint16, urls []string) []string {
			number := versionNumber(version)
			args := []string{servers.Tool(t, "curl"), "--silent", "--show-error", "--fail", "--noproxy", "*",
				"--http1.1", "--cacert", keys.Cert, "--tlsv" + number, "--tls-max", number}
			for _, url := range urls {
				args = append(args, "--output", "/dev/null", url)
			}
			return args
		}},
		{"wget", func(t testing.TB, keys harness.KeyPair, version uint16, urls []string) []string {
			return append([]string{servers.Tool(t, "wget"), "--no-config", "--no-hsts", "--no-proxy", "--quiet", "--tries=1",
				"--output-document=/dev/null", "--ca-certificate=" + keys.Cert, "--secure-protocol=TLSv" + versionWord(version)}, urls...)
		}},
		{"urllib", func(t testing.TB, keys harness.KeyPair, version uint16, urls []string) []string {
			return append([]string{servers.Tool(t, "python3"), "-c", fetchByUrllib, keys.Cert, "TLSv" + versionWord(version)}, urls...)
		}},
	}
}

// versionNumber and versionWord are how programs spell a version: 1.3 and 1_3.
func versionNumber(version uint16) string {
	return strings.TrimPrefix(tls.VersionName(version), "TLS ")
}
func versionWord(version uint16) string { return strings.ReplaceAll(versionNumber(version), ".", "_") }

// TestTLSClients: what one server makes of many clients. Each client asks for a
// path of its own.
func TestTLSClients(t *testing.T) {
	const each = 20
	keys := newKeys(t)
	web := servers.GoTLS(t, programs(t).GoServer, keys.KeyFiles, "")
	proxy := servers.StartNginx(t, servers.NginxOptions{TLS: &keys.KeyFiles, Upstream: servers.Go(t, programs(t).GoServer).Addr()})
	gnu := startLighttpd(t, keys)
	for _, c := range []struct {
		name   string
		server *servers.Process
		prefix string
	}{
		{"at nginx", proxy.Process, "/up/"}, {"at Go", web.Process, "/"}, {"at lighttpd with GnuTLS", gnu, "/small.txt?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			warm(t, shared(t), keys, c.server)
			for _, p := range clientPrograms() {
				for _, version := range tlsVersions() {
					args := p.args(t, keys, version, slices.Repeat([]string{c.server.URL(c.prefix + p.name)}, each))
					if said, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
						t.Fatalf("%s failed: %v\n%s", p.name, err, said)
					}
				}
			}
			rows := []harness.Row{row(6*each, "GET", "/small.txt", "200")}
			if c.server != gnu {
				rows = []harness.Row{
					row(2*each, "GET", c.prefix+"curl", "200"), row(2*each, "GET", c.prefix+"wget", "200"), row(2*each, "GET", c.prefix+"urllib", "200"),
				}
			}
			expectTLS(t, shared(t), harness.Server, at(c.server), rows...)
		})
	}
}

// TestTLSPrograms: the calls of the same programs, where they are services. The
// server uses the library of the client, so that Sonde has attached before the
// program starts.
func TestTLSPrograms(t *testing.T) {
	const each = 20
	keys := newKeys(t)
	open := startNginx(t, keys)
	gnu := startLighttpd(t, keys)
	for _, p := range clientPrograms() {
		t.Run(p.name, func(t *testing.T) {
			server, path := open, "/hello"
			if p.name == "wget" {
				server, path = gnu, "/small.txt"
			}
			warm(t, shared(t), keys, server)
			before := shared(t).Scrape(t).Count(harness.Client, at(server))
			for _, version := range tlsVersions() {
				servers.RunListening(t, p.args(t, keys, version, slices.Repeat([]string{server.URL(path)}, each))...)
			}
			expectTLS(t, shared(t), harness.Client, at(server), row(before+2*each, "GET", path, "200"))
		})
	}
}

// TestTLSResumption: sessions that are taken up again, by the tickets of both
// versions of TLS.
func TestTLSResumption(t *testing.T) {
	const total = 20
	keys := newKeys(t)
	for name, server := range map[string]*servers.Process{
		"nginx": startNginx(t, keys),
		"Go":    startGo(t, keys),
		"Node":  startNode(t, keys),
	} {
		t.Run(name, func(t *testing.T) {
			warm(t, shared(t), keys, server)
			for _, version := range tlsVersions() {
				client := visitor(t, keys, visiting{version: version, closing: true, sessions: tls.NewLRUClientSessionCache(1)})
				for i := range total {
					resp, err := client.Get(server.URL("/hello"))
					if err != nil {
						t.Fatal(err)
					}
					resp.Body.Close()
					if resumed := resp.TLS.DidResume; resumed != (i > 0) {
						t.Fatalf("connection %d in %s: resumed is %v", i, tls.VersionName(version), resumed)
					}
				}
				sClient(t, keys, server, version, total)
			}
			expectTLS(t, shared(t), harness.Server, at(server), row(4*total, "GET", "/hello", "200"))
		})
	}
}

// sClient makes total requests by openssl s_client, each on a connection that
// takes up the session of the first.
func sClient(t testing.TB, keys harness.KeyPair, server *servers.Process, version uint16, total int) {
	t.Helper()
	session := filepath.Join(servers.Dir(t), "session.pem")
	for i := range total {
		args := []string{"s_client", "-connect", server.Addr(), "-CAfile", keys.Cert, "-verify_return_error", "-ign_eof", "-nocommands",
			"-tls" + versionWord(version), "-sess_out", session}
		if i > 0 {
			args = append(args, "-sess_in", session)
		}
		said := openssl(t, request("/hello", "Connection: close"), args...)
		if resumed := bytes.Contains(said, []byte("Reused, TLS")); resumed != (i > 0) {
			t.Fatalf("connection %d of s_client: resumed is %v; it said:\n%s", i, resumed, said)
		}
	}
}

// openssl runs openssl, which must succeed, with an input.
func openssl(t testing.TB, input string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(servers.Tool(t, "openssl"), args...)
	cmd.Stdin = strings.NewReader(input)
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("openssl %v failed: %v\n%s", args, err, said)
	}
	return said
}

// TestTLSReconnects: s_client shakes hands six times and asks once. Connections
// without a request are no requests.
func TestTLSReconnects(t *testing.T) {
	keys := newKeys(t)
	server := servers.StartNginx(t, servers.NginxOptions{TLS: &keys.KeyFiles})
	warm(t, shared(t), keys, server.Process)
	said := openssl(t, request("/hello", "Connection: close"),
		"s_client", "-connect", server.Addr(), "-CAfile", keys.Cert, "-tls1_2", "-reconnect", "-ign_eof")
	if reused := bytes.Count(said, []byte("Reused, TLSv1.2")); reused != 5 {
		t.Fatalf("s_client reused its session %d times, want 5:\n%s", reused, said)
	}
	expectTLS(t, shared(t), harness.Server, at(server.Process), row(1, "GET", "/hello", "200"))
}
