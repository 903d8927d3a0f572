package parser

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// conversation is a generated dialogue of well-formed messages, and how it ends.
type conversation struct {
	turns   []turn
	failure Failure // of what is unanswered at the end
}

// author writes conversations. The same seed gives the same conversation.
type author struct {
	*rand.Rand
}

func (a author) chance(percent int) bool { return a.IntN(100) < percent }

func pick[T any](a author, of ...T) T { return of[a.IntN(len(of))] }

func (a author) text(alphabet string, length int) string {
	b := make([]byte, length)
	for i := range b {
		b[i] = alphabet[a.IntN(len(alphabet))]
	}
	return string(b)
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~"

// length is mostly small, and sometimes as large as it may be.
func (a author) length(most int) int {
	if a.chance(80) {
		return a.IntN(min(most, 30) + 1)
	}
	return a.IntN(most + 1)
}

func (a author) body() string {
	switch a.IntN(6) {
	case 0:
		return ""
	case 1:
		return strings.Repeat(inner, 1+a.IntN(5))
	case 2:
		return strings.Repeat(innerAnswer, 1+a.IntN(5))
	case 3:
		return a.text("\r\n0 aG:", a.length(300))
	case 4:
		return a.text(letters, a.length(2500))
	default:
		return a.text("\x00\x16\x03\xff\n", a.length(100))
	}
}

func (a author) target(method string) string {
	if method == "OPTIONS" && a.chance(50) {
		return "*"
	}
	var b strings.Builder
	if a.chance(10) {
		b.WriteString("http://" + a.text(letters[:26], 5) + ".example")
	}
	b.WriteString("/")
	for range a.IntN(5) {
		b.WriteString(pick(a, "users", "42", "a%20b", "caf\xc3\xa9", "", "..", a.text(letters, a.length(260))) + "/")
	}
	if a.chance(40) {
		b.WriteString("?" + a.text(letters+"/?=&+", a.length(4500)))
	}
	return b.String()
}

// fields returns header lines that mean nothing to the parser, some of which nearly do.
func (a author) fields() []string {
	var lines []string
	for range a.length(15) {
		lines = append(lines, pick(a,
			"Accept: */*", "Content-Type: text/plain", "Content-Lengths: 7", "X-Content-Length: 7", "Transfer: chunked",
			"Hostname: other", "Expects: 100-continue", "Transfer-Encodin: chunked", "X:", "Content-Language: en",
			"Cookie: "+a.text(letters+"=; ", a.length(1200)),
		))
	}
	return lines
}

// inAnyCase writes field names as no one does.
func (a author) inAnyCase(line string) string {
	name, value, _ := strings.Cut(line, ":")
	switch a.IntN(5) {
	case 0:
		name = strings.ToLower(name)
	case 1:
		name = strings.ToUpper(name)
	}
	return name + ":" + value
}

// lines puts the lines that matter among others, and ends each in either way.
func (a author) lines(start string, matter ...string) string {
	all := a.fields()
	for _, line := range matter {
		at := a.IntN(len(all) + 1)
		all = append(all[:at], append([]string{a.inAnyCase(line)}, all[at:]...)...)
	}
	end := "\r\n"
	if a.chance(5) {
		end = "\n"
	}
	return strings.Join(append([]string{start}, all...), end) + end + end
}

func (a author) chunked(body string) string {
	var b strings.Builder
	extension := func() string {
		if a.chance(85) {
			return ""
		}
		return ";" + a.text(letters, 1+a.length(400)) + "=\"x\""
	}
	for len(body) > 0 {
		n := min(len(body), 1+a.length(2000))
		fmt.Fprintf(&b, pick(a, "%x", "%X", "%04x")+"%s\r\n%s\r\n", n, extension(), body[:n])
		body = body[n:]
	}
	fmt.Fprintf(&b, "%s%s\r\n", pick(a, "0", "000"), extension())
	for range a.length(4) {
		b.WriteString("X-Trailer: " + a.text(letters, a.length(400)) + "\r\n")
	}
	return b.String() + "\r\n"
}

// framed adds the field that says where the body ends, and the body.
func (a author) framed(start, body string, fields ...string) (head, rest string) {
	length := fmt.Sprintf("Content-Length: %s%d%s", pick(a, "", " ", "\t", "00"), len(body), pick(a, "", " ", "\t "))
	switch {
	case a.chance(30):
		fields = append(fields, "Transfer-Encoding: "+pick(a, "chunked", "Chunked", "\tchunked "))
		if a.chance(10) {
			fields = append(fields, "Content-Length: 3")
		}
		return a.lines(start, fields...), a.chunked(body)
	case a.chance(5):
		fields = append(fields, length)
	}
	return a.lines(start, append(fields, length)...), body
}

func (a author) method() string {
	return pick(a, "GET", "GET", "GET", "GET", "HEAD", "POST", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND", "M-SEARCH",
		"get", "X", strings.Repeat("Q", 1+a.IntN(64)))
}

// request returns a request's method, head and body.
func (a author) request(fields ...string) (method, head, body string) {
	method = a.method()
	start := method + " " + a.target(method) + " HTTP/1.1"
	if a.chance(80) {
		fields = append(fields, "Host:"+pick(a, " ", "", "  ")+pick(a, "example.org", "", a.text(letters, a.length(120))))
	}
	switch {
	case a.chance(10):
		return method, a.lines(strings.TrimSuffix(start, "1")+"0", fields...), ""
	case method == "TRACE" || a.chance(50):
		return method, a.lines(start, fields...), ""
	}
	head, body = a.framed(start, a.body(), fields...)
	return method, head, body
}

// interim returns any number of 1xx answers.
func (a author) interim() string {
	var b strings.Builder
	for a.chance(10) {
		b.WriteString(a.lines("HTTP/1.1 "+pick(a, "100 Continue", "102 Processing", "103 Early Hints"), pick(a, "Link: </a>", "X: y")))
	}
	return b.String()
}

// answer returns a complete answer that does not need the end of the connection.
func (a author) answer(method string) string {
	status := pick(a, "200 OK", "200", "201 ", "204 No Content", "206 Partial Content", "301 Moved", "304 Not Modified", "404 Not Found",
		"500 Oops", "503 "+a.text(letters+" ", a.length(400)))
	body := a.body()
	head, rest := a.framed("HTTP/1.1 "+status, body)
	if method == "HEAD" || strings.HasPrefix(status, "204") || strings.HasPrefix(status, "304") {
		rest = ""
		if a.chance(30) {
			head = a.lines("HTTP/1.1 " + status)
		}
	}
	return a.interim() + head + rest
}

// pipelined adds requests that are sent at once, and then their answers.
func (c *conversation) pipelined(a author) {
	var requests, answers strings.Builder
	depth := 1
	if a.chance(30) {
		depth = 1 + a.length(40)
	}
	for range depth {
		method, head, body := a.request()
		requests.WriteString(head + body)
		answers.WriteString(a.answer(method))
	}
	c.turns = append(c.turns, client(requests.String()), server(answers.String()))
}

// expecting adds a request that waits before it sends its body.
func (c *conversation) expecting(a author) {
	method, head, body := a.request("Expect: 100-continue")
	c.turns = append(c.turns, client(head), server("HTTP/1.1 100 Continue\r\n\r\n"), client(body), server(a.answer(method)))
}

// end adds the last exchange, after which the connection is of no more use.
func (c *conversation) end(a author) {
	noise := a.text("\x81\x05GET / HTTP/1.1\r\n", 100)
	_, head, body := a.request()
	request, last := client(head, body), turn{fin: a.chance(50)}
	switch a.IntN(6) {
	case 0: // nothing more
		return
	case 1:
		request = client(a.lines("GET /chat HTTP/1.1", "Upgrade: websocket", "Connection: Upgrade"))
		last.bytes = a.lines("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket") + noise
	case 2:
		request, last.bytes = client(a.lines("CONNECT example.org:443 HTTP/1.1")), a.lines("HTTP/1.1 200 Established")+noise
	case 3: // a body that the end of the connection ends
		request, last.bytes = client(a.lines("GET /close HTTP/1.0")), a.lines("HTTP/1.1 200 OK")+a.body()
	case 4: // an answer that stays incomplete, also before its first line ends
		request = client(a.lines("GET /half HTTP/1.1"))
		head, body := a.framed("HTTP/1.1 200 OK", a.body()+"x")
		last.bytes = (head + body)[:a.IntN(len(head+body))]
		c.failure = pick(a, Closed, Reset, Timeout)
		last.fin = c.failure == Closed
	default: // no answer
		c.failure = pick(a, Closed, Reset, Timeout)
		last.fin = c.failure == Closed
	}
	c.turns = append(c.turns, request, last)
}

func (a author) conversation() conversation {
	c := conversation{failure: Closed}
	for range a.length(12) {
		if a.chance(10) {
			c.expecting(a)
		} else {
			c.pipelined(a)
		}
	}
	c.end(a)
	return c
}
