// Package collector turns what Sonde knows into metrics, at scrape time and one
// family a file, as node_exporter does.
package collector

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sonde_exporter/metric"
)

// collector is one collector: what its flag says, what it does, and what of
// Sonde itself it exposes.
type collector struct {
	help     string
	update   func(*scrape, chan<- prometheus.Metric) error
	families []metric.Family
}

// collectors are all collectors by name.
func collectors() map[string]collector {
	return map[string]collector{
		"http_server": {"durations of HTTP requests that services answer", updateHTTPServer, nil},
		"http_client": {"durations of HTTP requests that services make", updateHTTPClient, nil},
		"service":     {"the services that were found", updateService, families(serviceInfo())},
		"connection":  {"connections by protocol", updateConnection, families(connectionsTotal())},
		"program": {"cost of Sonde's BPF programs (makes the kernel measure their run time)",
			updateProgram, families(programRuns(), programSeconds())},
		"map":    {"fill of Sonde's BPF maps", updateMap, families(mapEntries(), mapCapacity())},
		"loss":   {"what could not be observed, by reason", updateLoss, families(lostObservations(), lostEvents(), unsolicited())},
		"series": {"number and limit of the series", updateSeries, families(seriesCount(), seriesLimit(), seriesOverflow())},
		"tap":    {"the hooks in use", updateTap, families(tapInfo())},
		"tls": {"TLS libraries that are watched, and TLS that cannot be seen",
			updateTLS, families(tlsFiles(), tlsFailures(), tlsHidden())},
	}
}

func families(all ...metric.Family) []metric.Family { return all }

// Help tells, by the name of each collector, what it exposes.
func Help() map[string]string {
	all := map[string]string{}
	for name, c := range collectors() {
		all[name] = c.help
	}
	return all
}

// Families are the metrics about Sonde itself by the name of their collector; those
// of the scrape, which are always there, by no name. metric.All are the others.
func Families() map[string][]metric.Family {
	all := map[string][]metric.Family{"": {collectorDuration(), collectorSuccess()}}
	for name, c := range collectors() {
		all[name] = c.families
	}
	return all
}

func collectorDuration() metric.Family {
	return metric.Gauge("sonde_scrape_collector_duration_seconds", "How long a collector took in this scrape.", collectorLabel())
}

func collectorSuccess() metric.Family {
	return metric.Gauge("sonde_scrape_collector_success", "Whether a collector succeeded in this scrape.", collectorLabel())
}

func collectorLabel() metric.Label {
	names := slices.Sorted(maps.Keys(Help()))
	return metric.Label{Name: "collector", Meaning: "The collector, as in its flag.", Values: metric.Texts(names...)}
}

// Set is the collectors in use.
type Set struct {
	sources Sources
	names   []string
	updates []func(*scrape, chan<- prometheus.Metric) error

	duration, success metric.Family
}

// NewSet returns the named collectors. The error names one that does not exist.
func NewSet(sources Sources, names []string) (*Set, error) {
	all := collectors()
	set := &Set{
		sources: sources, names: slices.Sorted(slices.Values(names)),
		duration: collectorDuration(), success: collectorSuccess(),
	}
	for _, name := range set.names {
		c, exists := all[name]
		if !exists {
			return nil, fmt.Errorf("there is no collector %q", name)
		}
		set.updates = append(set.updates, c.update)
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
	duration, success := p.set.duration.Sender(ch), p.set.success.Sender(ch)
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
		duration(time.Since(begin).Seconds(), name)
		success(succeeded, name)
	}
	if err := p.scrape.ctx.Err(); err != nil {
		p.scrape.Logger.Warn("the scraper did not wait for all collectors", "err", err)
	}
}
