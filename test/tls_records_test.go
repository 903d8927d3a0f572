package e2e

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// TestTLSRecords: how requests are cut into records. crypto/tls makes a record of
// every write that is not too long for one.
func TestTLSRecords(t *testing.T) {
	post := sized("POST /hello HTTP/1.1", looksLikeRequest, "Host: test")
	long := request("/hello", longHeaders(16<<10)...)
	upload := head("POST /hello HTTP/1.1", "Host: test", "Transfer-Encoding: chunked") + chunks("hello", looksLikeRequest)
	many := strings.Repeat(request("/hello", longHeaders(100)...), 200)
	cases := []struct {
		name, data string
		// size is how many bytes a record holds at most, answers how many the
		// data asks for.
		size, answers int
		want          harness.Row
	}{
		{"GET in single bytes", request("/hello"), 1, 1, row(1, "GET", "/hello", "200")},
		{"POST in single bytes", post, 1, 1, row(1, "POST", "/hello", "200")},
		{"chunked POST in single bytes", upload, 1, 1, row(1, "POST", "/hello", "200")},
		{"cut in the empty line", request("/hello"), len(request("/hello")) - 1, 1, row(1, "GET", "/hello", "200")},
		{"body apart from the head", post, len(post) - len(looksLikeRequest), 1, row(1, "POST", "/hello", "200")},
		{"head of more than one record", long, 1 << 20, 1, row(1, "GET", "/hello", "200")},
		{"head in small records", long, 500, 1, row(1, "GET", "/hello", "200")},
		{"20 requests in one record", strings.Repeat(request("/hello"), 20), 1 << 20, 20, row(20, "GET", "/hello", "200")},
		{"200 requests in a few records", many, 1 << 20, 200, row(200, "GET", "/hello", "200")},
		{"200 requests cut anywhere", many, 333, 200, row(200, "GET", "/hello", "200")},
	}
	keys := newKeys(t)
	for name, server := range map[string]*servers.Process{
		"nginx":   startNginx(t, keys),
		"Go":      startGo(t, keys),
		"C":       startSSL("plain", 16384, 16384)(t, keys),
		"haproxy": startHAProxy(t, keys),
	} {
		t.Run(name, func(t *testing.T) {
			warm(t, shared(t), keys, server)
			sums := map[string]uint64{}
			for _, c := range cases {
				conn := dialTLS(t, keys, server, visiting{})
				if err := writeInPieces(conn, c.data, c.size, c.answers); err != nil {
					t.Fatalf("%s: %v", c.name, err)
				}
				conn.Close()
				sums[c.want.Labels["http_request_method"]] += c.want.Count
				expectTLS(t, shared(t), harness.Server, at(server), row(sums["GET"], "GET", "/hello", "200"), row(sums["POST"], "POST", "/hello", "200"))
				if t.Failed() {
					t.Fatalf("the case was %s", c.name)
				}
			}
		})
	}
}

// writeInPieces sends data in writes of size bytes while it reads the answers.
func writeInPieces(conn net.Conn, data string, size, answers int) error {
	written := make(chan error, 1)
	go func() {
		for rest := data; rest != ""; {
			n := min(size, len(rest))
			if _, err := io.WriteString(conn, rest[:n]); err != nil {
				written <- err
				return
			}
			rest = rest[n:]
		}
		written <- nil
	}()
	in := bufio.NewReader(conn)
	for range answers {
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return err
		}
	}
	return <-written
}

// TestTLSFraming: the ways in which answers end, inside TLS.
func TestTLSFraming(t *testing.T) {
	keys := newKeys(t)
	web := servers.GoTLS(t, programs(t).GoServer, keys.KeyFiles, "")
	warm(t, shared(t), keys, web.Process)
	upload := servers.Dir(t) + "/upload"
	servers.WriteFile(t, upload, strings.Repeat(looksLikeRequest, 3000))
	ask := func(args ...string) {
		t.Helper()
		curl(t, append([]string{"--http1.1", "--cacert", keys.Cert}, args...)...)
	}
	ask("--no-alpn", "--http1.0", web.URL("/old"))
	ask("--head", web.URL("/bytes/5000"))
	ask("--upload-file", upload, "--header", "Expect: 100-continue", web.URL("/mirror"))
	ask("--header", "Transfer-Encoding: chunked", "--data-binary", "@"+upload, web.URL("/mirror"))
	ask(web.URL("/early-hints"))
	ask(web.URL("/close-delimited"))
	ask(web.URL("/chunked/50"))
	ask(web.URL("/status/404"), web.URL("/status/204"), web.URL("/status/503"))
	expectTLS(t, shared(t), harness.Server, at(web.Process),
		row(1, "GET", "/old", "200"),
		row(1, "HEAD", "/bytes/*", "200"),
		row(1, "PUT", "/mirror", "200"),
		row(1, "POST", "/mirror", "200"),
		row(1, "GET", "/early-hints", "200"),
		row(1, "GET", "/close-delimited", "200"),
		row(1, "GET", "/chunked/*", "200"),
		row(1, "GET", "/status/*", "404"), row(1, "GET", "/status/*", "204"), row(1, "GET", "/status/*", "503"),
	)
}

// TestTLSUpgrade: after an upgrade the connection speaks something else, even
// where it looks like HTTP.
func TestTLSUpgrade(t *testing.T) {
	keys := newKeys(t)
	// A name of its own: the heuristic knows a hundred words of a service, and the
	// tests before may have used up those of all Go servers.
	web := servers.GoTLS(t, programs(t).GoServer, keys.KeyFiles, "", "OTEL_SERVICE_NAME=upgrading")
	warm(t, shared(t), keys, web.Process)
	conn := dialTLS(t, keys, web.Process, visiting{})
	talk(t, conn, request("/upgrade", "Connection: Upgrade", "Upgrade: echo"))
	if _, err := io.WriteString(conn, request("/inside")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, len(request("/inside")))); err != nil {
		t.Fatalf("the echo does not come back: %v", err)
	}
	expectTLS(t, shared(t), harness.Server, at(web.Process), row(1, "GET", "/upgrade", "101"))
}

// TestTLSKeyUpdate: TLS 1.3 lets a client change its keys between two records; a
// read then returns after a message that carries no data.
func TestTLSKeyUpdate(t *testing.T) {
	keys := newKeys(t)
	server := servers.StartNginx(t, servers.NginxOptions{TLS: &keys.KeyFiles})
	warm(t, shared(t), keys, server.Process)
	cmd := exec.Command(servers.Tool(t, "openssl"), "s_client", "-connect", server.Addr(), "-CAfile", keys.Cert, "-tls1_3")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// s_client takes a line that begins a read of its input for a command: K
	// updates the keys of both directions.
	for _, line := range []string{request("/hello"), "K\n", request("/hello"), "K\n", request("/hello"), "Q\n"} {
		if _, err := io.WriteString(in, line); err != nil {
			t.Fatalf("s_client has gone: %v", err)
		}
		time.Sleep(200 * time.Millisecond)
	}
	err = cmd.Wait()
	if text := said.String(); err != nil || strings.Count(text, "HTTP/1.1 200 OK") != 3 || strings.Count(text, "KEYUPDATE") != 2 {
		t.Fatalf("s_client (%v) has not had 3 answers around 2 updates of keys; it said:\n%s", err, text)
	}
	expectTLS(t, shared(t), harness.Server, at(server.Process), row(3, "GET", "/hello", "200"))
}
