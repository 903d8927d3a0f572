package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/version"

	"sonde_exporter/collector"
	"sonde_exporter/config"
	"sonde_exporter/otlp"
	"sonde_exporter/otlpmetrics"
	"sonde_exporter/probe"
	"sonde_exporter/series"
	"sonde_exporter/tracing"
)

// exports are the ways out besides the scrape. Each is nil unless it has an
// endpoint.
type exports struct {
	tracer    *tracing.Tracer
	metrics   *otlpmetrics.Exporter
	exemplars *series.Exemplars
	targets   struct{ traces, metrics config.Target }
}

// newExports opens no connection: an endpoint that is not there is found out later.
func newExports(cfg *config.Config, sources collector.Sources, logger *slog.Logger) (exports, error) {
	host, err := os.Hostname()
	if err != nil {
		return exports{}, fmt.Errorf("the name of this host is not known: %w", err)
	}
	var x exports
	x.targets.traces, x.targets.metrics = cfg.Traces.Target, cfg.MetricsExport.Target
	if cfg.Traces.Endpoint != "" {
		client, err := otlp.NewTraceClient(cfg.Traces.Target, version.Version, otlp.DefaultRetry())
		if err != nil {
			return exports{}, fmt.Errorf("otel_traces_export: %w", err)
		}
		x.tracer = tracing.New(tracing.Options{
			Config: cfg.Traces, Resource: cfg.Resource, Host: host, Version: version.Version, Client: client, Logger: logger,
			Instance: sources.Registry.Instance, Operation: sources.Ledger.Lookup, Route: sources.Ledger.Route,
			Lost: func() map[string]uint64 { return lostSpans(sources.Probe, logger) },
		})
		x.exemplars = sources.Exemplars
	}
	if cfg.MetricsExport.Endpoint != "" {
		x.metrics, err = otlpmetrics.New(otlpmetrics.Options{
			Config: cfg.MetricsExport, Resource: cfg.Resource, Host: host, Version: version.Version, Logger: logger,
			Read: sources.Fold, Table: sources.Table, Started: sources.Started,
		})
		if err != nil {
			return exports{}, fmt.Errorf("otel_metrics_export: %w", err)
		}
	}
	return x, nil
}

// run exports until ctx ends, and then what is left.
func (x exports) run(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	if x.tracer != nil {
		running.Go(func() { x.tracer.Run(ctx) })
	}
	if x.metrics != nil {
		running.Go(func() { x.metrics.Run(ctx) })
	}
}

// collectors tell how the exports are doing.
func (x exports) collectors() []prometheus.Collector {
	var all []prometheus.Collector
	if x.tracer != nil {
		all = append(all, x.tracer)
	}
	if x.metrics != nil {
		all = append(all, x.metrics)
	}
	return all
}

// Span implements probe.SpanHandler.
func (x exports) Span(span *probe.Span) {
	if x.tracer == nil {
		return
	}
	x.tracer.Span(span)
	x.exemplars.Add(span.Series, series.Exemplar{
		TraceID: span.TraceID, SpanID: span.SpanID, Nanoseconds: span.EndNs - span.StartNs, Time: time.Now(),
	})
}

func lostSpans(kernel *probe.Probe, logger *slog.Logger) map[string]uint64 {
	losses, err := kernel.Losses()
	if err != nil {
		logger.Error("spans that the kernel dropped are not counted in this scrape", "err", err)
	}
	lost := map[string]uint64{}
	for _, loss := range losses {
		if loss.Of == probe.LostSpan {
			lost[loss.Reason] = loss.Count
		}
	}
	return lost
}

// parentBased begins the names of the samplers that take over a parent's decision.
const parentBased = "parentbased_"

func spanSettings(cfg config.Traces) probe.SpanSettings {
	return probe.SpanSettings{
		On:          cfg.Endpoint != "",
		ParentBased: strings.HasPrefix(cfg.Sampler, parentBased),
		Ratio:       cfg.Ratio,
		KeepErrors:  cfg.KeepErrors,
		KeepSlower:  cfg.KeepSlowerThan,
	}
}
