package otlpmetrics

import (
	"maps"
	"slices"
	"testing"
	"time"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"

	"sonde_exporter/config"
	"sonde_exporter/series"
)

func conventionBounds() []float64 {
	return []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}
}

func newTable(t testing.TB, bounds []float64) *series.Table {
	t.Helper()
	table, err := series.NewTable(bounds)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// histogramOf observes durations in nanoseconds.
func histogramOf(table *series.Table, durations ...uint64) *series.Histogram {
	histogram := new(series.Histogram)
	for _, ns := range durations {
		histogram.Observe(table, ns)
	}
	return histogram
}

func testOptions(t testing.TB) Options {
	return Options{
		Config:   config.MetricsExport{Interval: time.Minute, Histogram: config.HistogramExplicit},
		Resource: map[string]string{"deployment.environment.name": "test", "service.name": "sonde itself", "telemetry.sdk.name": "no"},
		Host:     "node7", Table: newTable(t, conventionBounds()), Started: time.Unix(1_700_000_000, 5), Version: "1.2.3",
	}
}

func testEncoder(t testing.TB, histogram string) *encoder {
	opts := testOptions(t)
	opts.Config.Histogram = histogram
	e := newEncoder(opts)
	return &e
}

func encode(e *encoder, fold series.Fold) []*collectorpb.ExportMetricsServiceRequest {
	return slices.Collect(e.requests(fold, time.Unix(1_700_000_060, 0)))
}

// onlyRequest encodes what fits into one request.
func onlyRequest(t testing.TB, e *encoder, fold series.Fold) *collectorpb.ExportMetricsServiceRequest {
	t.Helper()
	requests := encode(e, fold)
	if len(requests) != 1 {
		t.Fatalf("%d requests, want 1", len(requests))
	}
	return requests[0]
}

// plain turns attributes into Go values, and fails on a name that comes twice.
func plain(t testing.TB, attributes []*commonpb.KeyValue) map[string]any {
	t.Helper()
	values := map[string]any{}
	for _, attribute := range attributes {
		if _, twice := values[attribute.Key]; twice {
			t.Errorf("attribute %s is there twice", attribute.Key)
		}
		switch value := attribute.Value.Value.(type) {
		case *commonpb.AnyValue_StringValue:
			values[attribute.Key] = value.StringValue
		case *commonpb.AnyValue_IntValue:
			values[attribute.Key] = value.IntValue
		default:
			t.Errorf("attribute %s has the type %T", attribute.Key, value)
		}
	}
	return values
}

func shopServer() series.Labels {
	return series.Labels{
		ServiceName: "shop", ServiceNamespace: "eu", Role: series.Server, ServerPort: 8080, Method: "GET",
		Route: "/users/{id}", Status: 503, ErrorType: "503", ProtocolVersion: "1.1", Scheme: "https",
	}
}

func shopClient() series.Labels {
	return series.Labels{
		ServiceName: "shop", ServiceNamespace: "eu", Role: series.Client, ServerPort: 80, ServerAddress: "api",
		Method: "POST", Status: 204, ProtocolVersion: "1.0", Scheme: "http",
	}
}

func TestResources(t *testing.T) {
	opts := testOptions(t)
	fold := series.Fold{
		shopServer(): histogramOf(opts.Table, 1e6), shopClient(): histogramOf(opts.Table, 2e6),
		{ServiceName: "bank", Role: series.Server}:              histogramOf(opts.Table, 3e6),
		{ServiceName: "idle", Role: series.Server}:              {},
		{ServiceName: "shop", Role: series.Server, Status: 200}: histogramOf(opts.Table, 4e6), // of no namespace
	}
	request := onlyRequest(t, testEncoder(t, config.HistogramExplicit), fold)
	common := map[string]any{
		"telemetry.sdk.name": "sonde", "telemetry.sdk.language": "generic", "telemetry.sdk.version": "1.2.3",
		"telemetry.distro.name": "sonde", "telemetry.distro.version": "1.2.3",
		"service.instance.id": "node7", "host.name": "node7", "deployment.environment.name": "test",
	}
	want := []struct {
		name, namespace string
		metrics         []string
	}{
		{"bank", "", []string{"http.server.request.duration"}},
		{"shop", "", []string{"http.server.request.duration"}},
		{"shop", "eu", []string{"http.server.request.duration", "http.client.request.duration"}},
	}
	if len(request.ResourceMetrics) != len(want) {
		t.Fatalf("%d resources, want %d", len(request.ResourceMetrics), len(want))
	}
	for i, resource := range request.ResourceMetrics {
		attributes := maps.Clone(common)
		attributes["service.name"] = want[i].name
		if want[i].namespace != "" {
			attributes["service.namespace"] = want[i].namespace
		}
		if got := plain(t, resource.Resource.Attributes); !maps.Equal(got, attributes) {
			t.Errorf("resource %d is %v, want %v", i, got, attributes)
		}
		scope := resource.ScopeMetrics[0]
		if len(resource.ScopeMetrics) != 1 || scope.Scope.Name != "sonde_exporter" || scope.Scope.Version != "1.2.3" {
			t.Errorf("scopes of %s: %v", want[i].name, resource.ScopeMetrics)
		}
		var names []string
		for _, metric := range scope.Metrics {
			names = append(names, metric.Name)
		}
		if !slices.Equal(names, want[i].metrics) {
			t.Errorf("metrics of %s: %v, want %v", want[i].name, names, want[i].metrics)
		}
	}
}

func TestResourceOfTheConfiguration(t *testing.T) {
	opts := testOptions(t)
	opts.Resource = map[string]string{
		"host.name": "by hand", "service.instance.id": "of sonde", "service.namespace": "of sonde", "service.version": "of sonde",
		"process.pid": "7", "empty": "", "odd\xff": "va\xfflue",
	}
	want := map[string]any{
		"host.name": "by hand", "service.instance.id": "node7", "odd\uFFFD": "va\uFFFDlue",
		"telemetry.sdk.name": "sonde", "telemetry.sdk.language": "generic", "telemetry.sdk.version": "1.2.3",
		"telemetry.distro.name": "sonde", "telemetry.distro.version": "1.2.3",
	}
	if got := plain(t, commonResource(opts)); !maps.Equal(got, want) {
		t.Errorf("common attributes %v, want %v", got, want)
	}
}

func TestDataPoint(t *testing.T) {
	for _, histogram := range []string{config.HistogramExplicit, config.HistogramExponential} {
		t.Run(histogram, func(t *testing.T) {
			e := testEncoder(t, histogram)
			request := onlyRequest(t, e, series.Fold{
				shopServer(): histogramOf(e.table, 3e6, 300e6), shopClient(): histogramOf(e.table, 4e6),
			})
			metrics := request.ResourceMetrics[0].ScopeMetrics[0].Metrics
			for _, metric := range metrics {
				if metric.Unit != "s" || metric.Description == "" {
					t.Errorf("%s has the unit %q and the description %q", metric.Name, metric.Unit, metric.Description)
				}
				if temporality := max(metric.GetHistogram().GetAggregationTemporality(), metric.GetExponentialHistogram().GetAggregationTemporality()); temporality != metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE {
					t.Errorf("%s is %v, want cumulative", metric.Name, temporality)
				}
			}
			server, client := anyPoint(t, metrics[0]), anyPoint(t, metrics[1])
			if server.GetCount() != 2 || server.GetSum() != 0.303 {
				t.Errorf("%d observations of %v s in all, want 2 of 0.303", server.GetCount(), server.GetSum())
			}
			if server.GetStartTimeUnixNano() != 1_700_000_000e9+5 || server.GetTimeUnixNano() != 1_700_000_060e9 {
				t.Errorf("counted from %d to %d", server.GetStartTimeUnixNano(), server.GetTimeUnixNano())
			}
			want := map[string]any{
				"server.port": int64(8080), "http.request.method": "GET", "http.route": "/users/{id}",
				"http.response.status_code": int64(503), "error.type": "503", "network.protocol.version": "1.1", "url.scheme": "https",
			}
			if got := plain(t, server.GetAttributes()); !maps.Equal(got, want) {
				t.Errorf("attributes of the server's point %v, want %v", got, want)
			}
			want = map[string]any{
				"server.port": int64(80), "server.address": "api", "http.request.method": "POST",
				"http.response.status_code": int64(204), "network.protocol.version": "1.0", "url.scheme": "http",
			}
			if got := plain(t, client.GetAttributes()); !maps.Equal(got, want) {
				t.Errorf("attributes of the client's point %v, want %v", got, want)
			}
		})
	}
}

// dataPoint is what both kinds of histogram have.
type dataPoint interface {
	proto.Message
	GetCount() uint64
	GetSum() float64
	GetStartTimeUnixNano() uint64
	GetTimeUnixNano() uint64
	GetAttributes() []*commonpb.KeyValue
}

func pointsIn(metric *metricspb.Metric) []dataPoint {
	var points []dataPoint
	for _, point := range metric.GetHistogram().GetDataPoints() {
		points = append(points, point)
	}
	for _, point := range metric.GetExponentialHistogram().GetDataPoints() {
		points = append(points, point)
	}
	return points
}

func anyPoint(t testing.TB, metric *metricspb.Metric) dataPoint {
	t.Helper()
	points := pointsIn(metric)
	if len(points) != 1 {
		t.Fatalf("%s has %d points, want 1", metric.Name, len(points))
	}
	return points[0]
}

func TestTextOfStrangersIsEncoded(t *testing.T) {
	e := testEncoder(t, config.HistogramExplicit)
	request := onlyRequest(t, e, series.Fold{{ServiceName: "a\xffb", Route: "/\xc3"}: histogramOf(e.table, 1)})
	if _, err := proto.Marshal(request); err != nil {
		t.Errorf("the request cannot be sent: %v", err)
	}
	resource := request.ResourceMetrics[0]
	if got := plain(t, resource.Resource.Attributes)["service.name"]; got != "a\uFFFDb" {
		t.Errorf("service.name is %q", got)
	}
}
