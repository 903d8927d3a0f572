package series

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/protobuf/proto"
)

// fixed collects metrics that were made beforehand.
type fixed struct {
	desc    *prometheus.Desc
	metrics []prometheus.Metric
}

func (f fixed) Describe(descs chan<- *prometheus.Desc) { descs <- f.desc }

func (f fixed) Collect(metrics chan<- prometheus.Metric) {
	for _, m := range f.metrics {
		metrics <- m
	}
}

// gatherTwo passes two series through a pedantic registry, which checks labels
// and description.
func gatherTwo(t *testing.T) *dto.MetricFamily {
	t.Helper()
	table := newTestTable(t, conventionBounds())
	desc := testDesc()
	var metrics []prometheus.Metric
	for i, route := range []string{"/", "/users/{id}"} {
		var h Histogram
		for ns := uint64(500); ns < 200e9; ns = ns*3 + uint64(i) {
			h.Observe(table, ns)
		}
		labels := MakeLabels([]string{"service_name", "http_route"}, []string{"shop", route})
		metrics = append(metrics, NewMetric(desc, labels, table, &h, time.Unix(1700000000, 5e8)))
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(fixed{desc, metrics})
	families, err := registry.Gather()
	if err != nil {
		t.Fatalf("Gather: %v", err)
	}
	if len(families) != 1 || len(families[0].Metric) != 2 {
		t.Fatalf("gathered %v, want one family with two metrics", families)
	}
	return families[0]
}

func encode(t *testing.T, family *dto.MetricFamily, format expfmt.Format, options ...expfmt.EncoderOption) []byte {
	t.Helper()
	var buffer bytes.Buffer
	encoder := expfmt.NewEncoder(&buffer, format, options...)
	if err := encoder.Encode(family); err != nil {
		t.Fatalf("Encode: %v", err)
	}
	if closer, ok := encoder.(expfmt.Closer); ok {
		if err := closer.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
	}
	return buffer.Bytes()
}

func decode(t *testing.T, data []byte, format expfmt.Format) *dto.MetricFamily {
	t.Helper()
	decoder := expfmt.NewDecoder(bytes.NewReader(data), format)
	var family dto.MetricFamily
	if err := decoder.Decode(&family); err != nil {
		t.Fatalf("Decode: %v", err)
	}
	if err := decoder.Decode(&dto.MetricFamily{}); !errors.Is(err, io.EOF) {
		t.Fatalf("after the only family: %v, want the end", err)
	}
	return &family
}

func TestProtobufKeepsEverything(t *testing.T) {
	family := gatherTwo(t)
	format := expfmt.NewFormat(expfmt.TypeProtoDelim)
	if decoded := decode(t, encode(t, family, format), format); !proto.Equal(decoded, family) {
		t.Errorf("decoded family differs\n got: %v\nwant: %v", decoded, family)
	}
}

func TestTextFormatsKeepClassicBuckets(t *testing.T) {
	tests := map[string]struct {
		format  expfmt.FormatType
		options []expfmt.EncoderOption
		created bool
	}{
		"text":        {expfmt.TypeTextPlain, nil, false},
		"OpenMetrics": {expfmt.TypeOpenMetrics, []expfmt.EncoderOption{expfmt.WithCreatedLines()}, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			family := gatherTwo(t)
			format := expfmt.NewFormat(test.format)
			data := encode(t, family, format, test.options...)
			if got := strings.Contains(string(data), testName+"_created{"); got != test.created {
				t.Errorf("created line: %t, want %t in\n%s", got, test.created, data)
			}
			decoded := decode(t, data, format)
			for i, metric := range decoded.Metric {
				requireSameClassic(t, metric, family.Metric[i])
			}
		})
	}
}

// requireSameClassic allows for the +Inf bucket, which the text formats spell out.
func requireSameClassic(t *testing.T, got, want *dto.Metric) {
	t.Helper()
	for i, label := range want.Label {
		if !proto.Equal(got.Label[i], label) {
			t.Errorf("label %d is %v, want %v", i, got.Label[i], label)
		}
	}
	g, w := got.Histogram, want.Histogram
	if g.GetSampleCount() != w.GetSampleCount() || g.GetSampleSum() != w.GetSampleSum() {
		t.Errorf("count and sum are %d, %g, want %d, %g", g.GetSampleCount(), g.GetSampleSum(), w.GetSampleCount(), w.GetSampleSum())
	}
	if len(g.Bucket) != len(w.Bucket)+1 {
		t.Fatalf("got %d buckets, want %d and +Inf", len(g.Bucket), len(w.Bucket))
	}
	for i, bucket := range w.Bucket {
		if !proto.Equal(g.Bucket[i], bucket) {
			t.Errorf("bucket %d is %v, want %v", i, g.Bucket[i], bucket)
		}
	}
	if last := g.Bucket[len(w.Bucket)]; last.GetCumulativeCount() != w.GetSampleCount() {
		t.Errorf("bucket +Inf counts %d, want %d", last.GetCumulativeCount(), w.GetSampleCount())
	}
}

func TestPromlintFindsNothing(t *testing.T) {
	problems, err := promlint.NewWithMetricFamilies([]*dto.MetricFamily{gatherTwo(t)}).Lint()
	if err != nil {
		t.Fatalf("Lint: %v", err)
	}
	for _, problem := range problems {
		t.Errorf("%s: %s", problem.Metric, problem.Text)
	}
}
