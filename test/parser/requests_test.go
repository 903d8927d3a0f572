package parser

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// inner looks like a request; inside a body it must not be taken for one.
const inner = "GET /inner HTTP/1.1\r\nHost: inner\r\n\r\n"

func TestRequestLine(t *testing.T) {
	query := func(n int) string { return "/search?q=" + strings.Repeat("x", n) }
	path := func(n int) string { return "/" + strings.Repeat("p", n-1) }
	request := func(method, target string) []turn {
		return []turn{client(head(method+" "+target+" HTTP/1.1", "Host: test")), server(ok("hello"))}
	}
	var cases []exchange
	for _, method := range []string{"GET", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"} {
		cases = append(cases, exchange{name: method, turns: request(method, "/x"), want: []string{method + " /x 200"}})
	}
	for _, method := range []string{
		"PROPFIND", "M-SEARCH", "G", "GETS", "get", "!#$%&'*+-.^_`|~09azAZ", "PRI", "PROXY",
		strings.Repeat("M", 63), strings.Repeat("M", 64),
	} {
		cases = append(cases, exchange{
			name: fmt.Sprintf("method %s of %d", method, len(method)), turns: request(method, "/x"), want: []string{"_OTHER /x 200"},
		})
	}
	for name, target := range map[string]string{
		"root":             "/",
		"with id":          "/users/42/orders/3f2504e0-4f89-11d3-9a0c-0305e82c3301",
		"percent":          "/caf%C3%A9/%2e%2e",
		"bytes above 127":  "/caf\xc3\xa9/\xff\xfe",
		"double slash":     "//a//b/",
		"absolute form":    "http://example.org:8080/a/b",
		"asterisk":         "*",
		"path of 127":      path(127),
		"path of 128":      path(128),
		"dots and tildes":  "/~user/./..;v=1,2",
		"version in query": "/a",
	} {
		cases = append(cases, exchange{name: name, turns: request("GET", target), want: []string{"GET " + target + " 200"}})
	}
	// The end of the request line falls before, on and behind each border of the parser's view.
	lengths := []int{100, 225, 226, 227, 228, 229, 230, 231, 232, 233, 234, 235, 236, 237, 238, 239, 240, 241, 242, 243, 244, 245,
		246, 247, 248, 470, 480, 490, 500, 730, 4 << 10, 9000}
	for _, n := range lengths {
		cases = append(cases, exchange{name: fmt.Sprintf("query of %d", n), turns: request("GET", query(n)), want: []string{"GET /search 200"}})
	}
	for _, n := range []int{129, 223, 224, 225, 240, 256, 257, 300, 5000} {
		cases = append(cases, exchange{name: fmt.Sprintf("path of %d", n), turns: request("GET", path(n)), want: []string{"GET " + path(128) + " 200"}})
	}
	cases = append(cases,
		exchange{name: "query", turns: request("GET", "/a?b=/c#d"), want: []string{"GET /a 200"}},
		exchange{name: "query that looks like a version", turns: request("GET", "/a?HTTP/1.0"), want: []string{"GET /a 200"}},
		exchange{name: "fragment", turns: request("GET", "/a#b"), want: []string{"GET /a 200"}},
		exchange{name: "spaces in the target", turns: request("GET", "/a b c"), want: []string{"GET /a 200"}},
	)
	runAll(t, cases)
}

