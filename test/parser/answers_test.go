package parser

import (
	"fmt"
	"strings"
	"testing"
)

// innerAnswer looks like an answer; inside a body it must not be taken for one.
const innerAnswer = "HTTP/1.1 500 Inner\r\nContent-Length: 0\r\n\r\n"

func TestAnswerFraming(t *testing.T) {
	// A second request shows that the end of the first answer was found.
	then := func(answer string) []turn {
		return []turn{client(get("/x")), server(answer), client(get("/y")), server(ok("2"))}
	}
	chunked := func(body string, lines ...string) string {
		return head(append([]string{"HTTP/1.1 200 OK", "Transfer-Encoding: chunked"}, lines...)...) + body
	}
	long := make([]string, 0, 40)
	for i := range 40 {
		long = append(long, fmt.Sprintf("Set-Cookie: %d=%s", i, strings.Repeat("c", 400)))
	}
	large := strings.Repeat(innerAnswer, 2000)
	cases := []exchange{
		{name: "length", turns: then(ok("hello"))},
		{name: "length zero", turns: then(ok(""))},
		{name: "body that looks like an answer", turns: then(ok(innerAnswer + innerAnswer))},
		{name: "large body", turns: then(ok(large))},
		{name: "head of 16 KiB", turns: then(sized("HTTP/1.1 200 OK", innerAnswer, long...))},
		{name: "length twice", turns: then(sized("HTTP/1.1 200 OK", innerAnswer, fmt.Sprintf("Content-Length: %d", len(innerAnswer))))},
		{name: "chunked", turns: then(chunked(chunks("hello", innerAnswer, "0\r\n\r\n")))},
		{name: "chunked and empty", turns: then(chunked(chunks()))},
		{name: "many chunks of a byte", turns: then(chunked(chunks(strings.Split(strings.Repeat("x", 2000), "")...)))},
		{name: "chunk extensions and trailers", turns: then(chunked("5;a=\"b\"\r\nhello\r\n0;last\r\nExpires: never\r\nHTTP/1.1 500 x: y\r\n\r\n"))},
		{name: "chunk extension of 300 bytes", turns: then(chunked("5;a=" + strings.Repeat("b", 300) + "\r\nhello\r\n0\r\n\r\n"))},
		{name: "large chunks", turns: then(chunked(chunks(large, "x", large)))},
		{name: "chunked wins over a length", turns: then(chunked(chunks(innerAnswer), "Content-Length: 3"))},
		{name: "line ends without CR", turns: then("HTTP/1.1 200 OK\nContent-Length: 5\n\nhello")},
		{name: "empty line before it", turns: then("\r\n" + ok("hello"))},
		{name: "no reason phrase", turns: then("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n")},
		{name: "empty reason phrase", turns: then("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n")},
		{name: "reason phrase of 300 bytes", turns: then(sized("HTTP/1.1 200 "+strings.Repeat("r", 300), "hello"))},
		{name: "HTTP/1.0 that keeps alive", turns: then(sized("HTTP/1.0 200 OK", "hello", "Connection: keep-alive"))},
		{name: "100 before it", turns: then("HTTP/1.1 100 Continue\r\n\r\n" + ok("hello"))},
		{name: "103 with fields before it", turns: then(head("HTTP/1.1 103 Early Hints", "Link: </a>", "Content-Length: 7") + ok("hello"))},
		{name: "many 1xx before it", turns: then(strings.Repeat(head("HTTP/1.1 102 Processing"), 50) + ok("hello"))},
	}
	for i := range cases {
		cases[i].want = []string{"GET /x 200", "GET /y 200"}
	}
	runAll(t, cases)
}

func TestAnswerWithoutBody(t *testing.T) {
	then := func(method, answer string) []turn {
		return []turn{client(head(method+" /x HTTP/1.1", "Host: test")), server(answer), client(get("/y")), server(ok("2"))}
	}
	runAll(t, []exchange{
		{name: "HEAD with a length", turns: then("HEAD", head("HTTP/1.1 200 OK", "Content-Length: 1000000")), want: []string{"HEAD /x 200", "GET /y 200"}},
		{name: "HEAD, chunked", turns: then("HEAD", head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")), want: []string{"HEAD /x 200", "GET /y 200"}},
		{name: "HEAD, neither", turns: then("HEAD", head("HTTP/1.1 200 OK")), want: []string{"HEAD /x 200", "GET /y 200"}},
		{name: "HEAD after 103", turns: then("HEAD", head("HTTP/1.1 103 Early Hints")+head("HTTP/1.1 200 OK", "Content-Length: 5")), want: []string{"HEAD /x 200", "GET /y 200"}},
		{name: "204", turns: then("GET", head("HTTP/1.1 204 No Content", "Content-Length: 5")), want: []string{"GET /x 204", "GET /y 200"}},
		{name: "304 with the length of what it stands for", turns: then("GET", head("HTTP/1.1 304 Not Modified", "Content-Length: 12345")), want: []string{"GET /x 304", "GET /y 200"}},
		{name: "CONNECT refused", turns: []turn{
			client(head("CONNECT example.org:443 HTTP/1.1")), server(sized("HTTP/1.1 407 Proxy Authentication Required", innerAnswer)),
			client(get("/y")), server(ok("2")),
		}, want: []string{"CONNECT example.org:443 407", "GET /y 200"}},
	})
}

func TestUpgrade(t *testing.T) {
	const frames = "\x81\x05hello GET /inner HTTP/1.1\r\n\r\n"
	ask := head("GET /chat HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket")
	agreed := head("HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: websocket")
	runAll(t, []exchange{
		{name: "WebSocket", turns: []turn{client(ask), server(agreed), client(frames), server(frames)}, want: []string{"GET /chat 101"}, protocol: Upgraded},
		{name: "WebSocket, first frame with the 101", turns: []turn{client(ask), server(agreed, frames), client(frames)}, want: []string{"GET /chat 101"}, protocol: Upgraded},
		{name: "WebSocket, not the first request", turns: []turn{
			client(get("/x")), server(ok("")), client(ask), server(agreed), client(frames), server(frames),
		}, want: []string{"GET /x 200", "GET /chat 101"}, protocol: Upgraded},
		{name: "refused", turns: []turn{
			client(ask), server(sized("HTTP/1.1 426 Upgrade Required", "no")), client(get("/x")), server(ok("")),
		}, want: []string{"GET /chat 426", "GET /x 200"}},
		{name: "CONNECT", turns: []turn{
			client(head("CONNECT example.org:443 HTTP/1.1")), server(head("HTTP/1.1 200 Connection established")), client(frames), server(frames),
		}, want: []string{"CONNECT example.org:443 200"}, protocol: Upgraded},
		{name: "CONNECT, answered with a length", turns: []turn{
			client(head("CONNECT example.org:443 HTTP/1.1")), server(sized("HTTP/1.1 200 OK", "hello")), client(frames), server(frames),
		}, want: []string{"CONNECT example.org:443 200"}, protocol: Upgraded},
	})
}
