package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sonde_exporter/collector"
	"sonde_exporter/config"
	"sonde_exporter/discovery"
	"sonde_exporter/discovery/inspect"
	"sonde_exporter/metric"
	"sonde_exporter/probe"
	"sonde_exporter/routes"
	"sonde_exporter/series"
	"sonde_exporter/status"
	"sonde_exporter/tlstap"
)

// exporter wires the rooms together: kernel, discovery, series and collectors.
type exporter struct {
	sources  collector.Sources
	logger   *slog.Logger
	load     func() (*config.Config, error)
	tls      *tlstap.Tap
	exports  exports
	status   *status.Reader
	tlsSwept time.Time
	stats    io.Closer // makes the kernel measure programs; nil if not asked for
	statsErr error     // why it does not, although asked for
	reloads  reloadMetrics
	ready    atomic.Bool
	reloadMu sync.Mutex

	mu      sync.Mutex // guards current
	current *config.Config
}

// startExporter loads the kernel side and finds the services that run already.
func startExporter(o options, cfg *config.Config, load func() (*config.Config, error), logger *slog.Logger) (*exporter, error) {
	table, err := series.NewTable(cfg.Histogram.Buckets)
	if err != nil {
		return nil, fmt.Errorf("histogram.buckets: %w", err)
	}
	namer, err := newNamer(cfg)
	if err != nil {
		return nil, err
	}
	kernel, err := probe.Open(probeOptions(o, cfg, table, logger))
	if err != nil {
		return nil, err
	}
	registry := discovery.New(kernel, inspect.FS{Proc: o.procfs, Root: o.rootfs}, cfg.Discovery, logger)
	nameOf := func(id uint32) string {
		instance, _ := registry.Instance(id)
		return instance.Identity.Name
	}
	e := &exporter{
		logger: logger, load: load, current: cfg, reloads: newReloadMetrics(),
		sources: collector.Sources{
			Probe: kernel, Registry: registry, Table: table, Archive: collector.NewArchive(),
			Exemplars: series.NewExemplars(table),
			Ledger:    series.NewLedger(kernel, table, namer, limitsOf(cfg), nameOf, logger),
			Started:   time.Now(), Logger: logger,
		},
		tls: tlstap.New(tlstap.Options{
			Procfs: o.procfs, Attacher: kernel, Processes: kernel.Processes, NameOf: nameOf, Logger: logger,
		}),
	}
	e.sources.TLS = e.tls
	if slices.Contains(o.collectors, "program") {
		e.stats, e.statsErr = probe.EnableStats()
	}
	if e.exports, err = newExports(cfg, e.sources, logger); err != nil {
		return nil, errors.Join(err, e.close())
	}
	e.status = newStatus(o, e)
	err = errors.Join(kernel.Apply(settingsOf(cfg, namer)), kernel.ApplySpans(spanSettings(cfg.Traces)))
	if err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

// run serves events until ctx ends. It finds the services that run already once
// the events of new ones are being heard, and calls ready after that.
func (e *exporter) run(ctx context.Context, ready func()) error {
	failures := make(chan error, 3)
	ctx, cancel := context.WithCancel(ctx)
	go e.tls.Run(ctx)
	go e.status.Run(ctx)
	var exporting sync.WaitGroup
	exporting.Go(func() { e.exports.run(ctx) })
	defer exporting.Wait() // what is left goes out
	defer cancel()         // also after a failure
	go func() { failures <- e.sources.Probe.ServeSpans(e.exports) }()
	go func() { failures <- e.sources.Probe.ServeProcesses(processes{e.sources.Registry, e.tls}) }()
	go func() { failures <- e.sources.Probe.ServeRequests(e.sources.Ledger) }()
	if err := e.sources.Probe.Walk(); err != nil {
		return err
	}
	e.ready.Store(true)
	ready()
	go e.tellServices(ctx)
	ticks := time.NewTicker(time.Second)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failures:
			return err
		case now := <-ticks.C:
			e.sweep(now)
		}
	}
}

func (e *exporter) sweep(now time.Time) {
	for _, instance := range e.sources.Registry.Sweep(now, e.config().Series.Retention) {
		e.tls.Forget(instance.ID) // before its number can be that of another
		if err := e.sources.Retire(instance); err != nil {
			e.logger.Error("a service that is gone cannot be retired", "service", instance.Identity.Name, "err", err)
			continue
		}
		if instance.Selected {
			e.logger.Info("service retired", "name", instance.Identity.Name, "pid", instance.Process.PID)
		}
	}
	e.sources.Prune()
	if now.Sub(e.tlsSwept) < tlsSweepInterval {
		return
	}
	e.tlsSwept = now
	if err := e.sources.Probe.SweepTLS(); err != nil {
		e.logger.Error("TLS sessions of ended processes stay in the kernel", "err", err)
	}
}

// tlsSweepInterval is how long a killed process may leave TLS sessions behind.
const tlsSweepInterval = time.Minute

// processes hands the kernel's events to those whom they concern.
type processes struct {
	*discovery.Registry
	tls *tlstap.Tap
}

// Executes implements probe.ProcessHandler.
func (p processes) Executes(event probe.ProcessEvent) {
	p.Registry.Executes(event)
	p.tls.Joined(event.Service, event.Tgid)
}

// Joins implements probe.ProcessHandler.
func (p processes) Joins(event probe.ProcessEvent) {
	p.Registry.Joins(event)
	p.tls.Joined(event.Service, event.Tgid)
}

// SpeaksTLS implements probe.ProcessHandler.
func (p processes) SpeaksTLS(event probe.ProcessEvent) { p.tls.Spoken(event.Service, event.Tgid) }

