package e2e

import (
	"strconv"
	"strings"
	"testing"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

func decimal(n int) string { return strconv.Itoa(n) }

// longHeaders is at least size bytes of header lines, none of which matters.
func longHeaders(size int) []string {
	var lines []string
	for have := 0; have < size; have += 128 {
		lines = append(lines, "X-Filler-"+strconv.Itoa(100000+have)+": "+strings.Repeat("f", 110))
	}
	return lines
}

// TestRequestFraming: how requests come, and where their bodies end.
func TestRequestFraming(t *testing.T) {
	post := func(body string, headers ...string) string {
		return sized("POST /x HTTP/1.1", body, append([]string{"Host: test"}, headers...)...)
	}
	upload := head("POST /x HTTP/1.1", "Host: test", "Transfer-Encoding: chunked")
	large := strings.Repeat(looksLikeRequest, servers.LargeFile/len(looksLikeRequest))
	ok := server(answer("ok"))
	cases := []exchange{
		{name: "GET in single bytes", steps: []step{clientIn(1, request("/x", "Accept: */*")), ok}, want: one("GET", "/x", "200")},
		{name: "GET in two segments, cut in the empty line", steps: []step{clientIn(len(request("/x"))-1, request("/x")), ok}, want: one("GET", "/x", "200")},
		{name: "headers of 16 KiB", steps: []step{client(request("/x", longHeaders(16<<10)...)), ok}, want: one("GET", "/x", "200")},
		{name: "headers of 16 KiB in small segments", steps: []step{clientIn(500, request("/x", longHeaders(16<<10)...)), ok}, want: one("GET", "/x", "200")},
		{name: "length after headers of 16 KiB", steps: []step{client(post(looksLikeRequest, longHeaders(16<<10)...)), ok}, want: one("POST", "/x", "200")},
		{name: "body that looks like a request", steps: []step{client(post(looksLikeRequest)), ok}, want: one("POST", "/x", "200")},
		{name: "body apart from the head", steps: []step{clientIn(len(post(""))+1, post(looksLikeRequest)), ok}, want: one("POST", "/x", "200")},
		{name: "body in a segment that begins like a request", steps: []step{
			client(head("POST /x HTTP/1.1", "Host: test", "Content-Length: "+decimal(len(looksLikeRequest)))), client(looksLikeRequest), ok,
		}, want: one("POST", "/x", "200")},
		{name: "body in single bytes", steps: []step{clientIn(1, post(looksLikeRequest)), ok}, want: one("POST", "/x", "200")},
		{name: "body of 1 MiB", steps: []step{clientLarge("write", post(large)), ok}, want: one("POST", "/x", "200")},
		{name: "chunked body", steps: []step{client(upload + chunks("hello", looksLikeRequest)), ok}, want: one("POST", "/x", "200")},
		{name: "chunked body in single bytes", steps: []step{clientIn(1, upload+chunks("hello", looksLikeRequest)), ok}, want: one("POST", "/x", "200")},
		{name: "chunk that begins like a request", steps: []step{
			client(upload), client(hex(len(looksLikeRequest)) + "\r\n"), client(looksLikeRequest), client("\r\n0\r\n\r\n"), ok,
		}, want: one("POST", "/x", "200")},
		{name: "GET with a body", steps: []step{client(sized("GET /x HTTP/1.1", looksLikeRequest, "Host: test")), ok}, want: one("GET", "/x", "200")},
		{name: "empty line before the request", steps: []step{client("\r\n" + request("/x")), ok}, want: one("GET", "/x", "200")},
		{name: "headers in lower and odd case", steps: []step{
			client("POST /x HTTP/1.1\r\nhost: test\r\ncOnTeNt-LeNgTh:" + decimal(len(looksLikeRequest)) + "\r\n\r\n" + looksLikeRequest), ok,
		}, want: one("POST", "/x", "200")},
		{name: "answered before the body has come", once: true, steps: []step{
			client(head("POST /x HTTP/1.1", "Host: test", "Content-Length: 1000")), client("part"),
			server(sized("HTTP/1.1 413 Content Too Large", "")), serverCloses,
		}, want: one("POST", "/x", "413")},
		{name: "answered after the client has finished", once: true, steps: []step{
			client(request("/x")), clientFinishes, server(answer("ok")), serverCloses,
		}, want: one("GET", "/x", "200")},
		{name: "the rest of the body after the answer", steps: []step{
			client(head("POST /x HTTP/1.1", "Host: test", "Content-Length: "+decimal(4+len(looksLikeRequest)))), client("part"),
			server(answer("ok")), client(looksLikeRequest),
		}, want: one("POST", "/x", "200")},
	}
	s := newStage(t)
	for _, x := range cases {
		t.Run(x.name, func(t *testing.T) { s.perform(t, x) })
	}
}

// TestRequestLine: methods, targets and versions as labels.
func TestRequestLine(t *testing.T) {
	line := func(name, first, method, route string) exchange {
		return exchange{
			name: name, steps: []step{client(head(first, "Host: test")), server(answer("ok"))}, want: one(method, route, "200"),
		}
	}
	cases := []exchange{
		line("PUT", "PUT /x HTTP/1.1", "PUT", "/x"),
		line("DELETE", "DELETE /x HTTP/1.1", "DELETE", "/x"),
		line("OPTIONS", "OPTIONS /x HTTP/1.1", "OPTIONS", "/x"),
		line("PATCH", "PATCH /x HTTP/1.1", "PATCH", "/x"),
		line("TRACE", "TRACE /x HTTP/1.1", "TRACE", "/x"),
		line("PROPFIND", "PROPFIND /x HTTP/1.1", "_OTHER", "/x"),
		line("a method with a dash", "M-SEARCH /x HTTP/1.1", "_OTHER", "/x"),
		line("a method in lower case", "get /x HTTP/1.1", "_OTHER", "/x"),
		line("a long method", "BASELINE-CONTROL-AND-MORE /x HTTP/1.1", "_OTHER", "/x"),
		line("a method of one letter", "X /x HTTP/1.1", "_OTHER", "/x"),
		line("query", "GET /x?id=1&GET=/y HTTP/1.1", "GET", "/x"),
		line("number", "GET /users/12345 HTTP/1.1", "GET", "/users/*"),
		line("root", "GET / HTTP/1.1", "GET", "/"),
		line("absolute form", "GET http://test/x?y HTTP/1.1", "GET", "/x"),
	}
	s := newStage(t)
	for _, x := range cases {
		t.Run(x.name, func(t *testing.T) { s.perform(t, x) })
	}
}

// TestOldHTTP: HTTP/1.0, where the end of an answer is the end of the connection
// unless both sides agree on keeping it.
func TestOldHTTP(t *testing.T) {
	old := func(rows []harness.Row) []harness.Row {
		for _, r := range rows {
			r.Labels["network_protocol_version"] = "1.0"
			r.Labels["url_scheme"] = "http"
		}
		return rows
	}
	cases := []exchange{
		{name: "closed", once: true, steps: []step{
			client("GET /x HTTP/1.0\r\n\r\n"), server(head("HTTP/1.0 200 OK", "Content-Type: text/plain")), server("body"), serverCloses,
		}, want: old(one("GET", "/x", "200"))},
		{name: "kept", steps: []step{
			client(head("GET /x HTTP/1.0", "Connection: keep-alive")), server(sized("HTTP/1.0 200 OK", "body", "Connection: keep-alive")),
		}, want: old(one("GET", "/x", "200"))},
	}
	s := newStage(t)
	for _, x := range cases {
		t.Run(x.name, func(t *testing.T) { s.perform(t, x) })
	}
}

// TestPipelining: requests that do not wait for the answer to the one before.
func TestPipelining(t *testing.T) {
	many := func(n int, s string) string { return strings.Repeat(s, n) }
	cases := []exchange{
		{
			name:  "10 in one segment, 10 answers in one segment",
			steps: []step{client(many(10, request("/x"))), server(many(10, answer("hello")))},
			want:  []harness.Row{row(10, "GET", "/x", "200")},
		}, {
			name:  "10 in one segment, the answers one by one",
			steps: []step{client(many(10, request("/x"))), serverIn(len(answer("hello")), many(10, answer("hello")))},
			want:  []harness.Row{row(10, "GET", "/x", "200")},
		}, {
			name:  "200 deep",
			steps: []step{clientLarge("write", many(200, request("/x"))), serverLarge("write", many(200, answer("hello")))},
			want:  []harness.Row{row(200, "GET", "/x", "200")},
		}, {
			name:  "segments that end anywhere",
			steps: []step{clientIn(7, many(10, request("/x"))), serverIn(13, many(10, answer("hello")))},
			want:  []harness.Row{row(10, "GET", "/x", "200")},
		}, {
			name: "with bodies and different answers",
			steps: []step{
				client(sized("POST /a HTTP/1.1", looksLikeRequest, "Host: test") + head("HEAD /b HTTP/1.1", "Host: test") + request("/c")),
				server(sized("HTTP/1.1 201 Created", looksLikeAnswer) + head("HTTP/1.1 200 OK", "Content-Length: 9") + chunkedAnswer("hello")),
			},
			want: append(one("POST", "/a", "201"), append(one("HEAD", "/b", "200"), one("GET", "/c", "200")...)...),
		}, {
			name: "the next request while an answer is under way",
			steps: []step{
				client(request("/a")), server(head("HTTP/1.1 200 OK", "Content-Length: 10") + "first"),
				client(request("/b")), server("later" + answer("hello")),
			},
			want: append(one("GET", "/a", "200"), one("GET", "/b", "200")...),
		},
	}
	s := newStage(t)
	for _, x := range cases {
		t.Run(x.name, func(t *testing.T) { s.perform(t, x) })
	}
}
