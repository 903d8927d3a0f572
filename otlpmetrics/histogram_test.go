package otlpmetrics

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"

	"sonde_exporter/config"
	"sonde_exporter/metric"
	"sonde_exporter/series"
)

func explicitOf(t testing.TB, bounds []float64, durations ...uint64) *metricspb.HistogramDataPoint {
	t.Helper()
	e := &encoder{table: newTable(t, bounds)}
	return explicitPoint(e.asScraped(histogramOf(e.table, durations...)))
}

func exponentialOf(t testing.TB, durations ...uint64) *metricspb.ExponentialHistogramDataPoint {
	t.Helper()
	e := &encoder{table: newTable(t, conventionBounds())}
	return exponentialPoint(e.asScraped(histogramOf(e.table, durations...)))
}

func TestExplicitPoint(t *testing.T) {
	tests := []struct {
		name      string
		bounds    []float64
		durations []uint64
		counts    []uint64
	}{
		{"upper bounds belong to their buckets", []float64{0.1, 1}, []uint64{1, 100e6, 100e6 + 1, 1e9, 1e9 + 1, 90e9}, []uint64{2, 2, 2}},
		{"nothing between", []float64{0.1, 1, 10}, []uint64{5e9}, []uint64{0, 0, 1, 0}},
		{"all above", []float64{0.1}, []uint64{2e9, 3600e9}, []uint64{0, 2}},
		{"no bounds", nil, []uint64{1, 2e9}, []uint64{2}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			point := explicitOf(t, test.bounds, test.durations...)
			if fmt.Sprint(point.ExplicitBounds) != fmt.Sprint(test.bounds) || fmt.Sprint(point.BucketCounts) != fmt.Sprint(test.counts) {
				t.Errorf("%v below %v, want %v below %v", point.BucketCounts, point.ExplicitBounds, test.counts, test.bounds)
			}
			if point.Count != uint64(len(test.durations)) || point.Min != nil || point.Max != nil {
				t.Errorf("count %d, minimum %v, maximum %v; want %d and neither", point.Count, point.Min, point.Max, len(test.durations))
			}
		})
	}
}

// TestExponentialBucketsHoldTheirDurations observes each duration alone, and
// judges by the definition of the data model: bucket i counts
// 2^(i/8) < v <= 2^((i+1)/8).
func TestExponentialBucketsHoldTheirDurations(t *testing.T) {
	durations := []uint64{1, 953, 954, 999_999_999, 1e9, 1e9 + 1, 2e9, 64e9, 125e6, 125e6 + 1}
	random := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		durations = append(durations, uint64(math.Exp(random.Float64()*math.Log(64e9))))
	}
	for _, ns := range durations {
		point := exponentialOf(t, ns)
		seconds := float64(ns) / 1e9
		if point.Count != 1 || point.GetSum() != seconds || point.Scale != 3 || point.ZeroThreshold != math.Exp2(-20) {
			t.Fatalf("%d ns: %v", ns, point)
		}
		if seconds <= math.Exp2(-20) {
			if point.ZeroCount != 1 || point.Positive != nil {
				t.Fatalf("%d ns is not in the zero bucket: %v", ns, point)
			}
			continue
		}
		index := float64(point.Positive.GetOffset())
		lower, upper := math.Exp2(index/8), math.Exp2((index+1)/8)
		if point.ZeroCount != 0 || len(point.Positive.GetBucketCounts()) != 1 || point.Positive.BucketCounts[0] != 1 || seconds <= lower || seconds > upper {
			t.Fatalf("%d ns is in (%g, %g]: %v", ns, lower, upper, point)
		}
	}
}

