// Package collector turns what Sonde knows into metrics, at scrape time and one
// family a file, as node_exporter does.
package collector

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// namespace begins the name of every metric about Sonde itself.
const namespace = "sonde"

// update sends the metrics of one collector.
type update func(*scrape, chan<- prometheus.Metric) error

// collectors are all collectors by name.
func collectors() map[string]update {
	return map[string]update{
		"http_server": updateHTTPServer,
		"http_client": updateHTTPClient,
		"service":     updateService,
		"connection":  updateConnection,
		"program":     updateProgram,
		"map":         updateMap,
		"loss":        updateLoss,
		"series":      updateSeries,
		"tap":         updateTap,
		"tls":         updateTLS,
	}
}

// Help tells, by the name of each collector, what it exposes.
func Help() map[string]string {
	return map[string]string{
		"http_server": "durations of HTTP requests that services answer",
		"http_client": "durations of HTTP requests that services make",
		"service":     "the services that were found",
		"connection":  "connections by protocol",
		"program":     "cost of Sonde's BPF programs (makes the kernel measure their run time)",
		"map":         "fill of Sonde's BPF maps",
		"loss":        "what could not be observed, by reason",
		"series":      "number and limit of the series",
		"tap":         "the hooks in use",
		"tls":         "TLS libraries that are watched, and TLS that cannot be seen",
	}
}

// Set is the collectors in use.
type Set struct {
	sources Sources
	names   []string
	updates []update
}

// NewSet returns the named collectors. The error names one that does not exist.
func NewSet(sources Sources, names []string) (*Set, error) {
	set := &Set{sources: sources, names: slices.Sorted(slices.Values(names))}
	for _, name := range set.names {
		update, exists := collectors()[name]
		if !exists {
			return nil, fmt.Errorf("there is no collector %q", name)
		}
		set.updates = append(set.updates, update)
	}
	return set, nil
}

// Collector returns the set as a collector for one scrape, which ends with ctx.
func (s *Set) Collector(ctx context.Context) prometheus.Collector {
	return &pass{set: s, scrape: newScrape(ctx, s.sources)}
}

// pass is one scrape of a set. It describes nothing: the labels of services come
// and go, so it is an unchecked collector.
type pass struct {
	set    *Set
	scrape *scrape
}

func (*pass) Describe(chan<- *prometheus.Desc) {}

func (p *pass) Collect(ch chan<- prometheus.Metric) {
	duration := prometheus.NewDesc(namespace+"_scrape_collector_duration_seconds",
		"How long a collector took in this scrape.", []string{"collector"}, nil)
	success := prometheus.NewDesc(namespace+"_scrape_collector_success",
		"Whether a collector succeeded in this scrape.", []string{"collector"}, nil)
	for i, name := range p.set.names {
		begin, succeeded := time.Now(), 1.0
		err := p.scrape.ctx.Err()
		if err == nil {
			err = p.set.updates[i](p.scrape, ch)
		}
		if err != nil {
			succeeded = 0
		}
		if err != nil && p.scrape.ctx.Err() == nil {
			p.scrape.Logger.Error("a collector failed", "collector", name, "err", err)
		}
		ch <- prometheus.MustNewConstMetric(duration, prometheus.GaugeValue, time.Since(begin).Seconds(), name)
		ch <- prometheus.MustNewConstMetric(success, prometheus.GaugeValue, succeeded, name)
	}
	if err := p.scrape.ctx.Err(); err != nil {
		p.scrape.Logger.Warn("the scraper did not wait for all collectors", "err", err)
	}
}
