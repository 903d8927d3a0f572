package main

import (
	"context"

	"go.opentelemetry.io/collector/pdata/pmetric"
)

// point is one data point of a metric as the control socket tells it. What its
// type does not have is zero.
type point struct {
	Resource    map[string]any `json:"resource"`
	Scope       string         `json:"scope"`
	Name        string         `json:"name"`
	Unit        string         `json:"unit"`
	Type        string         `json:"type"`        // Gauge, Sum, Histogram, ExponentialHistogram or Summary
	Temporality string         `json:"temporality"` // Cumulative or Delta
	Monotonic   bool           `json:"monotonic"`
	Attributes  map[string]any `json:"attributes"`
	Start       uint64         `json:"start"` // nanoseconds since 1970
	Time        uint64         `json:"time"`
	Value       float64        `json:"value"`
	Count       uint64         `json:"count"`
	Sum         float64        `json:"sum"`
	Bounds      []float64      `json:"bounds"`  // of an explicit histogram
	Buckets     []uint64       `json:"buckets"` // of both kinds of histogram; of an exponential one, above zero
	Scale       int32          `json:"scale"`
	Offset      int32          `json:"offset"`
	ZeroCount   uint64         `json:"zero_count"`
	Exemplars   []exemplar     `json:"exemplars"`
}

// exemplar is one observation of a histogram with its span.
type exemplar struct {
	TraceID string  `json:"trace_id"`
	SpanID  string  `json:"span_id"`
	Value   float64 `json:"value"`
	Time    uint64  `json:"time"`
}

// consumeMetrics is what the receiver hands metrics to.
func (s *store) consumeMetrics(ctx context.Context, all pmetric.Metrics) error {
	verdict := verdictOf(ctx)
	for _, fromResource := range all.ResourceMetrics().All() {
		resource := fromResource.Resource().Attributes().AsRaw()
		for _, fromScope := range fromResource.ScopeMetrics().All() {
			for _, metric := range fromScope.Metrics().All() {
				head := point{
					Resource: resource, Scope: fromScope.Scope().Name(),
					Name: metric.Name(), Unit: metric.Unit(), Type: metric.Type().String(),
				}
				for _, p := range pointsOf(metric, head) {
					if verdict.isRejected() {
						s.countRejected()
						continue
					}
					s.addPoint(p)
				}
			}
		}
	}
	return nil
}

// pointsOf completes head for each data point of a metric.
func pointsOf(metric pmetric.Metric, head point) (points []point) {
	switch metric.Type() {
	case pmetric.MetricTypeGauge:
		for _, from := range metric.Gauge().DataPoints().All() {
			points = append(points, numberPoint(head, from))
		}
	case pmetric.MetricTypeSum:
		head.Temporality = metric.Sum().AggregationTemporality().String()
		head.Monotonic = metric.Sum().IsMonotonic()
		for _, from := range metric.Sum().DataPoints().All() {
			points = append(points, numberPoint(head, from))
		}
	case pmetric.MetricTypeHistogram:
		head.Temporality = metric.Histogram().AggregationTemporality().String()
		for _, from := range metric.Histogram().DataPoints().All() {
			p := head
			p.Attributes, p.Start, p.Time = from.Attributes().AsRaw(), uint64(from.StartTimestamp()), uint64(from.Timestamp())
			p.Count, p.Sum = from.Count(), from.Sum()
			p.Bounds, p.Buckets = from.ExplicitBounds().AsRaw(), from.BucketCounts().AsRaw()
			p.Exemplars = exemplarsOf(from.Exemplars())
			points = append(points, p)
		}
	case pmetric.MetricTypeExponentialHistogram:
		head.Temporality = metric.ExponentialHistogram().AggregationTemporality().String()
		for _, from := range metric.ExponentialHistogram().DataPoints().All() {
			p := head
			p.Attributes, p.Start, p.Time = from.Attributes().AsRaw(), uint64(from.StartTimestamp()), uint64(from.Timestamp())
			p.Count, p.Sum, p.Scale, p.ZeroCount = from.Count(), from.Sum(), from.Scale(), from.ZeroCount()
			p.Offset, p.Buckets = from.Positive().Offset(), from.Positive().BucketCounts().AsRaw()
			p.Exemplars = exemplarsOf(from.Exemplars())
			points = append(points, p)
		}
	case pmetric.MetricTypeSummary:
		for _, from := range metric.Summary().DataPoints().All() {
			p := head
			p.Attributes, p.Start, p.Time = from.Attributes().AsRaw(), uint64(from.StartTimestamp()), uint64(from.Timestamp())
			p.Count, p.Sum = from.Count(), from.Sum()
			points = append(points, p)
		}
	case pmetric.MetricTypeEmpty:
	}
	return points
}

func numberPoint(head point, from pmetric.NumberDataPoint) point {
	head.Attributes, head.Start, head.Time = from.Attributes().AsRaw(), uint64(from.StartTimestamp()), uint64(from.Timestamp())
	if head.Value = from.DoubleValue(); from.ValueType() == pmetric.NumberDataPointValueTypeInt {
		head.Value = float64(from.IntValue())
	}
	return head
}

func exemplarsOf(all pmetric.ExemplarSlice) (exemplars []exemplar) {
	for _, from := range all.All() {
		exemplars = append(exemplars, exemplar{
			TraceID: from.TraceID().String(), SpanID: from.SpanID().String(),
			Value: from.DoubleValue(), Time: uint64(from.Timestamp()),
		})
	}
	return exemplars
}