func TestExponentialPoint(t *testing.T) {
	tests := []struct {
		name      string
		durations []uint64
		zero      uint64
		offset    int32
		counts    []uint64
	}{
		{"1 s ends bucket -1", []uint64{1e9, 1e9, 1e9 + 1}, 0, -1, []uint64{2, 1}},
		{"zero bucket and another", []uint64{5, 10, 2e9}, 2, 7, []uint64{1}},
		{"gap that Prometheus fills", []uint64{1e9, 1_200_000_000}, 0, -1, []uint64{1, 0, 0, 1}},
		{"gap that Prometheus skips", []uint64{1e9, 2e9, 2e9}, 0, -1, []uint64{1, 0, 0, 0, 0, 0, 0, 0, 2}},
		{"longer than the buckets reach", []uint64{64e9, 64e9 + 1, 3600e9}, 0, 47, []uint64{1, 2}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			point := exponentialOf(t, test.durations...)
			if point.ZeroCount != test.zero || point.Positive.Offset != test.offset || fmt.Sprint(point.Positive.BucketCounts) != fmt.Sprint(test.counts) {
				t.Errorf("%d in the zero bucket, %v from %d; want %d, %v from %d",
					point.ZeroCount, point.Positive.BucketCounts, point.Positive.Offset, test.zero, test.counts, test.offset)
			}
		})
	}
}

// manyDurations fills most buckets.
func manyDurations(seed uint64) []uint64 {
	random := rand.New(rand.NewPCG(seed, 2))
	durations := make([]uint64, 1000)
	for i := range durations {
		durations[i] = uint64(math.Exp(random.Float64() * math.Log(200e9)))
	}
	return durations
}

// exposed reads back what a scrape of the fold says in a format.
func exposed(t *testing.T, e *encoder, fold series.Fold, format expfmt.FormatType) map[string]*dto.Histogram {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(scrapeOf{e, fold})
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	histograms := map[string]*dto.Histogram{}
	for _, family := range families {
		if err := expfmt.NewEncoder(&text, expfmt.NewFormat(format)).Encode(family); err != nil {
			t.Fatal(err)
		}
		var read dto.MetricFamily
		if err := expfmt.NewDecoder(&text, expfmt.NewFormat(format)).Decode(&read); err != nil {
			t.Fatal(err)
		}
		for _, sample := range read.Metric {
			histograms[keyOfLabels(family.GetName(), sample.Label)] = sample.Histogram
		}
	}
	return histograms
}

// scrapeOf exposes a fold.
type scrapeOf struct {
	*encoder
	fold series.Fold
}

func (scrapeOf) Describe(chan<- *prometheus.Desc) {}

func (s scrapeOf) Collect(ch chan<- prometheus.Metric) {
	for _, definition := range metric.All() {
		desc := prometheus.NewDesc(definition.PrometheusName(), definition.Description, definition.LabelNames(), nil)
		for labels, histogram := range definition.Series(s.fold) {
			pairs := series.MakeLabels(definition.LabelNames(), definition.LabelValues(labels))
			ch <- series.NewMetric(desc, pairs, s.table, histogram, s.started)
		}
	}
}

func keyOfLabels(name string, labels []*dto.LabelPair) string {
	for _, label := range labels {
		if label.GetName() == "http_route" {
			return name + " " + label.GetValue()
		}
	}
	return name
}

// TestBothWaysOutSayTheSame compares with what a scraper reads.
func TestBothWaysOutSayTheSame(t *testing.T) {
	explicit, exponential := testEncoder(t, config.HistogramExplicit), testEncoder(t, config.HistogramExponential)
	fold := series.Fold{
		{ServiceName: "shop", Role: series.Server, Route: "/a"}: histogramOf(explicit.table, manyDurations(1)...),
		{ServiceName: "shop", Role: series.Server, Route: "/b"}: histogramOf(explicit.table, 1e6, 2e6, 7e9),
		{ServiceName: "shop", Role: series.Client, Route: "/a"}: histogramOf(explicit.table, manyDurations(2)...),
	}
	classic := exposed(t, explicit, fold, expfmt.TypeTextPlain)
	native := exposed(t, explicit, fold, expfmt.TypeProtoDelim)
	compared := 0
	for _, m := range onlyRequest(t, explicit, fold).ResourceMetrics[0].ScopeMetrics[0].Metrics {
		for _, point := range m.GetHistogram().DataPoints {
			requireSameClassic(t, point, classic[keyOfPoint(t, m, point)])
			compared++
		}
	}
	for _, m := range onlyRequest(t, exponential, fold).ResourceMetrics[0].ScopeMetrics[0].Metrics {
		for _, point := range m.GetExponentialHistogram().DataPoints {
			requireSameNative(t, point, native[keyOfPoint(t, m, point)])
			compared++
		}
	}
	if compared != 2*len(fold) {
		t.Errorf("%d points were compared, want %d", compared, 2*len(fold))
	}
}

