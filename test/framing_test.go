package e2e

import (
	"strconv"
	"strings"
	"testing"

	"sonde_exporter/test/servers"
)

const (
	// looksLikeRequest inside a body must not be taken for a request.
	looksLikeRequest = "GET /inner HTTP/1.1\r\nHost: inner\r\n\r\n"
	// looksLikeAnswer inside a body must not be taken for an answer.
	looksLikeAnswer = "HTTP/1.1 500 Inner\r\nContent-Length: 0\r\n\r\n"
)

// chunks is a chunked body with one chunk for each part.
func chunks(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(hex(len(p)) + "\r\n" + p + "\r\n")
	}
	return b.String() + "0\r\n\r\n"
}

func hex(n int) string { return strconv.FormatInt(int64(n), 16) }

func chunkedAnswer(parts ...string) string {
	return head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + chunks(parts...)
}

// TestAnswerFraming: how an answer says where it ends.
func TestAnswerFraming(t *testing.T) {
	large := strings.Repeat(looksLikeAnswer, servers.LargeFile/len(looksLikeAnswer))
	get := func(answers ...step) []step { return append([]step{client(request("/x"))}, answers...) }
	cases := []exchange{
		{name: "length", steps: get(server(answer("hello")))},
		{name: "length zero", steps: get(server(answer("")))},
		{name: "length with a body that looks like an answer", steps: get(server(answer(looksLikeAnswer)))},
		{name: "length in single bytes", steps: get(serverIn(1, answer(looksLikeAnswer)))},
		{name: "head and body apart", steps: get(server(head("HTTP/1.1 200 OK", "Content-Length: 5")), server("hello"))},
		{name: "body in seven parts", steps: get(serverIn(100, answer(strings.Repeat("x", 650))))},
		{name: "chunked in one segment", steps: get(server(chunkedAnswer("hello", looksLikeAnswer)))},
		{name: "chunked in single bytes", steps: get(serverIn(1, chunkedAnswer("hello", "0\r\n\r\n", looksLikeAnswer)))},
		{name: "chunked in threes", steps: get(serverIn(3, chunkedAnswer(strings.Repeat("0\r\n\r\n", 30))))},
		{name: "chunk extension and trailer", steps: get(server(head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") +
			"5;name=\"a\\\"b\"\r\nhello\r\n0;last\r\nExpires: never\r\nX: y\r\n\r\n"))},
		{name: "chunk size in upper case with zeros", steps: get(server(head("HTTP/1.1 200 OK", "transfer-encoding: Chunked") +
			"0000A\r\n0123456789\r\n000\r\n\r\n"))},
		{name: "chunked after another coding", steps: get(server(head("HTTP/1.1 200 OK", "Transfer-Encoding: gzip, chunked") + chunks("zip")))},
		{name: "chunked wins over length", steps: get(server(head("HTTP/1.1 200 OK", "Content-Length: 3", "Transfer-Encoding: chunked") + chunks("hello")))},
		{name: "closed by the server", once: true, steps: get(server(head("HTTP/1.1 200 OK")+"until the end"), serverCloses)},
		{name: "closed by the server later", once: true, steps: get(server(head("HTTP/1.1 200 OK")), server(looksLikeAnswer), serverCloses)},
		{name: "large by write", steps: get(serverLarge("write", answer(large)))},
		{name: "large by sendfile", steps: get(server(head("HTTP/1.1 200 OK", "Content-Length: "+decimal(len(large)))), serverLarge("sendfile", large))},
		{name: "large by writev", steps: get(serverLarge("writev", answer(large)))},
		{name: "small by writev", steps: get(serverBy(servers.Endpoint.Writev, answer("hello")))},
		{name: "small by sendfile", steps: get(serverBy(servers.Endpoint.Sendfile, answer("hello")))},
		{name: "headers of 16 KiB before the length", steps: get(server(sized("HTTP/1.1 200 OK", "hello", longHeaders(16<<10)...)))},
		{name: "header name cut by a segment", steps: get(server("HTTP/1.1 200 OK\r\nContent-Le"), server("ngth: 5\r\n\r\nhello"))},
		{name: "header with blanks and odd case", steps: get(server("HTTP/1.1 200 OK\r\ncONTENT-lENGTH: \t 5 \t\r\n\r\nhello"))},
		{name: "no reason phrase", steps: get(server("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"))},
		{name: "empty reason phrase", steps: get(server("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n"))},
	}
	s := newStage(t)
	for _, x := range cases {
		x.want = one("GET", "/x", "200")
		t.Run(x.name, func(t *testing.T) { s.perform(t, x) })
	}
}

