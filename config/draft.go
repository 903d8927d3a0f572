package config

import (
	"slices"
	"time"
)

// draft is a configuration in the making: every value with the place that set
// it, so that later checks can send the reader there.
type draft struct {
	shorthand ruleDraft
	services  []ruleDraft
	exclude   []ruleDraft
	// Those of Beyla, with globs; finish puts them among the others.
	instrument        []ruleDraft
	excludeInstrument []ruleDraft

	patterns        []located[string]
	ignoredPatterns []located[string]
	unmatched       located[string]

	buckets         located[[]float64]
	limit           located[int]
	limitPerService located[int]
	retention       located[time.Duration]

	traces     tracesDraft
	metrics    metricsDraft
	prometheus prometheusDraft
	grafana    grafanaDraft
	resource   map[string]located[string]
}

// ruleDraft is a Rule in the making.
type ruleDraft struct {
	at        location
	port      located[Ports]
	exe       located[Regexp]
	name      located[string]
	namespace located[string]
	// isGlob tells that the rule is of a list of Beyla that takes globs.
	isGlob bool
	// broken tells that a mistake in the rule was reported already, so that
	// checks of the rule as a whole would report its consequences.
	broken bool
}

func newDraft() *draft {
	c := Default()
	return &draft{
		unmatched:       located[string]{value: c.Routes.Unmatched},
		buckets:         located[[]float64]{value: c.Histogram.Buckets},
		limit:           located[int]{value: c.Series.Limit},
		limitPerService: located[int]{value: c.Series.LimitPerService},
		retention:       located[time.Duration]{value: c.Series.Retention},
		traces:          newTracesDraft(),
		metrics:         newMetricsDraft(),
	}
}

// firstPlace is where the most telling part of the rule was written, or nowhere
// if no part is set.
func (r *ruleDraft) firstPlace() location {
	for _, at := range []location{r.port.at, r.exe.at, r.name.at, r.namespace.at} {
		if at.isSet() {
			return at
		}
	}
	return location{}
}

func (r *ruleDraft) rule() Rule {
	return Rule{
		OpenPort:         r.port.value,
		ExecutableName:   r.exe.value,
		ServiceName:      r.name.value,
		ServiceNamespace: r.namespace.value,
	}
}

// finish checks the draft as a whole and makes the configuration of it.
func (d *draft) finish(p *problems) (*Config, error) {
	d.refuseBothKinds(p)
	if d.shorthand.at = d.shorthand.firstPlace(); d.shorthand.at.isSet() {
		d.services = append(d.services, d.shorthand)
	}
	d.takeInstrument()
	// The default follows a smaller limit: nobody should have to set both.
	if !d.limitPerService.isSet() {
		d.limitPerService.value = min(d.limitPerService.value, d.limit.value)
	}
	d.validate(p)
	d.grafana.validate(p)
	d.grafana.complete(&d.traces.targetDraft, tracesSignal(), p)
	d.grafana.complete(&d.metrics.targetDraft, metricsSignal(), p)
	traces, metrics, resource := d.traces.traces(p), d.metrics.metrics(p), d.attributes(p)
	prometheus := d.prometheus.prometheus(p)
	if err := p.err(); err != nil {
		return nil, err
	}
	return &Config{
		Discovery: Discovery{Services: rules(d.services), Exclude: rules(d.exclude)},
		Routes: Routes{
			Patterns:        values(d.patterns),
			IgnoredPatterns: values(d.ignoredPatterns),
			Unmatched:       d.unmatched.value,
		},
		Histogram: Histogram{Buckets: slices.Clone(d.buckets.value)},
		Series: Series{
			Limit:           d.limit.value,
			LimitPerService: d.limitPerService.value,
			Retention:       d.retention.value,
		},
		Traces:        traces,
		MetricsExport: metrics,
		Prometheus:    prometheus,
		Resource:      resource,
		Warnings:      p.warned(),
	}, nil
}

func rules(drafts []ruleDraft) []Rule {
	var all []Rule
	for _, r := range drafts {
		all = append(all, r.rule())
	}
	return all
}

func values(list []located[string]) []string {
	var all []string
	for _, l := range list {
		all = append(all, l.value)
	}
	return all
}
