// Command soak keeps a built exporter under full load for a bounded time, with
// services that come, go, and are killed, reloads, scrapes and hostile clients,
// and then checks that every count is exact, that nothing has grown, and that
// nothing stays behind in the kernel.
//
// It runs as root, by scripts/soak. SOAK_SECONDS is how long the load lasts;
// SONDE_BINARY names an exporter to run in place of a fresh build.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"sonde_exporter/test/harness"
)

const (
	durationVariable = "SOAK_SECONDS"
	defaultDuration  = 120 * time.Second
	// shortest leaves every disturbance the time to happen a few times.
	shortest = 20 * time.Second
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func run() error {
	duration, err := durationFromEnvironment()
	if err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return errors.New("the exporter loads programs into the kernel: run this as root")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	programs, err := harness.Build()
	defer func() { _ = programs.Remove() }()
	if err != nil {
		return err
	}
	report := &report{}
	fmt.Printf("Soaking the exporter for %v.\n", duration)
	runScoped(report, func(sc *scope) { soak(ctx, sc, programs, duration) })
	if ctx.Err() != nil {
		return errors.New("interrupted; everything that was started is stopped")
	}
	report.print(os.Stdout)
	if n := report.failed(); n > 0 {
		return fmt.Errorf("%d of %d checks failed", n, len(report.rows))
	}
	return nil
}

func durationFromEnvironment() (time.Duration, error) {
	text := os.Getenv(durationVariable)
	if text == "" {
		return defaultDuration, nil
	}
	seconds, err := strconv.Atoi(text)
	if err != nil || time.Duration(seconds)*time.Second < shortest {
		return 0, fmt.Errorf("%s is %q; write a whole number of seconds, at least %.0f", durationVariable, text, shortest.Seconds())
	}
	return time.Duration(seconds) * time.Second, nil
}
