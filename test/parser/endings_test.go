package parser

import (
	"strings"
	"testing"
)

// TestEnd: answers that only the end of the connection ends, and requests that
// have no answer, or not all of it, when it comes.
func TestEnd(t *testing.T) {
	untilClose := head("HTTP/1.1 200 OK") + innerAnswer
	half := head("HTTP/1.1 200 OK", "Content-Length: 100") + "half"
	partial := "POST /x HTTP/1.1\r\nHost: test\r\nContent-Le"
	runAll(t, []exchange{
		{name: "body until FIN", turns: []turn{client(get("/x")), serverLast(untilClose)}, want: []string{"GET /x 200"}},
		{name: "body until a FIN of its own", turns: []turn{client(get("/x")), server(untilClose), serverLast()}, want: []string{"GET /x 200"}},
		{name: "body until the socket closes", turns: []turn{client(get("/x")), server(untilClose)}, want: []string{"GET /x 200"}},
		{name: "body until a reset", turns: []turn{client(get("/x")), server(untilClose), breaks(Reset)}, want: []string{"GET /x 200 reset"}},
		{name: "body until the next request", turns: []turn{client(get("/x")), server(untilClose), client(get("/y")), server(ok(""))}, want: []string{"GET /x 200", "GET /y 200"}},
		{name: "coding that is not chunked", turns: []turn{
			client(get("/x")), serverLast(head("HTTP/1.1 200 OK", "Transfer-Encoding: gzip"), innerAnswer),
		}, want: []string{"GET /x 200"}},
		{name: "HTTP/1.0", turns: []turn{client("GET /x HTTP/1.0\r\n\r\n"), serverLast("HTTP/1.0 200 OK\r\n\r\nhello")}, want: []string{"GET /x 200 HTTP/1.0"}},
		{name: "no answer, FIN", turns: []turn{client(get("/x")), serverLast()}, want: []string{"GET /x closed"}},
		{name: "no answer, closed", turns: []turn{client(get("/x"))}, want: []string{"GET /x closed"}},
		{name: "no answer, reset", turns: []turn{client(get("/x")), breaks(Reset)}, want: []string{"GET /x reset"}},
		{name: "no answer, timed out", turns: []turn{client(get("/x")), breaks(Timeout)}, want: []string{"GET /x timeout"}},
		{name: "closed in the answer's status line", turns: []turn{client(get("/x")), serverLast("HTTP/1.1 200")}, want: []string{"GET /x closed"}},
		{name: "closed in the answer's head", turns: []turn{client(get("/x")), serverLast("HTTP/1.1 200 OK\r\nContent-")}, want: []string{"GET /x 200 truncated"}},
		{name: "closed in the answer's body", turns: []turn{client(get("/x")), serverLast(half)}, want: []string{"GET /x 200 truncated"}},
		{name: "closed between chunks", turns: []turn{
			client(get("/x")), serverLast(head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"), "5\r\nhello\r\n"),
		}, want: []string{"GET /x 200 truncated"}},
		{name: "closed before the trailers end", turns: []turn{
			client(get("/x")), serverLast(head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"), "5\r\nhello\r\n0\r\n"),
		}, want: []string{"GET /x 200 truncated"}},
		{name: "reset in the answer's body", turns: []turn{client(get("/x")), server(half), breaks(Reset)}, want: []string{"GET /x 200 reset"}},
		{name: "closed after a 100", turns: []turn{client(get("/x")), serverLast("HTTP/1.1 100 Continue\r\n\r\n")}, want: []string{"GET /x closed"}},
		{name: "closed in the head of a 103", turns: []turn{client(get("/x")), serverLast("HTTP/1.1 103 Early Hints\r\nLink: ")}, want: []string{"GET /x closed"}},
		{name: "several waiting", turns: []turn{
			client(get("/a"), get("/b"), get("/c"), get("/d")), server(ok("")), server(half), breaks(Reset),
		}, want: []string{"GET /a 200", "GET /b 200 reset", "GET /c reset", "GET /d reset"}},
		{
			name: "server's client leaves in its head", only: []Role{Server},
			turns: []turn{client(partial), breaks(Closed)}, want: []string{"POST /x closed"}, undecided: true,
		},
		// The operation of a client is not known before its Host is, so it was not announced.
		{
			name: "client leaves in its head", only: []Role{Client},
			turns: []turn{client(partial), breaks(Closed)}, want: []string{"POST ? closed"}, undecided: true,
		},
		{name: "client leaves in its body", turns: []turn{client(head("POST /x HTTP/1.1", "Content-Length: 100"), "half")}, want: []string{"POST /x closed"}},
		{name: "half-closed client is answered", turns: []turn{
			{fromClient: true, bytes: get("/x"), fin: true}, server(ok("hello")), serverLast(),
		}, want: []string{"GET /x 200"}},
		{name: "FIN with the end of the answer", turns: []turn{client(get("/x")), serverLast(ok("hello"))}, want: []string{"GET /x 200"}},
	})
}

// TestEarlyAnswer: servers that answer before the request has ended.
func TestEarlyAnswer(t *testing.T) {
	tooLarge := sized("HTTP/1.1 431 Request Header Fields Too Large", "no", "Connection: close")
	tooLong := sized("HTTP/1.1 414 URI Too Long", "no", "Connection: close")
	start := "GET /x HTTP/1.1\r\nHost: test\r\n"
	runAll(t, []exchange{
		{name: "in its head, closed", turns: []turn{client(start, "Cookie: "), serverLast(tooLarge)}, want: []string{"GET /x 431"}, undecided: true},
		{name: "in its head, which goes on", turns: []turn{
			client(start, "Cookie: "), server(tooLarge), client("a\r\n\r\n"), client(get("/y")), server(ok("")),
		}, want: []string{"GET /x 431", "GET /y 200"}},
		{name: "in its body", turns: []turn{
			client(head("POST /x HTTP/1.1", "Content-Length: 10"), "hello"), server(sized("HTTP/1.1 413 Content Too Large", "no")),
			client("hello", get("/y")), server(ok("")),
		}, want: []string{"POST /x 413", "GET /y 200"}},
		{name: "in a long request line, closed", turns: []turn{
			client("GET /x?", strings.Repeat("q", 9000)), serverLast(tooLong),
		}, want: []string{"GET /x 414"}, undecided: true},
		{name: "in its head, which turns out to be broken", turns: []turn{
			client(get("/w")), server(ok("")),
			client(start, "Cookie: "), server(tooLarge), client("a\r\nContent-Length: none\r\n\r\n"), client(get("/y")), server(ok("")),
		}, want: []string{"GET /w 200", "GET /x 431", "GET /y 200"}, lost: map[Loss]uint64{Malformed: 1}},
		{name: "408 to nothing", turns: []turn{serverLast(sized("HTTP/1.1 408 Request Timeout", "late", "Connection: close"))}, unsolicited: 1, undecided: true},
		{name: "408 after an exchange", turns: []turn{
			client(get("/x")), server(ok("")), serverLast(sized("HTTP/1.1 408 Request Timeout", "late")),
		}, want: []string{"GET /x 200"}, unsolicited: 1},
	})
}
