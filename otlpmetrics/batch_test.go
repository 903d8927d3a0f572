package otlpmetrics

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"sonde_exporter/config"
	"sonde_exporter/series"
)

// crowd has series of several services, some with long names.
func crowd(table *series.Table, services, each int) series.Fold {
	fold := series.Fold{}
	for s := range services {
		for i := range each {
			fold[series.Labels{
				ServiceName: fmt.Sprintf("service %03d", s), Role: series.Role(i % 2), Method: "GET",
				Route: fmt.Sprint("/", i, strings.Repeat("/long", i%40)), Status: 200,
			}] = histogramOf(table, uint64(s*each+i+1)*1000)
		}
	}
	return fold
}

func TestRequestsAreSplit(t *testing.T) {
	tests := []struct {
		name           string
		size           int
		services, each int
		requests       int // at least
	}{
		{"one request for all", requestSize, 3, 10, 1},
		{"a request for each point", 1, 3, 4, 12},
		{"within a metric", 5000, 1, 50, 3},
		{"within a resource and between resources", 20_000, 20, 30, 5},
		{"the default limit", requestSize, 10, 1000, 2},
	}
	for _, test := range tests {
		for _, histogram := range []string{config.HistogramExplicit, config.HistogramExponential} {
			t.Run(test.name+", "+histogram, func(t *testing.T) {
				e := testEncoder(t, histogram)
				e.requestSize = test.size
				requests := encode(e, crowd(e.table, test.services, test.each))
				if len(requests) < test.requests && histogram == config.HistogramExplicit {
					t.Errorf("%d requests, want at least %d", len(requests), test.requests)
				}
				const onePoint = 2000 // a request ends with the point that exceeds its size
				points := map[string]bool{}
				for _, request := range requests {
					if size := proto.Size(request); size > test.size+onePoint {
						t.Errorf("a request has %d bytes, want %d and one point", size, test.size)
					}
					for _, resource := range request.ResourceMetrics {
						service := plain(t, resource.Resource.Attributes)["service.name"]
						for _, metric := range resource.ScopeMetrics[0].Metrics {
							for _, point := range pointsIn(metric) {
								points[fmt.Sprint(service, metric.Name, plain(t, point.GetAttributes()), point.GetSum())] = true
							}
						}
					}
				}
				if len(points) != test.services*test.each {
					t.Errorf("%d different points arrive, want %d", len(points), test.services*test.each)
				}
			})
		}
	}
}

// TestSizeIsNotTooSmall: the limit must hold for what is really sent.
func TestSizeIsNotTooSmall(t *testing.T) {
	e := testEncoder(t, config.HistogramExplicit)
	b := newBatch(e, e.started)
	for _, point := range pointsOf(crowd(e.table, 30, 20)) {
		b.add(point)
		if size := proto.Size(b.request); b.size < size || b.size > size+size/4 {
			t.Fatalf("a request of %d bytes is taken for %d", size, b.size)
		}
	}
}

func TestNobodyWantsTheNextRequest(t *testing.T) {
	e := testEncoder(t, config.HistogramExplicit)
	e.requestSize = 1
	taken := 0
	for range e.requests(crowd(e.table, 1, 5), e.started) {
		taken++
		break // must not encode the rest
	}
	if taken != 1 {
		t.Errorf("%d requests were taken, want 1", taken)
	}
}

func TestNothingIsNoRequest(t *testing.T) {
	if requests := encode(testEncoder(t, config.HistogramExplicit), series.Fold{}); len(requests) != 0 {
		t.Errorf("requests without a series: %v", requests)
	}
}
