package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"sonde_exporter/test/harness"
)

// watcher scrapes the exporter every second, in text and protobuf by turns, and
// remembers what no later scrape can tell.
type watcher struct {
	exporter *harness.Exporter

	mu      sync.Mutex
	last    counters            // of the services that live on
	toggled counters            // of the service that is hidden now and then
	short   map[string]uint64   // highest count of each short-lived service
	fallen  map[string]struct{} // counters that fell or vanished
	scrapes int
	slowest time.Duration
	// slowestPart is which collector took how much of that, by the exporter's account.
	slowestPart string
	series      int // most series of requests in one scrape
}

func newWatcher(e *harness.Exporter) *watcher {
	return &watcher{exporter: e, toggled: counters{}, short: map[string]uint64{}, fallen: map[string]struct{}{}}
}

// run scrapes until ctx ends.
func (w *watcher) run(ctx context.Context, sc *scope) {
	ticks := time.NewTicker(time.Second)
	defer ticks.Stop()
	for ctx.Err() == nil {
		w.scrape(sc)
		select {
		case <-ctx.Done():
		case <-ticks.C:
		}
	}
}

func (w *watcher) scrape(sc *scope) {
	began := time.Now()
	scrape := w.exporter.Scrape
	if w.scrapes%2 == 1 {
		scrape = w.exporter.ScrapeText
	}
	snap := scrape(sc)
	if took := time.Since(began); took > w.slowest {
		w.slowest, w.slowestPart = took, slowestCollector(snap)
	}
	w.scrapes++
	if w.scrapes%5 == 0 {
		w.leaveEarly(sc)
	}
	w.compare(snap)
}

// compare looks for what fell since the scrape before.
func (w *watcher) compare(snap harness.Snapshot) {
	w.mu.Lock()
	defer w.mu.Unlock()
	lives := survivors()
	now := countersOf(snap, func(service string) bool { return slices.Contains(lives, service) })
	hidden := countersOf(snap, func(service string) bool { return service == nameToggled })
	for _, what := range w.last.fallen(now) {
		w.fallen[what] = struct{}{}
	}
	// A service that is not measured for a while shows its old counters again
	// when it is.
	for _, what := range w.toggled.fallen(w.toggled.keep(hidden)) {
		w.fallen[what] = struct{}{}
	}
	w.last, w.toggled = now, w.toggled.keep(hidden)
	w.series = max(w.series, len(snap.Series(harness.Server, nil))+len(snap.Series(harness.Client, nil)))
	for _, service := range snap.Values(harness.Server, "service_name", nil) {
		if strings.HasPrefix(service, prefixShort) {
			seen := snap.Count(harness.Server, harness.Labels{"service_name": service})
			w.short[service] = max(w.short[service], seen)
		}
	}
}

// slowestCollector names the collector that took longest, and for how long.
func slowestCollector(snap harness.Snapshot) string {
	const seconds = "sonde_scrape_collector_duration_seconds"
	name, longest := "", -1.0
	for _, collector := range snap.Values(seconds, "collector", nil) {
		if took := snap.Value(seconds, harness.Labels{"collector": collector}); took > longest {
			name, longest = collector, took
		}
	}
	return fmt.Sprintf("%s %.2fs", name, longest)
}

// leaveEarly begins a scrape and is gone before it is answered.
func (w *watcher) leaveEarly(sc *scope) {
	addr := strings.TrimPrefix(w.exporter.URL, "http://")
	if err := abort(addr, head(http.MethodGet, "/metrics", addr), 0, w.scrapes%10 == 0); err != nil {
		sc.Fatalf("the exporter takes no connection: %v", err)
	}
}
