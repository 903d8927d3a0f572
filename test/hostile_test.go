package e2e

import (
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// TestOtherProtocols: connections that do not speak HTTP/1 are left alone, even
// if something in them looks like HTTP/1 later.
func TestOtherProtocols(t *testing.T) {
	cases := map[string]string{
		"TLS hello":      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x5a", 500),
		"HTTP/2 preface": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
		"SSH":            "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n",
		"Redis":          "*2\r\n$3\r\nGET\r\n$5\r\nhello\r\n",
		"PostgreSQL":     "\x00\x00\x00\x08\x04\xd2\x16\x2f",
		"SMTP":           "EHLO test\r\nMAIL FROM:<a@test>\r\n",
		"zeros":          strings.Repeat("\x00", 1000),
		"high bytes":     strings.Repeat("\xff", 1000),
		"empty lines":    strings.Repeat("\r\n", 500),
		"no version":     "GET /x\r\n\r\n",
		"HTTP/9":         "GET /x HTTP/9.9\r\nHost: test\r\n\r\n",
		"endless method": strings.Repeat("A", 4000) + " / HTTP/1.1\r\n\r\n",
		"RTSP":           "DESCRIBE rtsp://test/x RTSP/1.0\r\nCSeq: 1\r\n\r\n",
		"SIP":            "OPTIONS sip:a@test SIP/2.0\r\nVia: SIP/2.0/TCP test\r\n\r\n",
	}
	s := newStage(t)
	for name, bytes := range cases {
		t.Run(name, func(t *testing.T) {
			s.perform(t, exchange{
				once: true,
				steps: []step{
					client(bytes), server("\x15\x03\x03\x00\x02\x02\x28" + bytes), client(request("/inside")), server(answer("hello")), clientCloses,
				},
			})
		})
	}
}

// TestServerSpeaksFirst: greetings, as of SSH, SMTP or MySQL.
func TestServerSpeaksFirst(t *testing.T) {
	newStage(t).perform(t, exchange{
		once:  true,
		steps: []step{server("220 mail.test ESMTP\r\n"), client("EHLO test\r\n"), server("250 ok\r\n"), clientCloses},
	})
}

// TestNonsenseInAnswers: the request was one, whatever came back; it is counted
// once, and no label comes from the nonsense.
func TestNonsenseInAnswers(t *testing.T) {
	cases := map[string]string{
		"no HTTP at all":      "hello, this is not HTTP\r\n\r\n",
		"status of letters":   "HTTP/1.1 abc OK\r\n\r\n",
		"status of 4 digits":  "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
		"status of 99999":     "HTTP/1.1 99999 OK\r\nContent-Length: 0\r\n\r\n",
		"endless status line": "HTTP/1.1 200 " + strings.Repeat("x", 9000),
		"length of letters":   "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nhello",
		"negative length":     "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
		"huge length":         "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\nhello",
		"huge chunk":          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\nhello",
		"nonsense chunk":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\nhello",
	}
	s := newStage(t)
	for name, bytes := range cases {
		t.Run(name, func(t *testing.T) {
			s.perform(t, exchange{
				once:  true,
				steps: []step{client(request("/x")), server(bytes), serverCloses},
				want:  []harness.Row{{Count: 1, Labels: harness.Labels{"http_request_method": "GET", "http_route": "/x"}}},
			})
		})
	}
	base := harness.Labels{"service_name": "peer"}
	for _, role := range []string{harness.Server, harness.Client} {
		for _, code := range shared(t).Scrape(t).Values(role, "http_response_status_code", base) {
			if code != "" && len(code) != 3 {
				t.Errorf("%s: %q became a status code", role, code)
			}
		}
	}
}

// TestPathsOfStrangers: whatever a path holds, a label is short and valid UTF-8.
func TestPathsOfStrangers(t *testing.T) {
	paths := []string{
		"/\xff\xfe\x80", "/%00%ff", "/" + strings.Repeat("a", 8000), "/" + strings.Repeat("a/", 2000), "/a\"b\\c", "/../../etc/passwd",
		"//x//y", "/ünïcödé", "/x;jsessionid=0123456789", "/\x01\x02\x7f", "?", "*", "x", "/x#fragment", "/" + strings.Repeat("ü", 300),
	}
	s := newStage(t)
	listener := s.server.Listen(t)
	for _, path := range paths {
		c := conversation{client: s.client.Dial(t, listener.Addr), server: listener.Accept(t)}
		play(t, c, []step{client(request(path)), server(answer("hello")), clientCloses})
	}
	base := harness.Labels{"server_port": portOf(t, listener.Addr)}
	for _, role := range []string{harness.Server, harness.Client} {
		snap := shared(t).Eventually(t, "the requests", func(s harness.Snapshot) bool {
			return s.Count(role, base) >= uint64(len(paths))-4 // "?", "x", bytes below blank: no targets by RFC 9112
		})
		for _, route := range snap.Values(role, "http_route", base) {
			if len(route) > 512 || !utf8.ValidString(route) || strings.ContainsAny(route, "\x00\x01\x7f") {
				t.Errorf("%s: the route %q has %d bytes", role, route, len(route))
			}
		}
	}
}

// TestNoise: random bytes, and requests with random bytes in them, in random
// segments. The exporter lives on and still counts exactly.
func TestNoise(t *testing.T) {
	web := named(t, "noisy")
	e := exporter(t, harness.Options{})
	random := rand.New(rand.NewPCG(1, 2))
	inParallel(t, 1, 1500, func() error { return noise(web.Addr(), random) })
	if status, _ := e.Get(t, "/-/healthy"); status != http.StatusOK {
		t.Errorf("/-/healthy answers %d after the noise", status)
	}
	snap := e.Scrape(t)
	if n := len(snap.Series(harness.Server, harness.Labels{"service_name": "noisy"})); n > 1004 {
		t.Errorf("noise made %d series", n)
	}
	quiet := servers.Go(t, programs(t).GoServer)
	conn := servers.Dial(t, quiet.Addr())
	for range 100 {
		talk(t, conn, request("/hello"))
	}
	e.Expect(t, harness.Server, harness.Labels{"server_port": quiet.PortLabel()}, row(100, "GET", "/hello", "200"))
}

// noise sends a request that was damaged in a few places, or was never one.
func noise(addr string, random *rand.Rand) error {
	conn, err := dial(addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	data := []byte(sized("POST /x?y=z HTTP/1.1", chunks("hello", "world"), "Host: test", "Transfer-Encoding: chunked"))
	if random.IntN(3) == 0 {
		data = make([]byte, random.IntN(3000))
		for i := range data {
			data[i] = byte(random.Uint32())
		}
	}
	for range random.IntN(6) {
		if len(data) > 0 {
			data[random.IntN(len(data))] = byte(random.Uint32())
		}
	}
	for len(data) > 0 {
		n := 1 + random.IntN(len(data))
		if _, err := conn.Write(data[:n]); err != nil {
			return nil // the server has had enough, and may
		}
		data = data[n:]
	}
	if err := conn.SetReadDeadline(time.Now().Add(2 * time.Millisecond)); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, conn) // whatever it answers, or nothing
	return nil
}
