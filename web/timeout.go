package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"
)

const (
	// timeoutHeader carries Prometheus's scrape_timeout in seconds.
	timeoutHeader = "X-Prometheus-Scrape-Timeout-Seconds"

	// timeoutOffset is kept for encoding and sending the answer: metrics that
	// arrive after the timeout are thrown away whole.
	timeoutOffset = 250 * time.Millisecond

	// maxTimeout is far above any useful scrape timeout. It keeps the conversion
	// to [time.Duration] from overflowing.
	maxTimeout = 24 * time.Hour
)

// scrapeContext returns the request's context, which ends a little before the
// scraper stops waiting. A header that makes no sense is ignored: a scrape
// without a deadline is better than no scrape.
func scrapeContext(r *http.Request, logger *slog.Logger) (context.Context, context.CancelFunc) {
	value := r.Header.Get(timeoutHeader)
	if value == "" {
		return context.WithCancel(r.Context())
	}
	timeout, err := parseScrapeTimeout(value)
	if err != nil {
		logger.Debug("The scrape timeout is ignored.", "header", timeoutHeader, "err", err)
		return context.WithCancel(r.Context())
	}
	return context.WithTimeout(r.Context(), collectTime(timeout))
}

// parseScrapeTimeout reads a number of seconds, which may have a fraction.
func parseScrapeTimeout(value string) (time.Duration, error) {
	seconds, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return 0, fmt.Errorf("the value is not a number of seconds: %w", err)
	}
	// Written this way round because it is false for NaN.
	if !(seconds > 0 && seconds <= maxTimeout.Seconds()) {
		return 0, fmt.Errorf("%v seconds is not above zero and at most %v", seconds, maxTimeout.Seconds())
	}
	return time.Duration(seconds * float64(time.Second)), nil
}

// collectTime is the part of a scrape timeout that collectors may use. It is at
// least half of it, so that very short timeouts work too.
func collectTime(timeout time.Duration) time.Duration {
	return max(timeout-timeoutOffset, timeout/2)
}
