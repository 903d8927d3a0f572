package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// newMetricsHandler answers scrapes. Each request has a gatherer of its own, so
// that collectors see the deadline of the scrape that they work for.
func newMetricsHandler(opts Options) http.Handler {
	handlerOpts := promhttp.HandlerOpts{
		ErrorLog: errorLog{opts.Logger},
		// One broken collector must not take the others' metrics away.
		ErrorHandling:     promhttp.ContinueOnError,
		Registry:          opts.Registerer,
		EnableOpenMetrics: true,
	}
	var handler http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := scrapeContext(r, opts.Logger)
		defer cancel()
		promhttp.HandlerFor(opts.Gather(ctx), handlerOpts).ServeHTTP(w, r)
	})
	handler = limitRequests(handler, opts.MaxRequests)
	if opts.Registerer != nil {
		handler = promhttp.InstrumentMetricHandler(opts.Registerer, handler)
	}
	return handler
}

// errorLog receives what promhttp has to say.
type errorLog struct {
	logger *slog.Logger
}

// Println implements promhttp.Logger. A client that leaves while it is being
// answered is told of once for every family, which is of interest to few.
func (l errorLog) Println(values ...any) {
	message, level := strings.TrimSpace(fmt.Sprintln(values...)), slog.LevelError
	if strings.HasPrefix(message, "error encoding and sending") {
		level = slog.LevelDebug
	}
	l.logger.Log(context.Background(), level, message)
}

// limitRequests lets at most limit requests run at the same time. The limit of
// promhttp itself would not do: it belongs to one handler, and here each request
// has its own.
func limitRequests(next http.Handler, limit int) http.Handler {
	if limit <= 0 {
		return next
	}
	slots := make(chan struct{}, limit)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
			next.ServeHTTP(w, r)
		default:
			message := fmt.Sprintf("Limit of concurrent requests reached (%d), try again later.", limit)
			http.Error(w, message, http.StatusServiceUnavailable)
		}
	})
}
