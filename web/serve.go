package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"

	toolkit "github.com/prometheus/exporter-toolkit/web"
)

const (
	// shutdownTimeout is how long scrapes under way may take after the context
	// ended. The whole exporter has 5 seconds to stop.
	shutdownTimeout = 2 * time.Second

	// headerTimeout frees connections of clients that never finish a request.
	headerTimeout = 10 * time.Second

	// idleTimeout is above the 5 minutes for which Prometheus keeps idle
	// connections, so that the client closes first and no scrape meets a
	// connection that is just going away.
	idleTimeout = 6 * time.Minute

	// maxHeaderBytes is plenty for a scrape; the default of 1 MiB is not needed.
	maxHeaderBytes = 64 << 10
)

// Serve serves handler on the addresses, or the systemd sockets, of flags, with
// the TLS and authentication of its web configuration file. It calls listens for
// each address once it accepts connections. It returns nil soon after ctx ended,
// at most 2 seconds later, and an error that is a sentence when it cannot listen
// or the web configuration is bad.
func Serve(ctx context.Context, handler http.Handler, flags *toolkit.FlagConfig, listens func(Site), logger *slog.Logger) error {
	if err := checkFlags(flags); err != nil {
		return err
	}
	if err := CheckConfig(flags); err != nil {
		return err
	}

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	parts := splitByAddress(flags)
	failures := make([]error, len(parts))
	var servers sync.WaitGroup
	for i, part := range parts {
		servers.Go(func() {
			failures[i] = serveOne(ctx, handler, part, listens, logger)
			// A server ends because of ctx or of a failure: then all end.
			cancel()
		})
	}
	servers.Wait()
	for _, err := range failures {
		if err != nil {
			return err
		}
	}
	return nil
}

func checkFlags(flags *toolkit.FlagConfig) error {
	if flags == nil || flags.WebConfigFile == nil {
		return errors.New("web: the flag configuration is incomplete")
	}
	if !useSystemdSocket(flags) && (flags.WebListenAddresses == nil || len(*flags.WebListenAddresses) == 0) {
		return errors.New("there is no address to listen on: set --web.listen-address or --web.systemd-socket")
	}
	return nil
}

func useSystemdSocket(flags *toolkit.FlagConfig) bool {
	return flags.WebSystemdSocket != nil && *flags.WebSystemdSocket
}

// splitByAddress returns one flag configuration for each address, because the
// toolkit changes the server that it is given: several listeners would race for
// it, and an error would not tell which address it is about.
func splitByAddress(flags *toolkit.FlagConfig) []*toolkit.FlagConfig {
	if useSystemdSocket(flags) {
		return []*toolkit.FlagConfig{flags}
	}
	parts := make([]*toolkit.FlagConfig, 0, len(*flags.WebListenAddresses))
	for _, address := range *flags.WebListenAddresses {
		part := *flags
		part.WebListenAddresses = &[]string{address}
		parts = append(parts, &part)
	}
	return parts
}

// serveOne runs one server until it fails or ctx ends.
func serveOne(ctx context.Context, handler http.Handler, flags *toolkit.FlagConfig, listens func(Site), logger *slog.Logger) error {
	protection := readProtection(flags)
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          serverLog(logger),
		// The server calls this once, when it has a listener.
		BaseContext: func(listener net.Listener) context.Context {
			listens(siteAt(listener.Addr(), protection))
			return context.Background()
		},
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		shutdown(server)
	})
	err := toolkit.ListenAndServe(server, flags, quiet(logger))
	if !stop() {
		// The server ended because it was told to: wait for the last answers.
		<-stopped
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return explainServeError(err, flags)
}

// shutdown lets requests under way finish, but not for long.
func shutdown(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		// Errors of closing are of no use: the process is about to end.
		_ = server.Close()
	}
}

// explainServeError says which address cannot be used, and what to do about it.
func explainServeError(err error, flags *toolkit.FlagConfig) error {
	if useSystemdSocket(flags) {
		return fmt.Errorf("cannot serve on the sockets of systemd: %w; check the .socket unit, or leave out --web.systemd-socket", err)
	}
	return explainListenError(err, (*flags.WebListenAddresses)[0])
}

func explainListenError(err error, address string) error {
	var opError *net.OpError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("cannot listen on %q: another program uses this address; stop it, or choose another address with --web.listen-address", address)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("cannot listen on %q: this host does not have this address; choose another address with --web.listen-address", address)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("cannot listen on %q: this port takes CAP_NET_BIND_SERVICE; choose another address with --web.listen-address", address)
	case errors.As(err, &opError) && opError.Op == "listen":
		return fmt.Errorf("cannot listen on %q: %w; choose another address with --web.listen-address", address, err)
	}
	return fmt.Errorf("the web server on %q stopped: %w", address, err)
}

// oneLine joins the lines of errors of the YAML library, so that a message stays
// one sentence.
func oneLine(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}
