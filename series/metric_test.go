package series

import (
	"math"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const (
	testName     = "http_server_request_duration_seconds"
	longestExact = 64 * nanosecondsPerSecond // longer durations are clamped in the native buckets
)

func testDesc() *prometheus.Desc {
	return prometheus.NewDesc(testName, "Duration of requests.", []string{"service_name", "http_route"}, nil)
}

func testLabels() []*dto.LabelPair {
	return MakeLabels([]string{"service_name", "http_route"}, []string{"shop", "/users/{id}"})
}

func write(t testing.TB, m prometheus.Metric) *dto.Metric {
	t.Helper()
	out := &dto.Metric{}
	if err := m.Write(out); err != nil {
		t.Fatalf("Write: %v", err)
	}
	return out
}

// reference observes the durations with client_golang's own histogram.
func reference(t testing.TB, classic []float64, durations ...uint64) *dto.Histogram {
	t.Helper()
	h := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:                         testName,
		Buckets:                      classic,
		NativeHistogramBucketFactor:  1.1, // schema 3
		NativeHistogramZeroThreshold: math.Ldexp(1, -20),
	})
	for _, ns := range durations {
		h.Observe(float64(ns) / nanosecondsPerSecond)
	}
	return write(t, h).Histogram
}

func ours(t testing.TB, table *Table, created time.Time, durations ...uint64) *dto.Histogram {
	t.Helper()
	var h Histogram
	for _, ns := range durations {
		h.Observe(table, ns)
	}
	return write(t, NewMetric(testDesc(), testLabels(), table, &h, created)).Histogram
}

// requireEqual compares all but the sum to the bit. The sum may differ in its
// last bits, as client_golang adds floats where the kernel adds integers.
func requireEqual(t testing.TB, got, want *dto.Histogram) {
	t.Helper()
	if math.Abs(got.GetSampleSum()-want.GetSampleSum()) > 1e-9*want.GetSampleSum() {
		t.Errorf("sum is %v, want %v", got.GetSampleSum(), want.GetSampleSum())
	}
	want.SampleSum = got.SampleSum
	want.CreatedTimestamp = got.CreatedTimestamp
	if !proto.Equal(got, want) {
		t.Errorf("histogram differs from client_golang's\n got: %v\nwant: %v", got, want)
	}
}

// TestEveryDurationMatchesClientGolang observes each duration alone, so that
// two wrong buckets cannot make up for each other.
func TestEveryDurationMatchesClientGolang(t *testing.T) {
	for name, classic := range map[string][]float64{
		"conventions": conventionBounds(),
		"awkward":     {1e-9, 5e-7, 0.0003, 0.1, 0.2, 0.3, 0.6, 0.7, 1.1, 2.3, 30.000000001, 63.9999},
	} {
		t.Run(name, func(t *testing.T) {
			table := newTestTable(t, classic)
			for _, ns := range interestingDurations(table) {
				if ns > longestExact {
					continue
				}
				requireEqual(t, ours(t, table, time.Time{}, ns), reference(t, classic, ns))
				if t.Failed() {
					t.Fatalf("first difference at %d ns", ns)
				}
			}
		})
	}
}

func TestMetricMatchesClientGolang(t *testing.T) {
	classic := conventionBounds()
	table := newTestTable(t, classic)
	var exact []uint64
	for _, ns := range interestingDurations(table) {
		if ns <= longestExact {
			exact = append(exact, ns)
		}
	}
	tests := map[string][]uint64{
		"no observations":       nil,
		"zero bucket alone":     {0, 953},
		"first native bucket":   {954},
		"gap of two is filled":  {1_000_000, 1_000_000, 1_380_000},
		"gap of many is a span": {1_000_000, 3_000_000_000},
		"both sides of 1 s":     {999_999_999, 1_000_000_000, 1_000_000_001},
		"everywhere":            exact,
	}
	for name, durations := range tests {
		t.Run(name, func(t *testing.T) {
			requireEqual(t, ours(t, table, time.Time{}, durations...), reference(t, classic, durations...))
		})
	}
}

func TestEveryGapMatchesClientGolang(t *testing.T) {
	table := newTestTable(t, nil)
	bounds := table.Bounds()
	for gap := range 6 {
		requireEqual(t,
			ours(t, table, time.Time{}, bounds[50], bounds[50], bounds[51+gap]),
			reference(t, []float64{}, bounds[50], bounds[50], bounds[51+gap]))
	}
}

func TestLongDurationsAreClamped(t *testing.T) {
	classic := []float64{1, 100, 3600}
	table := newTestTable(t, classic)
	durations := []uint64{64e9, 64e9 + 1, 100e9, 100e9 + 1, 3600e9, 3600e9 + 1}
	h := ours(t, table, time.Time{}, durations...)

	for i, want := range []uint64{0, 3, 5} {
		if got := h.Bucket[i].GetCumulativeCount(); got != want {
			t.Errorf("le=%g counts %d, want %d", classic[i], got, want)
		}
	}
	if h.GetSampleCount() != 6 {
		t.Errorf("count is %d, want 6", h.GetSampleCount())
	}
	// One observation at 64 s in bucket 48, all longer ones in bucket 49.
	if len(h.PositiveSpan) != 1 || h.PositiveSpan[0].GetOffset() != 48 || h.PositiveSpan[0].GetLength() != 2 {
		t.Errorf("spans are %v, want one of length 2 at 48", h.PositiveSpan)
	}
	if len(h.PositiveDelta) != 2 || h.PositiveDelta[0] != 1 || h.PositiveDelta[1] != 4 {
		t.Errorf("deltas are %v, want [1 4]", h.PositiveDelta)
	}
}

func TestCreatedTimestamp(t *testing.T) {
	table := newTestTable(t, nil)
	created := time.Date(2025, 3, 1, 12, 0, 0, 345_000_000, time.UTC)
	if got := ours(t, table, created, 1).CreatedTimestamp; !proto.Equal(got, timestamppb.New(created)) {
		t.Errorf("created timestamp is %v, want %v", got, created)
	}
	if got := ours(t, table, time.Time{}, 1).CreatedTimestamp; got != nil {
		t.Errorf("created timestamp is %v, want none", got)
	}
}

func TestMakeLabels(t *testing.T) {
	labels := MakeLabels([]string{"b", "empty", "a", "missing"}, []string{"x\xff", "", "y"})
	want := [][2]string{{"a", "y"}, {"b", "x\uFFFD"}}
	if len(labels) != len(want) {
		t.Fatalf("got %d labels, want %d", len(labels), len(want))
	}
	for i, label := range labels {
		if label.GetName() != want[i][0] || label.GetValue() != want[i][1] {
			t.Errorf("label %d is %s=%q, want %s=%q", i, label.GetName(), label.GetValue(), want[i][0], want[i][1])
		}
	}
}