func TestRequestHead(t *testing.T) {
	long := func(size int) []string {
		var lines []string
		for i := 0; size > 0; i++ {
			line := fmt.Sprintf("X-Header-%d: %s", i, strings.Repeat("v", 50+i%400))
			lines, size = append(lines, line), size-len(line)-2
		}
		return lines
	}
	post := func(lines ...string) []turn {
		return []turn{
			client(head(append([]string{"POST /x HTTP/1.1"}, lines...)...), inner), server(ok("1")),
			client(get("/y")), server(ok("2")),
		}
	}
	length := fmt.Sprintf("Content-Length: %d", len(inner))
	want := []string{"POST /x 200", "GET /y 200"}
	runAll(t, []exchange{
		{name: "HTTP/1.0", turns: []turn{client("GET /x HTTP/1.0\r\n\r\n"), server(ok(""))}, want: []string{"GET /x 200 HTTP/1.0"}},
		{name: "no header", turns: []turn{client("GET /x HTTP/1.1\r\n\r\n"), server(ok(""))}, want: []string{"GET /x 200"}},
		{name: "16 KiB in many lines", turns: post(append(long(16<<10), length)...), want: want},
		{name: "16 KiB in one line", turns: post("Cookie: "+strings.Repeat("c", 16<<10), length), want: want},
		{name: "16 KiB behind the length", turns: post(append([]string{length}, long(16<<10)...)...), want: want},
		{name: "length in odd case", turns: post(strings.ToLower(length)), want: want},
		{name: "length with blanks", turns: post(strings.Replace(length, ": ", ":\t ", 1) + " \t"), want: want},
		{name: "length without a blank", turns: post(strings.Replace(length, ": ", ":", 1)), want: want},
		{name: "length twice", turns: post(length, length), want: want},
		{name: "length after one like it", turns: post("Content-Lengths: 3", "Content-Language: 4", "X-Content-Length: 5", length), want: want},
		{name: "length inside a value", turns: post("X: Content-Length: 3", length), want: want},
		{name: "folded line", turns: post("X: a\r\n Content-Length: 3", length), want: want},
		{name: "line ends without CR", turns: []turn{
			client("POST /x HTTP/1.1\nHost: test\n", length, "\n\n", inner), server("HTTP/1.1 200 OK\nContent-Length: 0\n\n"),
			client("GET /y HTTP/1.1\n\n"), server(ok("2")),
		}, want: want},
		{name: "empty lines before the request", turns: []turn{
			client("\r\n\r\n", get("/x")), server(ok("")), client("\n\r\n", get("/y")), server(ok("")),
		}, want: []string{"GET /x 200", "GET /y 200"}},
		{name: "PROXY line", turns: []turn{
			client("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n", get("/x")), server(ok("")), client(get("/y")), server(ok("")),
		}, want: []string{"GET /x 200", "GET /y 200"}},
		{name: "PROXY line of an unknown family", turns: []turn{
			client("PROXY UNKNOWN\r\n", get("/x")), server(ok("")),
		}, want: []string{"GET /x 200"}},
	})
}

func TestRequestBody(t *testing.T) {
	large := strings.Repeat(inner, 1000)
	post := func(body string, lines ...string) []turn {
		return []turn{
			client(head(append([]string{"POST /x HTTP/1.1"}, lines...)...), body), server(ok("1")),
			client(get("/y")), server(ok("2")),
		}
	}
	want := []string{"POST /x 200", "GET /y 200"}
	const chunked = "Transfer-Encoding: chunked"
	runAll(t, []exchange{
		{name: "length zero", turns: post("", "Content-Length: 0"), want: want},
		{name: "length with zeros in front", turns: post(inner, fmt.Sprintf("Content-Length: 000%d", len(inner))), want: want},
		{name: "large", turns: post(large, fmt.Sprintf("Content-Length: %d", len(large))), want: want},
		{name: "chunked", turns: post(chunks(inner, "0\r\n\r\n", inner), chunked), want: want},
		{name: "chunked and empty", turns: post("0\r\n\r\n", chunked), want: want},
		{name: "chunk extensions and trailers", turns: post("5;a=\"b\"\r\nhello\r\n0;last\r\nX-Sum: 1\r\nGET: /inner\r\n\r\n", chunked), want: want},
		{name: "chunk sizes in odd forms", turns: post("0000a\r\n0123456789\r\nA\r\n0123456789\r\n5 \r\nhello\r\n000\r\n\r\n", chunked), want: want},
		{name: "chunk extension of 300 bytes", turns: post("5;a="+strings.Repeat("b", 300)+"\r\nhello\r\n0\r\n\r\n", chunked), want: want},
		{name: "last chunk with an extension of 300 bytes", turns: post("5\r\nhello\r\n0;a="+strings.Repeat("b", 300)+"\r\n\r\n", chunked), want: want},
		{name: "trailer of 300 bytes", turns: post("0\r\nX: "+strings.Repeat("b", 300)+"\r\n\r\n", chunked), want: want},
		{name: "large chunks", turns: post(chunks(large, large), chunked), want: want},
		{name: "chunked after another coding", turns: post(chunks(inner), "Transfer-Encoding: gzip, chunked"), want: want},
		{name: "codings in two lines", turns: post(chunks(inner), "Transfer-Encoding: gzip", "TRANSFER-ENCODING:chunked "), want: want},
		{name: "chunked wins over a length before it", turns: post(chunks(inner), "Content-Length: 3", chunked), want: want},
		{name: "chunked wins over a length behind it", turns: post(chunks(inner), chunked, "Content-Length: 3"), want: want},
		{name: "GET with a body", turns: []turn{
			client(sized("GET /x HTTP/1.1", inner)), server(ok("")), client(get("/y")), server(ok("")),
		}, want: []string{"GET /x 200", "GET /y 200"}},
	})
}

