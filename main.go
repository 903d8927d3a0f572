// Command sonde_exporter measures every service on a Linux host with eBPF and
// exposes what it sees to Prometheus.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/common/version"

	"sonde_exporter/collector"
	"sonde_exporter/config"
	"sonde_exporter/logging"
	"sonde_exporter/web"
)

func main() {
	if err := execute(os.Args[1:]); err != nil {
		if !errors.Is(err, errPreflight) {
			fmt.Fprintf(os.Stderr, "sonde_exporter: %s\n", err)
		}
		os.Exit(1)
	}
}

func execute(args []string) error {
	nameVersion()
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	if o.preflight {
		return printPreflight(os.Stdout, o)
	}
	cfg, err := o.config.Load()
	if err != nil {
		return err
	}
	if o.checkOnly {
		return printConfig(cfg)
	}
	o.usePlace(cfg.Prometheus)
	if err := web.Check(o.web, o.telemetryPath); err != nil {
		return err
	}
	logger := logging.Limit(promslog.New(o.log))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	logger.Info("starting sonde_exporter", "version", version.Info(), "build", version.BuildContext())
	logWarnings(cfg, logger)
	tellConfig(cfg, o.config, logger)
	o.tellPlace(cfg.Prometheus, logger)
	e, err := startExporter(o, cfg, o.config.Load, logger)
	if err != nil {
		return err
	}
	defer func() {
		if err := e.close(); err != nil {
			logger.Error("not all could be detached", "err", err)
		}
		e.tellEnd(ctx)
	}()
	e.tellTaps()
	return serve(ctx, o, e, logger)
}

// logWarnings tells what in the configuration has no effect.
func logWarnings(cfg *config.Config, logger *slog.Logger) {
	for _, warning := range cfg.Warnings {
		logger.Warn(warning)
	}
}

func printConfig(cfg *config.Config) error {
	text, err := cfg.YAML()
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(text)
	return err
}

// serve runs the exporter and its web server until one of them fails or ctx ends. It
// tells the service manager when both are ready, and when they stop.
func serve(ctx context.Context, o options, e *exporter, logger *slog.Logger) error {
	handler, err := newHandler(o, e, logger)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go e.reloadOnHangup(ctx)
	systemd := manager{logger}
	ready := afterCalls(2, systemd.ready)
	// The sockets of systemd listen already: the first that is served is enough.
	addresses := max(1, len(web.Addresses(o.web)))
	listens := tellSites(o.telemetryPath, logger, afterCalls(addresses, ready))
	results := make(chan error, 2)
	go func() { results <- e.run(ctx, ready) }()
	go func() { results <- web.Serve(ctx, handler, o.web, listens, logger) }()
	var told sync.WaitGroup
	told.Go(func() {
		<-ctx.Done()
		systemd.stopping()
	})
	defer told.Wait()
	first := <-results
	cancel()
	return errors.Join(first, <-results)
}

func (e *exporter) reloadOnHangup(ctx context.Context) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
			_ = e.reload(ctx) // it has logged and counted its error
		}
	}
}

func newHandler(o options, e *exporter, logger *slog.Logger) (http.Handler, error) {
	set, err := collector.NewSet(e.sources, o.collectors)
	if err != nil {
		return nil, err
	}
	self := prometheus.NewRegistry()
	self.MustRegister(e.exports.collectors()...)
	self.MustRegister(versioncollector.NewCollector("sonde"), e.reloads.successful, e.reloads.successTime)
	options := web.Options{
		Logger: logger, TelemetryPath: o.telemetryPath, MaxRequests: o.maxRequests,
		Ready: e.ready.Load, Reload: e.reload, Status: e.status.Read,
		Gather: func(ctx context.Context) prometheus.Gatherer {
			services := prometheus.NewRegistry()
			services.MustRegister(set.Collector(ctx))
			return prometheus.Gatherers{self, services}
		},
	}
	if !o.disableExporterMetrics {
		self.MustRegister(collectors.NewGoCollector(),
			collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
		options.Registerer = self
	}
	return web.NewHandler(options)
}
