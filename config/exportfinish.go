package config

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// maxQueue bounds the memory of waiting spans, at a few KiB each.
	maxQueue = 1_000_000
	// maxNames bounds the lists that are gone through for every span.
	maxNames = 100
)

// traces checks the section as a whole and makes a Traces of it.
func (t *tracesDraft) traces(p *problems) Traces {
	// The default follows a smaller queue: nobody should have to set both.
	if !t.batchSize.isSet() {
		t.batchSize.value = min(t.batchSize.value, max(1, t.queueSize.value))
	}
	t.validateQueue(p)
	if t.keepSlowerThan.value < 0 {
		p.tell(t.keepSlowerThan.at, "must not be below zero, but is %s; write 0s to keep none", t.keepSlowerThan.value)
	}
	validateNames(t.scrubQuery, p)
	validateNames(t.reqHeader, p)
	for _, name := range t.reqHeader.value {
		if checkHeaderName(name) != nil {
			p.tell(t.reqHeader.at, "has %s, which is not the name of a header", quote(name))
		}
	}
	return Traces{
		Target:         t.target(tracesSignal(), p),
		Sampler:        t.sampler.value,
		Ratio:          t.ratio(p),
		KeepErrors:     t.keepErrors.value,
		KeepSlowerThan: t.keepSlowerThan.value,
		QueueSize:      t.queueSize.value,
		BatchSize:      t.batchSize.value,
		BatchTimeout:   t.batchTimeout.value,
		Query:          t.query.value,
		ScrubQuery:     slices.Clone(t.scrubQuery.value),
		RequestHeaders: lowerCase(t.reqHeader.value),
	}
}

func (t *tracesDraft) validateQueue(p *problems) {
	queue, batch := t.queueSize, t.batchSize
	for _, size := range []located[int]{queue, batch} {
		if size.value <= 0 {
			p.tell(size.at, "must be above zero, not %d", size.value)
		}
	}
	if queue.value > maxQueue {
		p.tell(queue.at, "must be at most %d, not %d", maxQueue, queue.value)
	}
	if queue.value > 0 && batch.value > queue.value {
		p.tell(cmp.Or(batch.at, queue.at), "is %d, more than the queue holds, %d; lower it or raise queue_size", batch.value, queue.value)
	}
	validateTime(t.batchTimeout, time.Millisecond, p)
}

func validateNames(list located[[]string], p *problems) {
	if len(list.value) > maxNames {
		p.tell(list.at, "has %d items; at most %d are allowed", len(list.value), maxNames)
	}
	for _, name := range list.value {
		if err := checkText(name); err != nil {
			p.tell(list.at, "has %s, which %w", quote(name), err)
		}
	}
}

// ratio is the share of traces that the sampler takes.
func (t *tracesDraft) ratio(p *problems) float64 {
	if !takesRatio(t.sampler.value) {
		arg := t.samplerArg.at
		// A flag or a variable may replace the sampler of the file alone.
		isLeftOver := arg.isInFile() && t.sampler.isSet() && !t.sampler.at.isInFile()
		if arg.isSet() && !arg.isStandard() && !isLeftOver {
			p.tell(arg, "has no meaning for the sampler %s; remove it or write %s", quote(t.sampler.value), SamplerParentOrRatio)
		}
	}
	switch t.sampler.value {
	case SamplerAlwaysOn, SamplerParentOrAlwaysOn:
		return 1
	case SamplerAlwaysOff, SamplerParentOrAlwaysOff:
		return 0
	case SamplerRatio, SamplerParentOrRatio:
		return parseRatio(t.samplerArg, p)
	}
	p.tell(t.sampler.at, "must be always_on, always_off, traceidratio, or one of these after parentbased_, not %s",
		quote(t.sampler.value))
	return 0
}

// parseRatio reads a share of 0 to 1; without one it is 1, as specified for
// OTEL_TRACES_SAMPLER_ARG.
func parseRatio(arg located[string], p *problems) float64 {
	if arg.value == "" {
		return 1
	}
	ratio, err := strconv.ParseFloat(arg.value, 64)
	// Written this way round, NaN is refused too.
	if err != nil || !(ratio >= 0 && ratio <= 1) {
		p.tell(arg.at, "must be a number from 0 to 1, such as 0.1, not %s", quote(arg.value))
	}
	return ratio
}

// metrics checks the section as a whole and makes a MetricsExport of it.
func (m *metricsDraft) metrics(p *problems) MetricsExport {
	validateTime(m.interval, time.Second, p)
	if h := m.histogram; h.value != HistogramExplicit && h.value != HistogramExponential {
		p.tell(h.at, "must be %s or %s, not %s", HistogramExplicit, HistogramExponential, quote(h.value))
	}
	return MetricsExport{
		Target:    m.target(metricsSignal(), p),
		Interval:  m.interval.value,
		Histogram: m.histogram.value,
	}
}

func lowerCase(names []string) []string {
	var lower []string
	for _, name := range names {
		lower = append(lower, strings.ToLower(name))
	}
	return lower
}
