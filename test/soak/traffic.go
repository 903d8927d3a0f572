package main

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// patience is for a server that has stopped to answer.
const patience = time.Minute

// head writes the head of a request.
func head(method, path, host string, more ...string) string {
	lines := append([]string{method + " " + path + " HTTP/1.1", "Host: " + host}, more...)
	return strings.Join(lines, "\r\n") + "\r\n\r\n"
}

func get(path string) string { return head(http.MethodGet, path, "soak.test") }

func dial(addr string) (*net.TCPConn, error) {
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), conn.SetDeadline(time.Now().Add(patience))
}

// converse sends requests at once, on a connection of their own, and reads the
// answers to the end. methods are those of the requests: an answer to HEAD has
// no body.
func converse(addr, requests string, methods ...string) error {
	conn, err := dial(addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return converseOn(conn, requests, methods...)
}

func converseOn(conn *net.TCPConn, requests string, methods ...string) error {
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	written := make(chan error, 1)
	go func() {
		_, err := io.WriteString(conn, requests)
		written <- err
	}()
	in := bufio.NewReader(conn)
	for _, method := range methods {
		resp, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			return err
		}
	}
	return <-written
}

// gets are n times the method GET.
func gets(n int) []string { return slices.Repeat([]string{http.MethodGet}, n) }

// strangeBatch makes n requests, each unlike any other by its path, and with
// many methods and hosts.
func strangeBatch(n int) (requests string, methods []string) {
	var b strings.Builder
	for range n {
		method := []string{"GET", "HEAD", "PUT", "DELETE", "PATCH", strings.ToUpper(word(6))}[rand.IntN(6)]
		path := fmt.Sprintf("/%s/%s/%s", word(3), word(8), word(12))
		if rand.IntN(2) == 0 {
			path = fmt.Sprintf("/status/%d", 200+rand.IntN(400))
		}
		b.WriteString(head(method, path, word(10)+".test"))
		methods = append(methods, method)
	}
	return b.String(), methods
}

// strangeCalls makes n requests, each to a host of its own, and asks the server
// to close the connection after the last.
func strangeCalls(n int) string {
	var b strings.Builder
	for i := range n {
		connection := "keep-alive"
		if i == n-1 {
			connection = "close"
		}
		b.WriteString(head(http.MethodGet, "/hello", word(10)+".test", "Connection: "+connection))
	}
	return b.String()
}

func word(n int) string {
	letters := make([]byte, n)
	for i := range letters {
		letters[i] = byte('a' + rand.IntN(26))
	}
	return string(letters)
}

// abort sends data, waits until the server has begun to work on it, reads at
// most n bytes, and leaves: by RST, or in order.
func abort(addr, data string, n int64, reset bool) error {
	conn, err := dial(addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, data); err != nil {
		return err
	}
	time.Sleep(5 * time.Millisecond)
	if n > 0 {
		if _, err := io.CopyN(io.Discard, conn, n); err != nil {
			return err
		}
	}
	if reset {
		return conn.SetLinger(0)
	}
	return nil
}
