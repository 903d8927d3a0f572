package main

import (
	"slices"
	"testing"

	dto "github.com/prometheus/client_model/go"

	"sonde_exporter/test/harness"
)

const exposition = `# TYPE http_server_request_duration_seconds histogram
http_server_request_duration_seconds_bucket{service_name="a",le="0.1"} 2
http_server_request_duration_seconds_bucket{service_name="a",le="+Inf"} 3
http_server_request_duration_seconds_sum{service_name="a"} 0.5
http_server_request_duration_seconds_count{service_name="a"} 3
# TYPE sonde_connections_total counter
sonde_connections_total{service_name="a"} 4
sonde_connections_total{service_name="b"} 5
# TYPE sonde_series_overflow_total counter
sonde_series_overflow_total 6
# TYPE sonde_series gauge
sonde_series 7
`

func parse(t *testing.T) harness.Snapshot {
	t.Helper()
	return harness.ParseText(t, exposition)
}

func TestCountersOf(t *testing.T) {
	got := countersOf(parse(t), func(service string) bool { return service == "a" })
	want := counters{
		`http_server_request_duration_seconds_bucket{service_name="a"}<=0.1`: 2,
		`http_server_request_duration_seconds_sum{service_name="a"}`:         0.5,
		`http_server_request_duration_seconds_count{service_name="a"}`:       3,
		`sonde_connections_total{service_name="a"}`:                          4,
		`sonde_series_overflow_total{}`:                                      6,
	}
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s is %g, want %g", key, got[key], value)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d counters, want %d: %v", len(got), len(want), got)
	}
}

func TestFallen(t *testing.T) {
	for _, c := range []struct {
		name        string
		before, now counters
		want        []string
	}{
		{"grown, equal and new", counters{"a": 1, "b": 2}, counters{"a": 2, "b": 2, "c": 0}, nil},
		{"fallen", counters{"a": 2}, counters{"a": 1.5}, []string{"a fell from 2 to 1.5"}},
		{"gone", counters{"a": 2}, counters{}, []string{"a was 2 and is gone"}},
		{"the first scrape", nil, counters{"a": 1}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.before.fallen(c.now); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestFallenWhileHidden: a service that is not shown for a while may come back
// with what it had, but not with less.
func TestFallenWhileHidden(t *testing.T) {
	seen := counters{"a": 5}
	hidden := seen.keep(counters{})
	if got := seen.fallen(hidden); len(got) > 0 {
		t.Errorf("hidden, not fallen: %q", got)
	}
	if got := hidden.fallen(hidden.keep(counters{"a": 4})); len(got) != 1 {
		t.Errorf("a fall behind a curtain was not noticed: %q", got)
	}
}

// TestWatcherRemembers: what fell stays known, and short-lived services keep the
// highest count that was seen.
func TestWatcherRemembers(t *testing.T) {
	w := newWatcher(nil)
	w.compare(snapshotOf(t, nameStable, 5, prefixShort+"1", 4))
	w.compare(snapshotOf(t, nameStable, 4, prefixShort+"1", 5))
	w.compare(snapshotOf(t, nameStable, 6, prefixShort+"2", 1))
	if len(w.fallen) != 2 { // the count and its only bucket
		t.Errorf("%d counters fell, want 2: %v", len(w.fallen), w.fallen)
	}
	if w.short[prefixShort+"1"] != 5 || w.short[prefixShort+"2"] != 1 {
		t.Errorf("short-lived services were seen with %v", w.short)
	}
}

// snapshotOf makes a scrape of two services with some requests each.
func snapshotOf(t *testing.T, a string, countA uint64, b string, countB uint64) harness.Snapshot {
	t.Helper()
	kind, label := dto.MetricType_HISTOGRAM, "service_name"
	family := &dto.MetricFamily{Type: &kind}
	for service, n := range map[string]uint64{a: countA, b: countB} {
		bound, sum := 1.0, 1.0
		family.Metric = append(family.Metric, &dto.Metric{
			Label: []*dto.LabelPair{{Name: &label, Value: &service}},
			Histogram: &dto.Histogram{
				SampleCount: &n, SampleSum: &sum,
				Bucket: []*dto.Bucket{{UpperBound: &bound, CumulativeCount: &n}},
			},
		})
	}
	return harness.Snapshot{harness.Server: family}
}
