// Package web serves Sonde's HTTP endpoints: the metrics, the status page and the
// same as JSON, health, readiness and reload.
//
// It knows nothing of flags, collectors or the kernel: everything comes in
// through [Options].
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"sonde_exporter/status"
)

// Paths of the endpoints that operate the exporter, as in Prometheus itself.
const (
	healthyPath = "/-/healthy"
	readyPath   = "/-/ready"
	reloadPath  = "/-/reload"

	servicesPath = "/api/v1/services"

	defaultTelemetryPath = "/metrics"
)

// Options is everything that [NewHandler] needs to know.
type Options struct {
	// Logger receives what a client cannot be told. Nil discards it.
	Logger *slog.Logger

	// TelemetryPath is where the metrics are; empty means "/metrics". The path
	// "/" replaces the status page, as in node_exporter.
	TelemetryPath string

	// MaxRequests limits the scrapes that run at the same time; one more is
	// answered with 503. Zero means no limit.
	MaxRequests int

	// Gather returns what one scrape reads. The context ends when the scraper
	// has gone or is about to give up waiting. Required.
	Gather func(ctx context.Context) prometheus.Gatherer

	// Registerer receives the promhttp_* metrics about the scrapes themselves.
	// Nil leaves them out.
	Registerer prometheus.Registerer

	// Ready tells whether the exporter measures yet. Nil means always.
	Ready func() bool

	// Reload reads the configuration again. Its error is shown to the client,
	// so it must be a sentence. Nil means that there is nothing to reload.
	Reload func(ctx context.Context) error

	// Status reads what the page and the API show, which must not change any more.
	// Nil means that there is neither.
	Status func(ctx context.Context) (*status.Status, error)
}

// NewHandler returns the handler of all endpoints, without TLS and
// authentication: [Serve] adds these.
func NewHandler(opts Options) (http.Handler, error) {
	if opts.Gather == nil {
		return nil, errors.New("web: Options.Gather is required")
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.TelemetryPath == "" {
		opts.TelemetryPath = defaultTelemetryPath
	}
	if err := checkTelemetryPath(opts.TelemetryPath); err != nil {
		return nil, err
	}

	mux := http.NewServeMux()
	mux.Handle(opts.TelemetryPath, newMetricsHandler(opts))
	mux.Handle(healthyPath, healthyHandler())
	mux.Handle(readyPath, readyHandler(opts.Ready))
	mux.Handle(reloadPath, reloadHandler(opts.Reload))
	if err := addStatus(mux, opts); err != nil {
		return nil, err
	}
	return mux, nil
}

// addStatus adds the API, and the page where no metrics are.
func addStatus(mux *http.ServeMux, opts Options) error {
	if opts.Status == nil {
		return nil
	}
	mux.Handle(servicesPath, newServicesAPI(opts))
	mux.Handle("/api/", unknownAPI())
	if opts.TelemetryPath == "/" {
		return nil
	}
	page, err := newStatusPage(opts)
	if err != nil {
		return err
	}
	mux.Handle("/{$}", page) // and nothing below it
	return nil
}

// checkTelemetryPath refuses what [http.ServeMux] would take for a pattern, and
// what would hide another endpoint.
func checkTelemetryPath(p string) error {
	switch {
	case !strings.HasPrefix(p, "/"):
		return fmt.Errorf("the telemetry path %q does not begin with a slash: write %q", p, "/"+p)
	case strings.ContainsAny(p, "{}?#% \t\r\n"):
		return fmt.Errorf("the telemetry path %q contains a character that is not allowed there: use letters, digits, slashes, dots, dashes and underscores", p)
	case path.Clean(p) != p:
		return fmt.Errorf("the telemetry path %q is not in its shortest form: write %q", p, path.Clean(p))
	case strings.HasPrefix(p, "/-/"), strings.HasPrefix(p, "/api/"):
		return fmt.Errorf("the telemetry path %q is reserved: choose one that does not begin with /-/ or /api/", p)
	}
	return nil
}
