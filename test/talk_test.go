package e2e

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// talk sends one request on conn and reads its answer to the end.
func talk(t testing.TB, conn net.Conn, data string) *http.Response {
	t.Helper()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatalf("cannot set a deadline: %v", err)
	}
	if _, err := io.WriteString(conn, data); err != nil {
		t.Fatalf("cannot send a request: %v", err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("cannot read an answer: %v", err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatalf("cannot read an answer to its end: %v", err)
	}
	return resp
}
