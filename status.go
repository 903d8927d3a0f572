package main

import (
	"cmp"
	"net/url"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/prometheus/common/version"

	"sonde_exporter/collector"
	"sonde_exporter/config"
	"sonde_exporter/probe"
	"sonde_exporter/status"
)

// newStatus returns what the status page and its API show.
func newStatus(o options, e *exporter) *status.Reader {
	s := e.sources
	return status.NewReader(status.Options{
		Kernel: s.Probe, TLS: s.TLS, Instances: s.Registry.Instances, Fold: s.Fold, Connections: s.Connections,
		Overflow: s.Overflow, Table: s.Table, Logger: e.logger,
		Describe: func() status.Description { return describe(o, e) },
	})
}

func describe(o options, e *exporter) status.Description {
	cfg, last := e.config(), e.reloads.last.Load()
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return status.Description{
		Sonde: status.Sonde{
			Version: version.Version, Revision: version.GetRevision(), Host: host,
			Kernel: probe.KernelRelease(), Architecture: runtime.GOARCH,
			StartTime: e.sources.Started, Ready: e.ready.Load(),
		},
		Config: status.Configuration{
			File: o.config.File(), LoadTime: last.loaded, LastReloadSuccessful: last.failure == "", LastReloadError: last.failure,
			ServiceRules: len(cfg.Discovery.Services), ExcludeRules: len(cfg.Discovery.Exclude),
		},
		Collectors: describeCollectors(o.collectors), Exports: e.exports.describe(),
		LimitPerService: cfg.Series.LimitPerService,
		Untimed:         e.untimed(),
	}
}

// untimed is why the cost of programs is not known, or "".
func (e *exporter) untimed() string {
	switch {
	case e.statsErr != nil:
		return e.statsErr.Error()
	case e.stats == nil:
		return "the collector program, which makes the kernel time them, is off"
	}
	return ""
}

func describeCollectors(inUse []string) []status.Collector {
	var all []status.Collector
	for name, shows := range collector.Help() {
		c := status.Collector{Name: name, Shows: shows, On: slices.Contains(inUse, name)}
		if !c.On {
			c.Reason = "switched off by a flag or its variable; --collector." + name + " switches it on"
		}
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b status.Collector) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// describe names the ways out. Endpoints are those that Sonde began with: a reload
// does not change them.
func (x exports) describe() []status.Export {
	return []status.Export{
		describeExport("traces", x.targets.traces, "otel_traces_export"),
		describeExport("metrics", x.targets.metrics, "otel_metrics_export"),
	}
}

func describeExport(signal string, target config.Target, section string) status.Export {
	if target.Endpoint == "" {
		return status.Export{Signal: signal, Reason: section + " has no endpoint"}
	}
	return status.Export{Signal: signal, On: true, Endpoint: origin(target.Endpoint), Protocol: target.Protocol}
}

// origin is where an endpoint is, without anything that may be secret.
func origin(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// reloadState is how the last attempts to load the configuration ended.
type reloadState struct {
	loaded  time.Time // when the configuration in force was loaded
	failure string    // why a newer one was refused
}
