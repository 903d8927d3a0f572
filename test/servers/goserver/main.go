// Command goserver is an ordinary net/http service for the end-to-end tests.
// It knows nothing of Sonde. Its routes each answer in one of the ways that
// HTTP/1 knows to delimit an answer.
package main

import (
	"context"
	"crypto/tls"
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

// settings are the flags.
type settings struct {
	addrs    []string
	admin    string
	reuse    bool
	life     time.Duration
	cert     string
	key      string
	upstream string
}

func main() {
	var s settings
	addrs := flag.String("addr", "127.0.0.1:0", "addresses to serve, separated by commas")
	flag.StringVar(&s.admin, "admin", "", "address of the counter, apart from what is measured")
	flag.BoolVar(&s.reuse, "reuseport", false, "let several processes share the address")
	flag.DurationVar(&s.life, "life", 0, "end by itself after this time")
	flag.StringVar(&s.cert, "cert", "", "certificate in PEM; with one it serves HTTPS")
	flag.StringVar(&s.key, "key", "", "key of the certificate in PEM")
	flag.StringVar(&s.upstream, "upstream", "", "URL of the server whose /hello is asked for /call")
	flag.Parse()
	s.addrs = strings.Split(*addrs, ",")
	if err := run(s); err != nil {
		fmt.Fprintln(os.Stderr, "goserver:", err)
		os.Exit(1)
	}
}

func run(s settings) error {
	var handled atomic.Int64
	mux := routes(s.upstream)
	counted := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handled.Add(1)
		mux.ServeHTTP(w, r)
	})
	failed := make(chan error, len(s.addrs)+1)
	for _, addr := range s.addrs {
		ln, err := listen(addr, s.reuse)
		if err == nil && s.cert != "" {
			ln, err = secure(ln, s.cert, s.key)
		}
		if err != nil {
			return err
		}
		go func() { failed <- http.Serve(ln, counted) }()
	}
	if s.admin != "" {
		ln, err := listen(s.admin, false)
		if err != nil {
			return err
		}
		go func() {
			failed <- http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Write(strconv.AppendInt(nil, handled.Load(), 10))
			}))
		}()
	}
	if s.life == 0 {
		return <-failed
	}
	select {
	case err := <-failed:
		return err
	case <-time.After(s.life):
		return nil
	}
}

func listen(addr string, reuse bool) (net.Listener, error) {
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
	return lc.Listen(context.Background(), "tcp", addr)
}

// secure makes a listener speak TLS, and HTTP/1.1 in it: net/http serves HTTP/2
// only where it makes the TLS configuration itself.
func secure(ln net.Listener, cert, key string) (net.Listener, error) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, err
	}
	return tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"http/1.1"}}), nil
}
