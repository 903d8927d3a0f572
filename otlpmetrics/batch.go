package otlpmetrics

import (
	"time"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"
)

const cumulative = metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE

// framing is the most that one message inside another adds to its size: the tag
// and the length of up to 4 MiB.
const framing = 5

// batch is a request that is being filled with points in the order of pointsOf.
type batch struct {
	encoder *encoder
	read    time.Time
	request *collectorpb.ExportMetricsServiceRequest
	size    int // in bytes

	last     point // the one that was added last
	resource *metricspb.ResourceMetrics
	metric   *metricspb.Metric
}

func newBatch(e *encoder, read time.Time) *batch {
	return &batch{encoder: e, read: read, request: &collectorpb.ExportMetricsServiceRequest{}}
}

// add puts a point under the resource of its service and under its metric.
func (b *batch) add(p point) {
	if b.resource == nil || !sameService(b.last, p) {
		b.openResource(p)
	}
	if b.metric == nil || b.last.definition.Name != p.definition.Name {
		b.openMetric(p)
	}
	b.last = p
	b.size += framing + b.encoder.addPoint(b.metric, p, b.read)
}

func sameService(a, b point) bool {
	return a.labels.ServiceName == b.labels.ServiceName && a.labels.ServiceNamespace == b.labels.ServiceNamespace
}

func (b *batch) openResource(p point) {
	b.resource = &metricspb.ResourceMetrics{
		Resource:     b.encoder.resourceOf(p),
		ScopeMetrics: []*metricspb.ScopeMetrics{{Scope: b.encoder.scope}},
	}
	b.metric = nil
	b.request.ResourceMetrics = append(b.request.ResourceMetrics, b.resource)
	b.size += 2*framing + proto.Size(b.resource)
}

func (b *batch) openMetric(p point) {
	b.metric = &metricspb.Metric{
		Name: p.definition.Name, Unit: string(p.definition.Unit), Description: p.definition.Description,
	}
	if b.encoder.exponential {
		b.metric.Data = &metricspb.Metric_ExponentialHistogram{
			ExponentialHistogram: &metricspb.ExponentialHistogram{AggregationTemporality: cumulative},
		}
	} else {
		b.metric.Data = &metricspb.Metric_Histogram{
			Histogram: &metricspb.Histogram{AggregationTemporality: cumulative},
		}
	}
	scope := b.resource.ScopeMetrics[0]
	scope.Metrics = append(scope.Metrics, b.metric)
	b.size += 2*framing + proto.Size(b.metric)
}
