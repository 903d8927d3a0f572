// Package otlpmetrics pushes the metrics of services by OTLP: the same series
// that a scrape shows, under the names of the OpenTelemetry conventions.
//
// All counts are cumulative, so an export that fails loses nothing: the next one
// carries its counts as well. Nothing is queued, and nothing waits for the
// endpoint but the goroutine of [Exporter.Run].
package otlpmetrics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"sonde_exporter/config"
	"sonde_exporter/otlp"
	"sonde_exporter/series"
)

// shutdownTime is how long the last export may take. A service manager that
// stops Sonde waits for longer.
const shutdownTime = 2 * time.Second

// Options is everything that [New] needs to know.
type Options struct {
	Config config.MetricsExport
	// Resource is added to the resource of every service.
	Resource map[string]string
	// Host is the name of this host, which tells its counts of a service from
	// those of other hosts.
	Host string
	// Read returns all series, which become the exporter's own.
	Read    func(context.Context) (series.Fold, error)
	Table   *series.Table
	Started time.Time // when all counting began
	Version string    // of Sonde
	Logger  *slog.Logger
}

// Exporter exports all metrics once an interval. It implements
// prometheus.Collector with the counters about itself.
type Exporter struct {
	counters
	read     func(context.Context) (series.Fold, error)
	encoder  encoder
	client   client
	interval time.Duration
	timeout  time.Duration // of one attempt; 0: none but the interval
	endpoint string        // without password, for the log
	redactor otlp.Redactor
	logger   *slog.Logger
	failing  bool // as the log knows it
	rejected bool // as the log knows it: points were rejected
}

// New returns an exporter that has not connected yet. The error begins with the
// setting that cannot be used.
func New(opts Options) (*Exporter, error) {
	target := opts.Config.Target
	endpoint, err := url.Parse(target.Endpoint)
	if err != nil || endpoint.Host == "" {
		// Without url.Parse's error, which quotes the URL: a password may be in it.
		return nil, errors.New("endpoint is not a URL: write it as http://host:4318")
	}
	if opts.Config.Interval <= 0 {
		return nil, fmt.Errorf("interval is %s: give a time above 0, such as 60s", opts.Config.Interval)
	}
	client, err := newClient(target, endpoint, opts.Version)
	if err != nil {
		return nil, err
	}
	return &Exporter{
		counters: newCounters(), read: opts.Read, client: client, logger: opts.Logger,
		interval: opts.Config.Interval, timeout: target.Timeout,
		endpoint: endpoint.Redacted(), redactor: otlp.NewRedactor(target),
		encoder: newEncoder(opts),
	}, nil
}

// Run exports once an interval until ctx ends, then for the last time, and
// closes the connection. It must return before what Read needs is closed.
func (e *Exporter) Run(ctx context.Context) {
	ticks := time.NewTicker(e.interval)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			e.finish(context.WithoutCancel(ctx))
			return
		case <-ticks.C:
			e.exportWithin(ctx, e.interval)
		}
	}
}

func (e *Exporter) finish(ctx context.Context) {
	e.exportWithin(ctx, min(shutdownTime, e.interval))
	if err := e.client.Close(); err != nil {
		e.logger.Warn("the connection for metrics by OTLP was not closed", "endpoint", e.endpoint, "err", err)
	}
}

// exportWithin exports all metrics in the given time, counts how it went, and
// logs when that changes.
func (e *Exporter) exportWithin(ctx context.Context, limit time.Duration) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	sent, err := e.export(limited)
	if ctx.Err() != nil || (sent == 0 && err == nil) {
		return // Sonde is stopping and will try once more, or there is nothing to tell yet
	}
	e.countExport(err)
	switch {
	case err != nil && !e.failing:
		e.logger.Warn("metrics are not exported by OTLP; nothing is lost if a later attempt succeeds", "endpoint", e.endpoint, "err", e.redactor.Line(err.Error()))
	case err == nil && e.failing:
		e.logger.Info("metrics are exported by OTLP again", "endpoint", e.endpoint)
	}
	e.failing = err != nil
}

// export sends all metrics, in as many requests as they take. The error is that
// of the first request that failed.
func (e *Exporter) export(ctx context.Context) (sent int, failure error) {
	fold, err := e.read(ctx)
	if err != nil {
		return 0, err
	}
	var rejected rejection
	for request := range e.encoder.requests(fold, time.Now()) {
		sent++
		part, err := e.send(ctx, request)
		if err != nil && failure == nil {
			failure = err
		}
		rejected.add(part)
		if ctx.Err() != nil {
			break
		}
	}
	e.report(rejected)
	return sent, failure
}

// report counts the points that the endpoint rejected. To send them again would
// be in vain: the protocol forbids it.
func (e *Exporter) report(r rejection) {
	e.rejectedPoints.Add(float64(r.points))
	if r.points > 0 && !e.rejected {
		e.logger.Warn("the OTLP endpoint rejects some metrics", "endpoint", e.endpoint, "points", r.points, "reason", e.redactor.Line(r.reason))
	}
	e.rejected = r.points > 0
}
