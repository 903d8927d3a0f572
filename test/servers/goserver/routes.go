package main

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

func routes(upstream string) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("/call", call(upstream))
	mux.HandleFunc("/sleep/{ms}", sleep)
	mux.HandleFunc("/status/{code}", status)
	mux.HandleFunc("/bytes/{n}", fixed)
	mux.HandleFunc("/chunked/{n}", chunked)
	mux.HandleFunc("/close-delimited", closeDelimited)
	mux.HandleFunc("/upgrade", upgrade)
	mux.HandleFunc("/early-hints", earlyHints)
	mux.HandleFunc("/echo", echo)
	mux.HandleFunc("/mirror", mirror)
	mux.HandleFunc("/", ok)
	return mux
}

func number(r *http.Request, name string) int {
	n, err := strconv.Atoi(r.PathValue(name))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

func ok(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // whatever comes, the answer is the same
	w.Write([]byte("ok\n"))
}

func sleep(w http.ResponseWriter, r *http.Request) {
	time.Sleep(time.Duration(number(r, "ms")) * time.Millisecond)
	w.Write([]byte("slept\n"))
}

func status(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(max(number(r, "code"), http.StatusOK))
}

func fixed(w http.ResponseWriter, r *http.Request) {
	n := number(r, "n")
	w.Header().Set("Content-Length", strconv.Itoa(n))
	w.Write(bytes.Repeat([]byte("x"), n))
}

// chunked flushes n times, so that the answer is n chunks in n segments.
func chunked(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	for range number(r, "n") {
		w.Write([]byte("HTTP/1.1 500 inside a chunk\r\n\r\n"))
		if control.Flush() != nil {
			return
		}
	}
}

func closeDelimited(w http.ResponseWriter, _ *http.Request) {
	hijack(w, "HTTP/1.1 200 OK\r\n\r\nno length, no chunks: the end is the end\n", nil)
}

// upgrade answers 101 and then echoes whatever comes.
func upgrade(w http.ResponseWriter, _ *http.Request) {
	hijack(w, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n",
		func(conn net.Conn, in io.Reader) {
			_, _ = io.Copy(conn, in) // the end of the echo is the client's to choose
		})
}

// hijack answers with raw bytes, lets then go on with the connection, and
// closes it. A client that has gone is nobody to tell of an error.
func hijack(w http.ResponseWriter, answer string, then func(net.Conn, io.Reader)) {
	conn, buf, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, answer); err == nil && then != nil {
		then(conn, buf)
	}
}

func earlyHints(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Link", "</style.css>; rel=preload")
	w.WriteHeader(http.StatusEarlyHints)
	w.Write([]byte("hinted\n"))
}

// echo answers before it has read all, and loses what net/http then discards.
func echo(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(w, r.Body) // a client that has gone wants no more of it
}

// mirror answers with exactly what has come.
func mirror(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client has gone
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body)
}

// call passes on the answer of another server. Go's client would choose HTTP/2
// where it can.
func call(upstream string) http.HandlerFunc {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	client := &http.Client{Transport: &http.Transport{Protocols: &protocols, MaxIdleConnsPerHost: 64}}
	return func(w http.ResponseWriter, _ *http.Request) {
		resp, err := client.Get(upstream + "/hello")
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body) // a client that has gone wants no more of it
	}
}
