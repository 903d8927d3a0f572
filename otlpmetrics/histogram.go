package otlpmetrics

import (
	"time"

	dto "github.com/prometheus/client_model/go"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"
)

// addPoint appends a point to its metric, and returns the point's size in bytes.
func (e *encoder) addPoint(m *metricspb.Metric, p point, read time.Time) int {
	scraped := e.asScraped(p.histogram)
	start, end := uint64(e.started.UnixNano()), uint64(read.UnixNano())
	if histogram := m.GetExponentialHistogram(); histogram != nil {
		added := exponentialPoint(scraped)
		added.Attributes = pointAttributes(p)
		added.StartTimeUnixNano, added.TimeUnixNano = start, end
		histogram.DataPoints = append(histogram.DataPoints, added)
		return proto.Size(added)
	}
	added := explicitPoint(scraped)
	added.Attributes = pointAttributes(p)
	added.StartTimeUnixNano, added.TimeUnixNano = start, end
	histogram := m.GetHistogram()
	histogram.DataPoints = append(histogram.DataPoints, added)
	return proto.Size(added)
}

// explicitPoint has the classic buckets. Those of Prometheus are cumulative,
// those of OTLP are not, and OTLP's last one has no bound.
func explicitPoint(scraped *dto.Histogram) *metricspb.HistogramDataPoint {
	bounds := make([]float64, len(scraped.Bucket))
	counts := make([]uint64, len(scraped.Bucket)+1)
	var below uint64
	for i, bucket := range scraped.Bucket {
		bounds[i] = bucket.GetUpperBound()
		counts[i] = bucket.GetCumulativeCount() - below
		below = bucket.GetCumulativeCount()
	}
	counts[len(bounds)] = scraped.GetSampleCount() - below
	return &metricspb.HistogramDataPoint{
		Count: scraped.GetSampleCount(), Sum: proto.Float64(scraped.GetSampleSum()),
		ExplicitBounds: bounds, BucketCounts: counts,
	}
}

// exponentialPoint has the native buckets: a schema of Prometheus is a scale of
// OTLP, with the same bounds, upper ones inclusive. Only the numbers differ:
// bucket k of Prometheus ends at base^k, bucket i of OTLP at base^(i+1).
func exponentialPoint(scraped *dto.Histogram) *metricspb.ExponentialHistogramDataPoint {
	added := &metricspb.ExponentialHistogramDataPoint{
		Count: scraped.GetSampleCount(), Sum: proto.Float64(scraped.GetSampleSum()),
		Scale:     scraped.GetSchema(),
		ZeroCount: scraped.GetZeroCount(), ZeroThreshold: scraped.GetZeroThreshold(),
	}
	if len(scraped.PositiveSpan) > 0 {
		added.Positive = &metricspb.ExponentialHistogramDataPoint_Buckets{
			Offset:       scraped.PositiveSpan[0].GetOffset() - 1,
			BucketCounts: denseCounts(scraped.PositiveSpan, scraped.PositiveDelta),
		}
	}
	return added
}

// denseCounts writes out the gaps between spans and sums the deltas up.
func denseCounts(spans []*dto.BucketSpan, deltas []int64) []uint64 {
	var counts []uint64
	var count int64
	for i, span := range spans {
		if i > 0 { // the first span's offset is that of the whole
			counts = append(counts, make([]uint64, span.GetOffset())...)
		}
		for range span.GetLength() {
			count += deltas[0]
			deltas = deltas[1:]
			counts = append(counts, uint64(count))
		}
	}
	return counts
}
