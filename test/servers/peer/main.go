// Command peer is one end of a scripted TCP conversation. A test tells it over
// its standard input what to do, one JSON command a line, and reads one JSON
// result a line from its standard output. It exists because Sonde names
// services by process: the two ends of a conversation have to be processes of
// their own, and neither may be the test.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// patience is how long one command may block before it is answered with an
// error, so that a broken script ends the test rather than hanging it.
const patience = 20 * time.Second

// Command is one line of the script.
type Command struct {
	Op   string `json:"op"`
	ID   int    `json:"id"`             // listener or connection, from an earlier result
	Addr string `json:"addr,omitempty"` // listen and dial
	Data []byte `json:"data,omitempty"` // write, writev, sendfile
	N    int    `json:"n,omitempty"`    // read: bytes; fetch: requests
	Conc int    `json:"conc,omitempty"` // fetch: connections
	Body int    `json:"body,omitempty"` // fetch: bytes to post
	Once bool   `json:"once,omitempty"` // fetch: a connection for each request
}

// Result answers one Command.
type Result struct {
	ID    int    `json:"id"`
	Addr  string `json:"addr,omitempty"`
	N     int    `json:"n,omitempty"`
	Nanos int64  `json:"nanos,omitempty"`
	Error string `json:"error,omitempty"`
}

func main() {
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

func serve(in io.Reader, out io.Writer) error {
	p := &peer{listeners: map[int]net.Listener{}, conns: map[int]*net.TCPConn{}}
	dec, enc := json.NewDecoder(bufio.NewReader(in)), json.NewEncoder(out)
	for {
		var cmd Command
		if err := dec.Decode(&cmd); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("cannot read a command: %w", err)
		}
		res, err := p.run(cmd)
		if err != nil {
			res.Error = cmd.Op + ": " + err.Error()
		}
		if err := enc.Encode(res); err != nil {
			return fmt.Errorf("cannot write a result: %w", err)
		}
	}
}
