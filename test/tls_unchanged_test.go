package e2e

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"sonde_exporter/test/harness"
)

// timely are the lines of an answer that depend on when it was asked for: Apache
// has a weaker ETag for a file as long as it is new.
var timely = regexp.MustCompile(`(?im)^(?:date|etag): .*\r\n`)

// TestTLSServersUnchanged: with Sonde inside, every server answers as it did
// before, byte for byte, in the same versions and ciphers.
func TestTLSServersUnchanged(t *testing.T) {
	keys := newKeys(t)
	type running struct {
		secureServer
		visit  func(t *testing.T) string
		before string
		warm   func(t *testing.T, e *harness.Exporter)
	}
	var list []running
	for _, s := range secureServers() {
		server := s.start(t, keys)
		requests := []string{
			request(s.small), request(s.large), request(s.small),
			sized("POST "+s.upload+" HTTP/1.1", strings.Repeat("b", s.body), "Host: test", "Connection: close"),
		}
		r := running{
			secureServer: s,
			visit: func(t *testing.T) string {
				var seen strings.Builder
				for _, version := range tlsVersions() {
					conn := dialTLS(t, keys, server, visiting{version: version})
					seen.WriteString(fingerprint(t, s.name, conn, requests))
				}
				return seen.String()
			},
			warm: func(t *testing.T, e *harness.Exporter) { warm(t, e, keys, server) },
		}
		r.before = r.visit(t)
		list = append(list, r)
	}
	e := exporter(t, harness.Options{})
	for _, r := range list {
		t.Run(r.name, func(t *testing.T) {
			r.warm(t, e)
			if after := r.visit(t); after != r.before {
				t.Errorf("the answers have changed: before\n%s\nwith Sonde\n%s", r.before, after)
			}
		})
	}
}

// fingerprint sends requests one after the other on a connection, the last of
// which closes it, and returns for each answer its head and a checksum of all
// of its bytes.
func fingerprint(t testing.TB, name string, conn io.ReadWriter, requests []string) string {
	t.Helper()
	var out strings.Builder
	var raw bytes.Buffer
	in := bufio.NewReader(io.TeeReader(conn, &raw))
	for _, data := range requests {
		if _, err := io.WriteString(conn, data); err != nil {
			t.Fatalf("cannot send a request to %s: %v", name, err)
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatalf("cannot read an answer of %s: %v", name, err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatalf("cannot read an answer of %s to its end: %v", name, err)
		}
		// Nothing is asked before the answer has ended: what has come is it.
		said := timely.ReplaceAll(raw.Bytes(), nil)
		top, _, _ := bytes.Cut(said, []byte("\r\n\r\n"))
		fmt.Fprintf(&out, "%s\n%x\n", top, sha256.Sum256(said))
		raw.Reset()
	}
	return out.String()
}
