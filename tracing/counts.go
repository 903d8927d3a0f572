package tracing

import (
	"sync/atomic"

	"sonde_exporter/metric"
	"sonde_exporter/otlp"
)

// dropReason is an index into dropReasons.
type dropReason int

const (
	droppedQueueFull dropReason = iota
	droppedShutdown
	droppedUnknownService
	droppedIgnoredRoute
	dropReasonCount
)

// dropReasons say why a span is not sent, besides what is lost in the kernel.
func dropReasons() [dropReasonCount]metric.Value {
	return [dropReasonCount]metric.Value{
		droppedQueueFull:      {Text: "queue_full", Meaning: "the queue was full, as the receiver is slower than requests come, or away"},
		droppedShutdown:       {Text: "shutdown", Meaning: "Sonde ended before it was sent"},
		droppedUnknownService: {Text: "unknown_service", Meaning: "its service was gone, or is not measured any more"},
		droppedIgnoredRoute:   {Text: "ignored_route", Meaning: "its path is one of `routes.ignored_patterns`"},
	}
}

// counts are the accounts of spans. The zero value is ready for use.
type counts struct {
	sampled, exported atomic.Uint64
	dropped           [dropReasonCount]atomic.Uint64
	unauthorized      atomic.Uint64
	unavailable       atomic.Uint64
	timeout           atomic.Uint64
	refused           atomic.Uint64
	rejected          atomic.Uint64
	other             atomic.Uint64
}

// Outcome is what became of spans when Sonde ended.
type Outcome struct {
	Exported uint64
	Failed   uint64 // sent, and not accepted
	Dropped  uint64 // not sent any more
}

// outcome is that of all spans. What never was to be sent is none of it.
func (c *counts) outcome() Outcome {
	o := Outcome{Exported: c.exported.Load(), Dropped: c.dropped[droppedShutdown].Load()}
	for _, kind := range otlp.Kinds() {
		o.Failed += c.failed(kind).Load()
	}
	return o
}

func (o Outcome) since(earlier Outcome) Outcome {
	return Outcome{o.Exported - earlier.Exported, o.Failed - earlier.Failed, o.Dropped - earlier.Dropped}
}

func (c *counts) drop(reason dropReason, spans uint64) { c.dropped[reason].Add(spans) }

func (c *counts) fail(kind otlp.Kind, spans uint64) { c.failed(kind).Add(spans) }

func (c *counts) failed(kind otlp.Kind) *atomic.Uint64 {
	switch kind {
	case otlp.Unauthorized:
		return &c.unauthorized
	case otlp.Unavailable:
		return &c.unavailable
	case otlp.Timeout:
		return &c.timeout
	case otlp.Refused:
		return &c.refused
	case otlp.Rejected:
		return &c.rejected
	default:
		return &c.other
	}
}