// TestAnswersWithoutBody: answers that have no body whatever their headers say.
func TestAnswersWithoutBody(t *testing.T) {
	cases := []exchange{
		{
			name:  "HEAD",
			steps: []step{client(head("HEAD /x HTTP/1.1", "Host: test")), server(head("HTTP/1.1 200 OK", "Content-Length: 1000000"))},
			want:  one("HEAD", "/x", "200"),
		}, {
			name:  "HEAD of a chunked document",
			steps: []step{client(head("HEAD /x HTTP/1.1", "Host: test")), server(head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"))},
			want:  one("HEAD", "/x", "200"),
		}, {
			name:  "204",
			steps: []step{client(request("/x")), server(head("HTTP/1.1 204 No Content"))},
			want:  one("GET", "/x", "204"),
		}, {
			name:  "304 with the length of the document",
			steps: []step{client(request("/x")), server(head("HTTP/1.1 304 Not Modified", "Content-Length: 1000000"))},
			want:  one("GET", "/x", "304"),
		}, {
			name: "HEAD, then GET",
			steps: []step{
				client(head("HEAD /x HTTP/1.1", "Host: test")), server(head("HTTP/1.1 200 OK", "Content-Length: 5")),
				client(request("/x")), server(answer("hello")),
			},
			want: append(one("HEAD", "/x", "200"), one("GET", "/x", "200")...),
		},
	}
	s := newStage(t)
	for _, x := range cases {
		t.Run(x.name, func(t *testing.T) { s.perform(t, x) })
	}
}

// TestInterimAnswers: an answer of the class 1xx is not the answer.
func TestInterimAnswers(t *testing.T) {
	expect := func(length string) string {
		return head("POST /up HTTP/1.1", "Host: test", "Content-Length: "+length, "Expect: 100-continue")
	}
	cases := []exchange{
		{
			name: "100 and the body",
			steps: []step{
				client(expect("5")), server(head("HTTP/1.1 100 Continue")), client("hello"), server(answer("ok")),
			},
			want: one("POST", "/up", "200"),
		}, {
			name:  "417 instead of 100",
			once:  true,
			steps: []step{client(expect("5")), server(sized("HTTP/1.1 417 Expectation Failed", "")), serverCloses},
			want:  one("POST", "/up", "417"),
		}, {
			name:  "the body without waiting",
			steps: []step{client(expect("5") + "hello"), server(head("HTTP/1.1 100 Continue") + answer("ok"))},
			want:  one("POST", "/up", "200"),
		}, {
			name: "103 before 200",
			steps: []step{
				client(request("/page")), server(head("HTTP/1.1 103 Early Hints", "Link: </a.css>; rel=preload")), server(answer("ok")),
			},
			want: one("GET", "/page", "200"),
		}, {
			name: "100, 102, 103 and 404 in one segment",
			steps: []step{
				client(request("/page")),
				server(head("HTTP/1.1 100 Continue") + head("HTTP/1.1 102 Processing") + head("HTTP/1.1 103 Early Hints") +
					sized("HTTP/1.1 404 Not Found", "")),
			},
			want: one("GET", "/page", "404"),
		},
	}
	s := newStage(t)
	for _, x := range cases {
		t.Run(x.name, func(t *testing.T) { s.perform(t, x) })
	}
}
