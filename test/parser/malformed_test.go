package parser

import (
	"strings"
	"testing"
)

// TestForeign: connections that speak something else are told by their first
// bytes, and cost nothing after that.
func TestForeign(t *testing.T) {
	hello := "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x7f\x00\x13", 170)
	noise := strings.Repeat("\x01\x80\x7f", 200)
	runAll(t, []exchange{
		{name: "TLS", turns: []turn{client(hello), server("\x16\x03\x03\x00\x7a" + noise), client(noise)}, protocol: TLS},
		{name: "TLS with a line end in its random bytes", turns: []turn{
			client(hello[:20], "\n", hello[21:]), server("\x16\x03\x03\x00\x7a" + noise),
		}, protocol: TLS},
		{name: "HTTP/2 preface", turns: []turn{
			client("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x12\x04\x00\x00\x00\x00\x00"), server("\x00\x00\x06\x04" + noise),
		}, protocol: HTTP2},
		{name: "binary", turns: []turn{client(noise), server(noise)}, protocol: Unknown},
		{name: "server speaks first", turns: []turn{server("220 mail.example.org ESMTP\r\n"), client("EHLO test\r\n"), server("250 ok\r\n")}, protocol: Unknown},
		{name: "Redis", turns: []turn{client("*1\r\n$4\r\nPING\r\n"), server("+PONG\r\n")}, protocol: Unknown},
		{name: "memcached", turns: []turn{client("get key\r\n"), server("END\r\n")}, protocol: Unknown},
		{name: "HTTP/0.9", turns: []turn{client("GET /x\r\n"), serverLast("hello\r\n")}, protocol: Unknown},
		{name: "RTSP", turns: []turn{client("OPTIONS rtsp://example.org/ RTSP/1.0\r\nCSeq: 1\r\n\r\n"), server("RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n")}, protocol: Unknown},
		{name: "HTTP/2.0 in a request line", turns: []turn{client("GET /x HTTP/2.0\r\n\r\n"), server("HTTP/1.1 505 No\r\n\r\n")}, protocol: Unknown},
		{name: "method that is no token", turns: []turn{client("GE(T /x HTTP/1.1\r\n\r\n"), server(ok(""))}, protocol: Unknown},
		{name: "no method", turns: []turn{client(" /x HTTP/1.1\r\n\r\n"), server(ok(""))}, protocol: Unknown},
		{name: "no target", turns: []turn{client("GET HTTP/1.1\r\n\r\n"), server(ok(""))}, protocol: Unknown},
		{name: "method of 65 bytes", turns: []turn{client(strings.Repeat("M", 65), " / HTTP/1.1\r\n\r\n"), server(ok(""))}, protocol: Unknown},
		{name: "version without a digit", turns: []turn{client("GET / HTTP/1.\r\n\r\n"), server(ok(""))}, protocol: Unknown},
		{name: "version in lower case", turns: []turn{client("GET / http/1.1\r\n\r\n"), server(ok(""))}, protocol: Unknown},
		{name: "long line of text", turns: []turn{client("GET /", strings.Repeat("x", 5000), "\r\n"), server(ok(""))}, protocol: Unknown},
	})
}

// TestMalformedRequest: what cannot be understood is counted as lost, and the
// next request that can be is measured again.
func TestMalformedRequest(t *testing.T) {
	after := func(parts ...string) []turn {
		return []turn{
			client(get("/w")), server(ok("1")),
			client(parts...), server(sized("HTTP/1.1 400 Bad Request", "bad")),
			client(get("/y")), server(ok("2")),
		}
	}
	// The request was announced or not; either way its answer is not matched to another.
	runWhole(t, []exchange{
		{name: "no version", turns: after("GET /x\r\n\r\n")},
		{name: "lengths that differ", turns: after(head("POST /x HTTP/1.1", "Content-Length: 5", "Content-Length: 6"), "hello!")},
		{name: "length that is no number", turns: after(head("POST /x HTTP/1.1", "Content-Length: five"), "hello")},
		{name: "length with a sign", turns: after(head("POST /x HTTP/1.1", "Content-Length: +5"), "hello")},
		{name: "length in a list", turns: after(head("POST /x HTTP/1.1", "Content-Length: 5, 5"), "hello")},
		{name: "empty length", turns: after(head("POST /x HTTP/1.1", "Content-Length: "), "hello")},
		{name: "length too large", turns: after(head("POST /x HTTP/1.1", "Content-Length: 9999999999999999999"), "hello")},
		{name: "coding that is not chunked", turns: after(head("POST /x HTTP/1.1", "Transfer-Encoding: gzip"), "hello")},
	})
}

// runWhole plays each exchange in one piece a turn only: what follows a broken
// message in its segment is given up, so the cut matters here.
func runWhole(t *testing.T, cases []exchange) {
	t.Helper()
	for _, x := range cases {
		x.want, x.lost, x.unsolicited = []string{"GET /w 200", "GET /y 200"}, map[Loss]uint64{Malformed: 1}, 1
		t.Run(x.name, func(t *testing.T) {
			for _, role := range []Role{Server, Client} {
				l := newLink(role)
				l.play(x.turns, whole)
				x.check(t, l)
			}
		})
	}
}

// TestMalformedBody: the request is known and its answer comes, but where its
// body ends is not.
func TestMalformedBody(t *testing.T) {
	for name, body := range map[string]string{
		"chunk size that is no number": "five\r\nhello\r\n0\r\n\r\n",
		"empty chunk size":             "\r\nhello\r\n0\r\n\r\n",
		"negative chunk size":          "-5\r\nhello\r\n0\r\n\r\n",
	} {
		x := exchange{
			want: []string{"POST /x 400", "GET /y 200"}, lost: map[Loss]uint64{Malformed: 1},
			turns: []turn{
				client(head("POST /x HTTP/1.1", "Transfer-Encoding: chunked"), body), server(sized("HTTP/1.1 400 Bad Request", "bad")),
				client(get("/y")), server(ok("")),
			},
		}
		t.Run(name, func(t *testing.T) {
			l := newLink(Server)
			l.play(x.turns, whole)
			x.check(t, l)
		})
	}
}

// TestMalformedAnswer: a broken answer is a loss; the answers after it belong to
// the requests after it.
func TestMalformedAnswer(t *testing.T) {
	for name, answer := range map[string]string{
		"no status line":             "hello\r\n",
		"status that is no number":   "HTTP/1.1 2OO OK\r\n\r\n",
		"status of two digits":       "HTTP/1.1 20\r\n\r\n",
		"version 2":                  "HTTP/2 200\r\n\r\n",
		"lengths that differ":        head("HTTP/1.1 200 OK", "Content-Length: 5", "Content-Length: 6") + "hello",
		"chunk size without a digit": head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + "x\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			l := newLink(Server)
			l.play([]turn{
				client(get("/w")), server(ok("")), client(get("/x")), server(answer), client(get("/y")), server(ok("")), client(get("/z")),
				server(sized("HTTP/1.1 404 Not Found", "")),
			}, whole)
			l.checkSanity(t)
			if l.host.Lost(Malformed) != 1 {
				t.Errorf("lost %v, want one malformed", l.losses())
			}
			if n := len(l.got); n != 4 || l.got[n-1].String() != "GET /z 404" {
				t.Errorf("measured %q, want four requests, the last being GET /z 404", l.summary())
			}
			if len(l.got) > 1 && l.got[1].failure != NotHTTP {
				t.Errorf("measured %q, want the second to be malformed", l.summary())
			}
		})
	}
}