func TestPipelining(t *testing.T) {
	many := func(n int, each func(i int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(each(i))
		}
		return b.String()
	}
	request := func(i int) string {
		return []string{get("/a"), sized("POST /b HTTP/1.1", inner), head("HEAD /c HTTP/1.1", "Host: test")}[i%3]
	}
	answer := func(i int) string {
		return []string{ok("hello"), head("HTTP/1.1 204 No Content"), head("HTTP/1.1 404 Not Found", "Content-Length: 9")}[i%3]
	}
	want := func(n int) []string {
		return slices.Repeat([]string{"GET /a 200", "POST /b 204", "HEAD /c 404"}, n/3)
	}
	var cases []exchange
	for _, n := range []int{3, 6, 30, 258} {
		cases = append(cases, exchange{
			name: fmt.Sprintf("%d deep", n), turns: []turn{client(many(n, request)), server(many(n, answer))}, want: want(n),
		})
	}
	all := func(string) func(int) string { return func(int) string { return get("/a") } }
	cases = append(cases,
		exchange{
			name:  "300 deep",
			turns: []turn{client(many(300, all("/a"))), server(many(300, func(int) string { return ok("") }))},
			want:  slices.Repeat([]string{"GET /a 200"}, QueueInline+QueueSpill), overflow: 300 - QueueInline - QueueSpill,
		},
		exchange{
			name:  "300 deep, answered in part, then closed",
			turns: []turn{client(many(300, all("/a"))), server(many(100, func(int) string { return ok("") }))},
			want: append(slices.Repeat([]string{"GET /a 200"}, 100),
				slices.Repeat([]string{"GET /a closed"}, QueueInline+QueueSpill-100)...),
			overflow: 300 - QueueInline - QueueSpill,
		},
		exchange{
			name: "deep, then not",
			turns: []turn{
				client(many(9, request)), server(many(9, answer)), client(get("/y")), server(ok("")),
				client(many(3, request)), server(many(3, answer)),
			},
			want: append(append(want(9), "GET /y 200"), want(3)...),
		},
	)
	runAll(t, cases)
}

func TestExpectContinue(t *testing.T) {
	expect := head("PUT /x HTTP/1.1", "Host: test", "Expect: 100-continue", fmt.Sprintf("Content-Length: %d", len(inner)))
	expectChunked := head("PUT /x HTTP/1.1", "expect:100-Continue", "Transfer-Encoding: chunked")
	const proceed = "HTTP/1.1 100 Continue\r\n\r\n"
	refused := sized("HTTP/1.1 417 Expectation Failed", "no")
	runAll(t, []exchange{
		{name: "continued", turns: []turn{
			client(expect), server(proceed), client(inner), server(ok("1")), client(get("/y")), server(ok("2")),
		}, want: []string{"PUT /x 200", "GET /y 200"}},
		{name: "continued, chunked", turns: []turn{
			client(expectChunked), server(proceed), client(chunks(inner, "b")), server(ok("1")), client(get("/y")), server(ok("2")),
		}, want: []string{"PUT /x 200", "GET /y 200"}},
		{name: "not waited for", turns: []turn{
			client(expect, inner), server(proceed, ok("1")), client(get("/y")), server(ok("2")),
		}, want: []string{"PUT /x 200", "GET /y 200"}},
		{name: "refused, body left out", turns: []turn{
			client(expect), server(refused), client(get("/y")), server(ok("2")),
		}, want: []string{"PUT /x 417", "GET /y 200"}},
		{name: "refused, chunked body left out", turns: []turn{
			client(expectChunked), server(refused), client(get("/y")), server(ok("2")),
		}, want: []string{"PUT /x 417", "GET /y 200"}},
		{name: "refused, body left out, then twice the same", turns: []turn{
			client(expect), server(refused), client(expect), server(refused), client(expect), server(proceed), client(inner), server(ok("")),
		}, want: []string{"PUT /x 417", "PUT /x 417", "PUT /x 200"}},
		{name: "refused, body sent all the same", turns: []turn{
			client(expect), server(refused), client(strings.Repeat("b", len(inner))), client(get("/y")), server(ok("2")),
		}, want: []string{"PUT /x 417", "GET /y 200"}},
	})
}