func keyOfPoint(t *testing.T, m *metricspb.Metric, point dataPoint) string {
	t.Helper()
	for _, definition := range metric.All() {
		if definition.Name == m.Name {
			return fmt.Sprint(definition.PrometheusName(), " ", plain(t, point.GetAttributes())["http.route"])
		}
	}
	t.Fatalf("metric %s is not defined", m.Name)
	return ""
}

func requireSameClassic(t *testing.T, got *metricspb.HistogramDataPoint, want *dto.Histogram) {
	t.Helper()
	if got.Count != want.GetSampleCount() || got.GetSum() != want.GetSampleSum() || len(got.BucketCounts) != len(want.Bucket) {
		t.Fatalf("count, sum and buckets %d, %v, %d; want %d, %v, %d", got.Count, got.GetSum(), len(got.BucketCounts),
			want.GetSampleCount(), want.GetSampleSum(), len(want.Bucket))
	}
	var cumulative uint64
	for i, bucket := range want.Bucket { // the text has one for +Inf as well
		bound := math.Inf(+1)
		if i < len(got.ExplicitBounds) {
			bound = got.ExplicitBounds[i]
		}
		cumulative += got.BucketCounts[i]
		if bound != bucket.GetUpperBound() || cumulative != bucket.GetCumulativeCount() {
			t.Errorf("%d up to %g, want %d up to %g", cumulative, bound, bucket.GetCumulativeCount(), bucket.GetUpperBound())
		}
	}
}

func requireSameNative(t *testing.T, got *metricspb.ExponentialHistogramDataPoint, want *dto.Histogram) {
	t.Helper()
	if got.Count != want.GetSampleCount() || got.GetSum() != want.GetSampleSum() || got.ZeroCount != want.GetZeroCount() ||
		got.ZeroThreshold != want.GetZeroThreshold() || got.Scale != want.GetSchema() {
		t.Fatalf("%v, want %v", got, want)
	}
	// By the number of the upper bound: Prometheus has 2^(key/8), OTLP 2^((index+1)/8).
	counts, wanted := map[int]uint64{}, map[int]uint64{}
	for i, count := range got.Positive.BucketCounts {
		counts[int(got.Positive.Offset)+i+1] = count
	}
	key, count, deltas := 0, int64(0), want.PositiveDelta
	for _, span := range want.PositiveSpan {
		key += int(span.GetOffset())
		for range span.GetLength() {
			count += deltas[0]
			deltas = deltas[1:]
			wanted[key] = uint64(count)
			key++
		}
	}
	isZero := func(_ int, count uint64) bool { return count == 0 } // gaps are filled here or there
	maps.DeleteFunc(counts, isZero)
	maps.DeleteFunc(wanted, isZero)
	if !maps.Equal(counts, wanted) || len(counts) == 0 {
		t.Errorf("buckets %v, want %v", counts, wanted)
	}
}

func BenchmarkEncode(b *testing.B) {
	opts := testOptions(b)
	e := newEncoder(opts)
	fold := series.Fold{}
	for i := range 1000 {
		fold[series.Labels{ServiceName: "shop", Route: fmt.Sprint("/", i)}] = histogramOf(opts.Table, manyDurations(uint64(i))...)
	}
	b.ReportAllocs()
	for b.Loop() {
		for range e.requests(fold, time.Now()) {
			continue
		}
	}
}
