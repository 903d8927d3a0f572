package series

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"sonde_exporter/probe"
)

func exemplarAt(second int, d time.Duration) Exemplar {
	return Exemplar{
		TraceID: [16]byte{15: byte(second)}, SpanID: [8]byte{7: byte(second)},
		Nanoseconds: uint64(d), Time: time.Unix(int64(second), 0),
	}
}

func exemplarTable(t *testing.T) *Table {
	t.Helper()
	table, err := NewTable([]float64{0.1, 1})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// TestExemplarsStayBounded keeps the newest of each bucket, and few in all.
func TestExemplarsStayBounded(t *testing.T) {
	e := NewExemplars(exemplarTable(t))
	key := probe.SeriesKey{Operation: 1}
	for second := range 100 {
		e.Add(key, exemplarAt(second, time.Duration(1+second%20)*50*time.Millisecond))
	}
	labels := func(probe.SeriesKey) (Labels, bool) { return Labels{Route: "/"}, true }
	got := e.Fold(labels)[Labels{Route: "/"}]
	if len(got) != exemplarsPerSeries {
		t.Errorf("%d exemplars are kept, want %d", len(got), exemplarsPerSeries)
	}
	for _, exemplar := range got {
		if exemplar.Time.Unix() < 60 {
			t.Errorf("the exemplar of second %d is kept although there are newer ones", exemplar.Time.Unix())
		}
	}
	unknown := func(probe.SeriesKey) (Labels, bool) { return Labels{}, false }
	if len(e.Fold(unknown)) != 0 || len(e.Fold(labels)) != 0 {
		t.Error("the exemplars of a series that is gone are kept")
	}
}

// TestExemplarsInFormats shows each exemplar in the classic bucket that counts it
// and beside the native ones.
func TestExemplarsInFormats(t *testing.T) {
	table := exemplarTable(t)
	var h Histogram
	exemplars := []Exemplar{exemplarAt(1, 50*time.Millisecond), exemplarAt(2, 100*time.Millisecond), exemplarAt(3, 5*time.Second)}
	for _, e := range exemplars {
		h.Observe(table, e.Nanoseconds)
	}
	desc := prometheus.NewDesc("x_seconds", "Help.", nil, nil)
	var m dto.Metric
	if err := NewMetricWithExemplars(desc, nil, table, &h, time.Time{}, exemplars).Write(&m); err != nil {
		t.Fatal(err)
	}
	got := m.GetHistogram()
	if len(got.GetExemplars()) != 3 || len(got.GetBucket()) != 3 {
		t.Fatalf("%d exemplars and %d classic buckets, want 3 and 3 with +Inf", len(got.GetExemplars()), len(got.GetBucket()))
	}
	for i, second := range []int64{2, -1, 3} { // the newest of two; none; beyond all bounds
		exemplar := got.GetBucket()[i].GetExemplar()
		if (exemplar == nil) != (second < 0) || (exemplar != nil && exemplar.GetTimestamp().GetSeconds() != second) {
			t.Errorf("bucket %d has the exemplar %v, want that of second %d", i, exemplar, second)
		}
	}
	var text bytes.Buffer
	name, kind := "x_seconds", dto.MetricType_HISTOGRAM
	if _, err := expfmt.MetricFamilyToOpenMetrics(&text, &dto.MetricFamily{Name: &name, Type: &kind, Metric: []*dto.Metric{&m}}); err != nil {
		t.Fatal(err)
	}
	want := `x_seconds_bucket{le="+Inf"} 3 # {span_id="0000000000000003",trace_id="00000000000000000000000000000003"} 5.0 3.0`
	if !strings.Contains(text.String(), want) {
		t.Errorf("OpenMetrics lacks %s; it is\n%s", want, text.String())
	}
}
