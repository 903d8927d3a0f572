// Command otlp is an OTLP endpoint for the end-to-end tests: the collector's own
// receiver, which is what Alloy and Tempo run too. It keeps what it receives,
// tells it as JSON over a control socket, and fails on demand.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

// settings are the flags.
type settings struct {
	grpc, http, control string
	cert, key, clientCA string
	user, password      string
	keep                int
}

func main() {
	var s settings
	flag.StringVar(&s.grpc, "grpc", "", "address for OTLP over gRPC; empty for none")
	flag.StringVar(&s.http, "http", "", "address for OTLP over HTTP; empty for none")
	flag.StringVar(&s.control, "control", "otlp.sock", "socket in the file system that the test talks to")
	flag.StringVar(&s.cert, "cert", "", "certificate in PEM; with one, both addresses speak TLS")
	flag.StringVar(&s.key, "key", "", "key of the certificate in PEM")
	flag.StringVar(&s.clientCA, "client-ca", "", "authority in PEM that every client needs a certificate of")
	flag.StringVar(&s.user, "user", "", "user for basic authentication; empty lets everyone in")
	flag.StringVar(&s.password, "password", "", "password for basic authentication")
	flag.IntVar(&s.keep, "keep", 50_000, "most spans, and most metrics, that are kept; more are only counted")
	flag.Parse()
	if err := run(s); err != nil {
		fmt.Fprintln(os.Stderr, "otlp:", err)
		os.Exit(1)
	}
}

func run(s settings) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	store := newStore(s.keep)
	endpoint := newEndpoint(s, store)
	if err := endpoint.up(ctx); err != nil {
		return fmt.Errorf("open the OTLP endpoint: %w", err)
	}
	// No port: what the test asks for must not look like requests to Sonde, and
	// the test need not be in the same network namespace. It is opened last: who
	// can connect finds the ports open.
	listener, err := net.Listen("unix", s.control)
	if err != nil {
		return fmt.Errorf("open the control socket: %w", err)
	}
	server := &http.Server{Handler: newControl(store, endpoint)}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the control socket: %w", err)
	}
	return nil
}
