package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"sonde_exporter/config"
	"sonde_exporter/preflight"
	"sonde_exporter/series"
)

// errPreflight is the exit code of a machine on which Sonde cannot run. The table
// has said why.
var errPreflight = errors.New("sonde_exporter cannot run here")

// printPreflight tries what this machine offers, and prints the table.
func printPreflight(w io.Writer, o options) error {
	cfg, configErr := o.config.Load()
	loadable := cfg
	if configErr != nil {
		loadable = config.Default()
	}
	o.usePlace(loadable.Prometheus)
	table, err := series.NewTable(loadable.Histogram.Buckets)
	if err != nil {
		return fmt.Errorf("histogram.buckets: %w", err)
	}
	// What is tried is undone first: it takes a second or two.
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(interrupts)
	report := preflight.New(preflight.Gather(preflight.Options{
		Procfs: o.procfs, ConfigFile: o.config.File(), Config: cfg, ConfigErr: configErr, Web: o.web,
		Probe: probeOptions(o, loadable, table, slog.New(slog.DiscardHandler)),
	}))
	if _, err := report.WriteTo(w); err != nil {
		return fmt.Errorf("the table cannot be printed: %w", err)
	}
	if !report.Works() {
		return errPreflight
	}
	return nil
}
