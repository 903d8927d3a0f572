// Demo is a small web shop and its customers in one process. It knows nothing of
// Sonde: it is here so that there is something to measure.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	address := flag.String("listen", "127.0.0.1:0", "Address of the shop; port 0 takes a free one.")
	flag.Parse()

	if err := run(*address); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// run serves the shop and sends it customers until it is interrupted.
func run(address string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("open the shop: %w", err)
	}
	server := &http.Server{Handler: newShop(), ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })

	// scripts/demo reads this line.
	fmt.Printf("listening on %s\n", listener.Addr())
	go visit(ctx, "http://"+listener.Addr().String())

	if err := server.Serve(listener); ctx.Err() == nil {
		return fmt.Errorf("keep the shop open: %w", err)
	}
	return nil
}
