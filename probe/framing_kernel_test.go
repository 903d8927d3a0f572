package probe

import (
	"strings"
	"testing"
)

const (
	getHello = "GET /hello HTTP/1.1\r\nHost: example\r\n\r\n"
	okHello  = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
)

// TestFraming sends one conversation over and over on one connection. However
// its bytes are cut, each request is observed once, with its own answer.
func TestFraming(t *testing.T) {
	k := openProbe(t)
	const times = 50
	upload := "POST /upload HTTP/1.1\r\nHost: example\r\nContent-Length: 22\r\n\r\nGET /not-me HTTP/1.1\r\n"
	chunked := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	longHead := "GET /long HTTP/1.1\r\nHost: example\r\nX-Long: " + strings.Repeat("x", 16<<10) + "\r\n\r\n"
	const largeHead, largeBody = "HTTP/1.1 200 OK\r\nContent-Length: 262144\r\n\r\n", "HTTP/1.1 500\r\n\r\n"
	cases := []struct {
		name           string
		client, server []step
		want           tally
	}{
		{
			"keep-alive",
			exchange(getHello, okHello), answer(getHello, okHello),
			tally{"server GET /hello 200": times},
		},
		{
			"HTTP/1.0 with keep-alive",
			exchange("GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", okHello),
			answer("GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", okHello),
			tally{"server GET /old HTTP/1.0 200": times},
		},
		{
			"byte by byte, both ways",
			[]step{trickle(getHello), receive(okHello)}, []step{receive(getHello), trickle(okHello)},
			tally{"server GET /hello 200": times},
		},
		{
			"a head of 16 KiB",
			exchange(longHead, okHello), answer(longHead, okHello),
			tally{"server GET /long 200": times},
		},
		{
			"a body that looks like a request, in a segment of its own",
			[]step{send(upload[:len(upload)-22]), send(upload[len(upload)-22:]), receive(okHello)},
			answer(upload, okHello),
			tally{"server POST /upload 200": times},
		},
		{
			"chunks, some cut in the middle, and a trailer",
			exchange(getHello, chunked+"5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n"),
			[]step{
				receive(getHello), send(chunked), send("5\r\nhel"), send("lo\r\n6;a"), send("=b\r\n world\r\n"),
				send("0\r\nX-Sum: 1\r\n\r\n"),
			},
			tally{"server GET /hello 200": times},
		},
		{
			"answers without a body",
			[]step{
				send("HEAD /head HTTP/1.1\r\n\r\n"), receive(okHello[:38]),
				send("DELETE /none HTTP/1.1\r\n\r\n"), receive("HTTP/1.1 204 No Content\r\n\r\n"),
				send("GET /same HTTP/1.1\r\n\r\n"), receive("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"),
			},
			[]step{
				receive("HEAD /head HTTP/1.1\r\n\r\n"), send(okHello[:38]),
				receive("DELETE /none HTTP/1.1\r\n\r\n"), send("HTTP/1.1 204 No Content\r\n\r\n"),
				receive("GET /same HTTP/1.1\r\n\r\n"), send("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"),
			},
			tally{"server HEAD /head 200": times, "server DELETE /none 204": times, "server GET /same 304": times},
		},
		{
			"100 Continue and 103 Early Hints before the answer",
			[]step{
				send("PUT /file HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"),
				receive("HTTP/1.1 100 Continue\r\n\r\n"), send("abc"),
				receive("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + okHello),
			},
			[]step{
				receive("PUT /file HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"),
				send("HTTP/1.1 100 Continue\r\n\r\n"), receive("abc"),
				send("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"), send(okHello),
			},
			tally{"server PUT /file 200": times},
		},
		{
			"an answer of many segments",
			[]step{send(getHello), {Receive: len(largeHead) + 1<<18}},
			[]step{receive(getHello), send(largeHead), {Send: largeBody, Times: 1 << 18 / len(largeBody)}},
			tally{"server GET /hello 200": times},
		},
		{
			"a method that nobody knows, and ids in the path",
			exchange("BREW /pots/1234 HTTP/1.1\r\n\r\n", "HTTP/1.1 418 I'm a teapot\r\nContent-Length: 0\r\n\r\n"),
			answer("BREW /pots/1234 HTTP/1.1\r\n\r\n", "HTTP/1.1 418 I'm a teapot\r\nContent-Length: 0\r\n\r\n"),
			tally{"server _OTHER /pots/1234 418": times},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			server := start(t, part{Script: c.server})
			callFromOutside(t, call{Address: server.address, Times: times, Script: c.client})
			k.expect(t, k.instanceOf(t, server), c.want)
		})
	}
}

// TestPipelining has all requests on their way before the first answer.
func TestPipelining(t *testing.T) {
	k := openProbe(t)
	cases := []struct {
		name  string
		depth int
		exact bool // else the deepest are only counted, in the overflow series
	}{
		{"as deep as a connection's own queue", 2, true},
		{"100 deep", 100, true},
		{"deeper than the kernel keeps", 1000, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			const times = 3
			requests, answers := strings.Repeat(getHello, c.depth), strings.Repeat(okHello, c.depth)
			server := start(t, part{Script: answer(requests, answers)})
			callFromOutside(t, call{Address: server.address, Times: times, Script: exchange(requests, answers)})
			instance, want := k.instanceOf(t, server), uint64(times*c.depth)
			if c.exact {
				k.expect(t, instance, tally{"server GET /hello 200": want})
			} else {
				k.expectTotal(t, instance, want)
			}
		})
	}
}

// exchange is the client's side of one request, answer the server's.
func exchange(request, response string) []step { return []step{send(request), receive(response)} }
func answer(request, response string) []step   { return []step{receive(request), send(response)} }
