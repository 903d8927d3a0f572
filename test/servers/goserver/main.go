// Command goserver is an ordinary net/http service for the end-to-end tests.
// It knows nothing of Sonde. Its routes each answer in one of the ways that
// HTTP/1 knows to delimit an answer.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	addrs := flag.String("addr", "127.0.0.1:0", "addresses to serve, separated by commas")
	admin := flag.String("admin", "", "address of the counter, apart from what is measured")
	reuse := flag.Bool("reuseport", false, "let several processes share the address")
	life := flag.Duration("life", 0, "end by itself after this time")
	flag.Parse()
	if err := run(strings.Split(*addrs, ","), *admin, *reuse, *life); err != nil {
		fmt.Fprintln(os.Stderr, "goserver:", err)
		os.Exit(1)
	}
}

func run(addrs []string, admin string, reuse bool, life time.Duration) error {
	var handled atomic.Int64
	mux := routes()
	counted := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handled.Add(1)
		mux.ServeHTTP(w, r)
	})
	failed := make(chan error, len(addrs)+1)
	for _, addr := range addrs {
		if err := serve(addr, reuse, counted, failed); err != nil {
			return err
		}
	}
	if admin != "" {
		count := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Write(strconv.AppendInt(nil, handled.Load(), 10))
		})
		if err := serve(admin, false, count, failed); err != nil {
			return err
		}
	}
	if life == 0 {
		return <-failed
	}
	select {
	case err := <-failed:
		return err
	case <-time.After(life):
		return nil
	}
}

func serve(addr string, reuse bool, h http.Handler, failed chan<- error) error {
	lc := net.ListenConfig{}
	if reuse {
		lc.Control = func(_, _ string, c syscall.RawConn) error {
			var opt error
			err := c.Control(func(fd uintptr) {
				opt = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
			})
			return errors.Join(err, opt)
		}
	}
	ln, err := lc.Listen(context.Background(), "tcp", addr)
	if err != nil {
		return err
	}
	go func() { failed <- http.Serve(ln, h) }()
	return nil
}
