package servers

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func makeKeys(t *testing.T) KeyFiles {
	t.Helper()
	dir := Dir(t)
	keys := KeyFiles{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	said, err := exec.Command(Tool(t, "openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
		"-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
		"-out", keys.Cert, "-keyout", keys.Key).CombinedOutput()
	if err != nil {
		t.Fatalf("cannot make a certificate: %v\n%s", err, said)
	}
	return keys
}

// secureClient trusts keys, speaks one version of TLS, and would take HTTP/2.
func secureClient(t *testing.T, keys KeyFiles, version uint16) *http.Client {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(readFile(t, keys.Cert)))
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: version, MaxVersion: version}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// Every HTTPS server of the end-to-end tests answers in both versions of TLS,
// long and short, over HTTP/1.1 and on a connection that it keeps.
func TestSecureServersAnswer(t *testing.T) {
	keys := makeKeys(t)
	web := Go(t, build(t, "goserver"))
	secureWeb := GoTLS(t, build(t, "goserver"), keys, "")
	nginx := StartNginx(t, NginxOptions{TLS: &keys, Upstream: secureWeb.Addr(), UpstreamCert: keys.Cert, AccessLog: true})
	ssl := func(api string, read, write int) *Process {
		return StartSSLServer(t, keys, SSLServer{api, read, write})
	}
	cases := []struct {
		name   string
		server *Process
		// paths of an answer of ok, of one of LargeFile bytes, of one that
		// needs a call, and of uploads.
		small, large, call, upload string
		// upload answers with what came, where it is an echo.
		echo bool
	}{
		{"nginx", nginx.Process, "/small.txt", "/large.bin", "/up/hello", "/up/mirror", true},
		{"apache2", ApacheTLS(t, keys), "/small.txt", "/large.bin", "", "/small.txt", false},
		{"haproxy", HAProxy(t, keys, web.Addr(), false), "/hello", "/bytes/1048576", "", "/mirror", true},
		{"haproxy, encrypting anew", HAProxy(t, keys, secureWeb.Addr(), true), "/hello", "/bytes/1048576", "/hello", "/mirror", true},
		{"lighttpd with GnuTLS", Lighttpd(t, GnuTLS, keys), "/small.txt", "/large.bin", "", "/small.txt", false},
		{"lighttpd with NSS", Lighttpd(t, NSS, keys), "/small.txt", "/large.bin", "", "/small.txt", false},
		{"Node", NodeTLS(t, keys, nginx.Addr()), "/", "/bytes/1048576", "/call", "/echo", true},
		{"Python threads", PythonTLS(t, keys, nginx.Addr()), "/", "/bytes/1048576", "/call", "/echo", true},
		{"Python streams", PythonStreams(t, keys), "/", "/bytes/1048576", "", "/echo", true},
		{"Python, late", PythonLateTLS(t, keys), "/", "", "", "", false},
		{"Go", GoTLS(t, build(t, "goserver"), keys, nginx.Addr()).Process, "/", "/bytes/1048576", "/call", "/mirror", true},
		{"C, plain", ssl("plain", 16384, 16384), "/", "/bytes/1048576", "", "/echo", true},
		{"C, one byte", ssl("ex", 1, 1), "/", "/bytes/10000", "", "/echo", true},
		{"C, peeking", ssl("peek", 100, 16384), "/", "/bytes/1048576", "", "/echo", true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
				client := secureClient(t, keys, version)
				ask := func(path, body string) string {
					t.Helper()
					if path == "" {
						return ""
					}
					method := http.MethodGet
					if body != "" {
						method = http.MethodPost
					}
					return askSecurely(t, client, method, c.server.URL(path), body, version)
				}
				if got := ask(c.small, ""); got != "ok\n" {
					t.Errorf("%s is answered with %q, want ok", c.small, got)
				}
				if got := ask(c.large, ""); c.large != "" && len(got) < 10_000 {
					t.Errorf("%s is answered with %d bytes", c.large, len(got))
				}
				if got := ask(c.call, ""); c.call != "" && got != "hello\n" && got != "ok\n" {
					t.Errorf("%s is answered with %q", c.call, got)
				}
				body := strings.Repeat("x", 50_000)
				if got := ask(c.upload, body); c.echo && got != body {
					t.Errorf("%s is answered with %d bytes, want those that were sent", c.upload, len(got))
				}
			}
		})
	}
	if got := secureWeb.Handled(t); got != 12 {
		t.Errorf("the server behind has handled %d requests, want 12", got)
	}
	if got := nginx.Logged(t)["200"]; got != 14 {
		t.Errorf("nginx has logged %d requests, want 14", got)
	}
}

func askSecurely(t *testing.T, client *http.Client, method, url, body string, version uint16) string {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || resp.Proto != "HTTP/1.1" || resp.TLS.Version != version {
		t.Errorf("%s %s: %s %s over %s", method, url, resp.Proto, resp.Status, tls.VersionName(resp.TLS.Version))
	}
	return string(got)
}

// A server that reuses one TLS object has one connection at a time.
func TestReusedObjectAnswers(t *testing.T) {
	keys := makeKeys(t)
	server := StartSSLServer(t, keys, SSLServer{API: "reuse", Read: 16384, Write: 16384})
	for range 3 {
		client := secureClient(t, keys, tls.VersionTLS13)
		if got := askSecurely(t, client, http.MethodGet, server.URL("/"), "", tls.VersionTLS13); got != "ok\n" {
			t.Errorf("the answer is %q, want ok", got)
		}
		client.CloseIdleConnections()
	}
}

// The library that a test is about is the one that the server has mapped, and
// the late service has it only after its first client.
func TestMappedLibraries(t *testing.T) {
	keys := makeKeys(t)
	late := PythonLateTLS(t, keys)
	if found := mapped(t, late, "libssl.so.3", "libssl.so.1.1"); found {
		t.Error("the late service has mapped OpenSSL before its first client came")
	}
	askSecurely(t, secureClient(t, keys, tls.VersionTLS13), http.MethodGet, late.URL("/"), "", tls.VersionTLS13)
	for name, c := range map[string]struct {
		server *Process
		files  []string
	}{
		"late service": {late, []string{"libssl.so.3", "libssl.so.1.1"}},
		"haproxy":      {HAProxy(t, keys, "127.0.0.1:1", false), []string{"libssl.so.3", "libssl.so.1.1"}},
		"GnuTLS":       {Lighttpd(t, GnuTLS, keys), []string{"libgnutls.so.30"}},
		"NSS":          {Lighttpd(t, NSS, keys), []string{"libssl3.so"}},
	} {
		if !mapped(t, c.server, c.files...) {
			t.Errorf("%s: %s has mapped none of %q", name, c.server.Name, c.files)
		}
	}
}

func mapped(t *testing.T, p *Process, files ...string) bool {
	t.Helper()
	maps := readFile(t, fmt.Sprintf("/proc/%d/maps", p.PID))
	for _, file := range files {
		if strings.Contains(maps, "/"+file) {
			return true
		}
	}
	return false
}
