package main

import (
	"net/http"
	"reflect"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
)

// TestPoints: metrics of every type are told again, with nothing changed.
func TestPoints(t *testing.T) {
	b := newBench(t, settings{})
	viaGRPC, err := otlpmetricgrpc.New(t.Context(), otlpmetricgrpc.WithInsecure(), otlpmetricgrpc.WithEndpoint(b.settings.grpc))
	if err != nil {
		t.Fatal(err)
	}
	viaHTTP, err := otlpmetrichttp.New(t.Context(), otlpmetrichttp.WithInsecure(), otlpmetrichttp.WithEndpoint(b.settings.http))
	if err != nil {
		t.Fatal(err)
	}
	for protocol, exporter := range map[string]metric.Exporter{"grpc": viaGRPC, "http": viaHTTP} {
		t.Run(protocol, func(t *testing.T) {
			b.do(t, http.MethodPost, "/reset", nil)
			if err := exporter.Export(t.Context(), sample()); err != nil {
				t.Fatal(err)
			}
			got := get[[]point](t, b, "/points")
			if want := samplePoints(); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
			if c := get[counts](t, b, "/counts"); c.Points != 4 || c.Requests != 1 {
				t.Errorf("got %+v, want 4 points in one request", c)
			}
		})
	}
}

// sample are metrics of the four types that Sonde may send.
func sample() *metricdata.ResourceMetrics {
	start, now, get := time.Unix(1, 0), time.Unix(2, 0), attribute.NewSet(attribute.String("http.request.method", "GET"))
	aggregations := map[string]metricdata.Aggregation{
		"a.gauge": metricdata.Gauge[float64]{DataPoints: []metricdata.DataPoint[float64]{{Attributes: get, StartTime: start, Time: now, Value: 1.5}}},
		"a.sum": metricdata.Sum[int64]{
			Temporality: metricdata.CumulativeTemporality, IsMonotonic: true,
			DataPoints: []metricdata.DataPoint[int64]{{Attributes: get, StartTime: start, Time: now, Value: 7}},
		},
		"explicit": metricdata.Histogram[float64]{Temporality: metricdata.CumulativeTemporality, DataPoints: []metricdata.HistogramDataPoint[float64]{{
			Attributes: get, StartTime: start, Time: now, Count: 3, Sum: 0.6, Bounds: []float64{0.1, 1}, BucketCounts: []uint64{1, 2, 0},
			Exemplars: []metricdata.Exemplar[float64]{{Time: now, Value: 0.2, SpanID: []byte("a span 1"), TraceID: []byte("trace 0000000001")}},
		}}},
		"exponential": metricdata.ExponentialHistogram[float64]{Temporality: metricdata.CumulativeTemporality, DataPoints: []metricdata.ExponentialHistogramDataPoint[float64]{{
			Attributes: get, StartTime: start, Time: now, Count: 4, Sum: 0.6, Scale: 3, ZeroCount: 1,
			PositiveBucket: metricdata.ExponentialBucket{Offset: -20, Counts: []uint64{1, 2}},
		}}},
	}
	scope := metricdata.ScopeMetrics{Scope: instrumentation.Scope{Name: "sonde"}}
	for _, name := range []string{"a.gauge", "a.sum", "explicit", "exponential"} {
		scope.Metrics = append(scope.Metrics, metricdata.Metrics{Name: name, Unit: "s", Data: aggregations[name]})
	}
	return &metricdata.ResourceMetrics{
		Resource:     resource.NewSchemaless(attribute.String("service.name", "shop")),
		ScopeMetrics: []metricdata.ScopeMetrics{scope},
	}
}

// samplePoints is what the control socket has to tell about sample.
func samplePoints() []point {
	head := point{
		Resource: map[string]any{"service.name": "shop"}, Scope: "sonde", Unit: "s",
		Attributes: map[string]any{"http.request.method": "GET"}, Start: 1_000_000_000, Time: 2_000_000_000,
	}
	gauge, sum, explicit, exponential := head, head, head, head
	gauge.Name, gauge.Type, gauge.Value = "a.gauge", "Gauge", 1.5
	sum.Name, sum.Type, sum.Value, sum.Temporality, sum.Monotonic = "a.sum", "Sum", 7, "Cumulative", true
	explicit.Name, explicit.Type, explicit.Temporality = "explicit", "Histogram", "Cumulative"
	explicit.Count, explicit.Sum, explicit.Bounds, explicit.Buckets = 3, 0.6, []float64{0.1, 1}, []uint64{1, 2, 0}
	explicit.Exemplars = []exemplar{{TraceID: "74726163652030303030303030303031", SpanID: "61207370616e2031", Value: 0.2, Time: 2_000_000_000}}
	exponential.Name, exponential.Type, exponential.Temporality = "exponential", "ExponentialHistogram", "Cumulative"
	exponential.Count, exponential.Sum, exponential.Scale, exponential.ZeroCount = 4, 0.6, 3, 1
	exponential.Offset, exponential.Buckets = -20, []uint64{1, 2}
	return []point{gauge, sum, explicit, exponential}
}