func (e *exporter) close() error {
	failures := []error{e.tls.Close(), e.sources.Probe.Close()}
	if e.stats != nil {
		failures = append(failures, e.stats.Close())
	}
	return errors.Join(failures...)
}

func (e *exporter) config() *config.Config {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.current
}

// reload reads the configuration again. A bad one changes nothing.
func (e *exporter) reload(ctx context.Context) error {
	e.reloadMu.Lock()
	defer e.reloadMu.Unlock()
	old := e.config()
	err := e.apply()
	e.reloads.record(err)
	if err != nil {
		e.logger.Error("configuration not reloaded, the old one stays in force", "err", err)
		return err
	}
	e.logger.Info("configuration reloaded")
	if countsOtherwise(old, e.config()) {
		e.status.Restart(ctx)
	}
	return nil
}

// countsOtherwise tells whether other requests may be counted, or under other names.
func countsOtherwise(old, cfg *config.Config) bool {
	return !reflect.DeepEqual(old.Discovery, cfg.Discovery) || !reflect.DeepEqual(old.Routes, cfg.Routes)
}

func (e *exporter) apply() error {
	cfg, err := e.load()
	if err != nil {
		return err
	}
	logWarnings(cfg, e.logger)
	namer, err := newNamer(cfg)
	if err != nil {
		return err
	}
	err = errors.Join(e.sources.Probe.Apply(settingsOf(cfg, namer)), e.sources.Probe.ApplySpans(spanSettings(cfg.Traces)))
	if err != nil {
		return err
	}
	if err := e.warnOfRestart(cfg); err != nil {
		return err
	}
	if err := e.sources.Ledger.Configure(namer, limitsOf(cfg)); err != nil {
		return err
	}
	// Connections remember the operation that they saw last.
	if err := e.sources.Probe.Rejudge(); err != nil {
		return err
	}
	e.sources.Registry.SetRules(cfg.Discovery)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.current = cfg
	return nil
}

// warnOfRestart names what is built into the kernel side when it is loaded, once the
// rest of cfg is in force there.
func (e *exporter) warnOfRestart(cfg *config.Config) error {
	old := e.config()
	if !slices.Equal(old.Histogram.Buckets, cfg.Histogram.Buckets) {
		e.logger.Warn("histogram.buckets takes effect when Sonde is restarted")
	}
	if !reflect.DeepEqual(old.Traces.Target, cfg.Traces.Target) || !reflect.DeepEqual(old.MetricsExport, cfg.MetricsExport) {
		e.logger.Warn("where and how otel_traces_export and otel_metrics_export send takes effect when Sonde is restarted")
	}
	if old.Prometheus != cfg.Prometheus {
		e.logger.Warn("prometheus_export takes effect when Sonde is restarted, unless a flag or a variable outranks it")
	}
	limit, err := e.sources.Probe.SeriesLimit()
	if cfg.Series.Limit > int(limit) && err == nil {
		e.logger.Warn("a higher series.limit takes effect when Sonde is restarted", "limit", limit)
	}
	return err
}

// probeOptions are what the kernel side needs to know before it is loaded.
func probeOptions(o options, cfg *config.Config, table *series.Table, logger *slog.Logger) probe.Options {
	bounds := table.Bounds()
	return probe.Options{
		Bounds: bounds[:], SeriesLimit: uint32(cfg.Series.Limit), Procfs: o.procfs, Logger: logger,
		Spans: cfg.Traces.Endpoint != "",
	}
}

func newNamer(cfg *config.Config) (*routes.Namer, error) {
	namer, err := routes.New(routes.Options{
		Patterns: cfg.Routes.Patterns, Ignored: cfg.Routes.IgnoredPatterns, Unmatched: cfg.Routes.Unmatched,
	})
	if err != nil {
		return nil, fmt.Errorf("routes: %w", err)
	}
	return namer, nil
}

func limitsOf(cfg *config.Config) series.Limits {
	return series.Limits{Series: cfg.Series.Limit, PerService: cfg.Series.LimitPerService}
}

func settingsOf(cfg *config.Config, namer *routes.Namer) probe.Settings {
	return probe.Settings{
		SeriesLimit:           uint32(cfg.Series.Limit),
		SeriesLimitPerService: uint32(cfg.Series.LimitPerService),
		FoldIDs:               namer.FoldsIDs(),
	}
}

// reloadMetrics tells whether the configuration in force is the one in the file.
type reloadMetrics struct {
	successful, successTime prometheus.Gauge
	last                    *atomic.Pointer[reloadState]
}

func reloadSuccessful() metric.Family {
	return metric.Gauge("sonde_config_last_reload_successful", "Whether the last attempt to load the configuration succeeded.")
}

func reloadSuccessTime() metric.Family {
	return metric.Gauge("sonde_config_last_reload_success_timestamp_seconds", "When the configuration in force was loaded.")
}

func newReloadMetrics() reloadMetrics {
	gauge := func(f metric.Family) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: f.Name, Help: f.Help})
	}
	m := reloadMetrics{
		successful: gauge(reloadSuccessful()), successTime: gauge(reloadSuccessTime()),
		last: new(atomic.Pointer[reloadState]),
	}
	m.record(nil)
	return m
}

func (m reloadMetrics) record(err error) {
	if err != nil {
		m.successful.Set(0)
		m.last.Store(&reloadState{loaded: m.last.Load().loaded, failure: err.Error()})
		return
	}
	m.last.Store(&reloadState{loaded: time.Now()})
	m.successful.Set(1)
	m.successTime.SetToCurrentTime()
}
