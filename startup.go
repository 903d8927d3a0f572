package main

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	"sonde_exporter/config"
	"sonde_exporter/probe"
	"sonde_exporter/web"
)

// tellConfig says in one line which configuration is in force. It has no secrets:
// credentials are never part of an endpoint.
func tellConfig(cfg *config.Config, flags *config.Flags, logger *slog.Logger) {
	file := "no configuration file"
	if flags.File() != "" {
		file = "configuration file " + flags.File()
	}
	var attrs []any
	for _, detail := range []slog.Attr{
		slog.String("set_besides", strings.Join(flags.Overrides(), ", ")),
		slog.String("traces_to", cfg.Traces.Endpoint),
		slog.String("metrics_to", cfg.MetricsExport.Endpoint),
	} {
		if detail.Value.String() != "" {
			attrs = append(attrs, detail)
		}
	}
	logger.Info(file+": "+cfg.Discovery.Summary(), attrs...)
}

// tellTaps says in one line what is seen, and what is not yet.
func (e *exporter) tellTaps() {
	var names []string
	for _, tap := range e.sources.Probe.Taps() {
		if !slices.Contains(names, tap.Name) {
			names = append(names, tap.Name)
		}
	}
	// Bytes first, then whose they are.
	order := []string{probe.TapWire, probe.TapSockets, probe.TapProcesses, probe.TapTLS}
	slices.SortFunc(names, func(a, b string) int { return slices.Index(order, a) - slices.Index(order, b) })
	message := "seeing through " + strings.Join(names, ", ")
	if !slices.Contains(names, probe.TapTLS) {
		message += "; TLS waits for the first TLS record"
	}
	if e.statsErr != nil {
		message += "; programs are not timed, as " + e.statsErr.Error()
	}
	e.logger.Info(message, "cgroup", e.sources.Probe.CgroupPath())
}

// tellEnd says in the last line why Sonde ended, and what became of the spans that
// were left then. Ctx is what signals end.
func (e *exporter) tellEnd(ctx context.Context) {
	reason := "failure" // main tells which
	if ctx.Err() != nil {
		reason = context.Cause(ctx).Error()
	}
	level, attrs := slog.LevelInfo, []any{"reason", reason}
	if e.exports.tracer != nil {
		left := e.exports.tracer.Leftover()
		if left.Failed+left.Dropped > 0 {
			level = slog.LevelWarn
		}
		attrs = append(attrs, "spans_exported", left.Exported, "spans_failed", left.Failed, "spans_dropped", left.Dropped)
	}
	e.logger.Log(context.WithoutCancel(ctx), level, "stopped", attrs...)
}

// tellServices says in one line what ran already, once all of it is known.
func (e *exporter) tellServices(ctx context.Context) {
	if err := e.sources.Probe.AwaitProcesses(ctx); err == nil {
		e.sources.Registry.Settle()
	}
}

// tellSites says where the metrics are, and calls listens after each.
func tellSites(telemetryPath string, logger *slog.Logger, listens func()) func(web.Site) {
	return func(site web.Site) {
		message := "metrics at " + site.URL + telemetryPath
		if telemetryPath != "/" {
			message += ", status page at /"
		}
		logger.Info(message, "tls", site.TLS, "basic_auth", site.BasicAuth)
		listens()
	}
}
