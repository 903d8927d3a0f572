package series

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// metric is a prometheus.Metric with classic and native buckets at once, for
// which client_golang has no constructor from finished counts.
type metric struct {
	desc      *prometheus.Desc
	labels    []*dto.LabelPair
	table     *Table
	histogram *Histogram
	created   time.Time
	exemplars []Exemplar
}

// NewMetric returns a histogram metric in seconds with both classic and native
// buckets. The labels come from MakeLabels and may be shared between scrapes.
// The histogram is read by Write, and must not change until then. A zero
// created time leaves the created timestamp out.
func NewMetric(desc *prometheus.Desc, labels []*dto.LabelPair, table *Table, h *Histogram, created time.Time) prometheus.Metric {
	return &metric{desc: desc, labels: labels, table: table, histogram: h, created: created}
}

// NewMetricWithExemplars is NewMetric with exemplars, which classic buckets show
// in OpenMetrics and protobuf, native ones in protobuf.
func NewMetricWithExemplars(desc *prometheus.Desc, labels []*dto.LabelPair, table *Table, h *Histogram, created time.Time, exemplars []Exemplar) prometheus.Metric {
	return &metric{desc: desc, labels: labels, table: table, histogram: h, created: created, exemplars: exemplars}
}

// Desc implements prometheus.Metric.
func (m *metric) Desc() *prometheus.Desc { return m.desc }

// Write implements prometheus.Metric. The message that it fills points into the
// labels and the table, so its reader must not change it. The registry does not.
func (m *metric) Write(out *dto.Metric) error {
	// One allocation for everything of which there is one per message.
	message := &struct {
		histogram dto.Histogram
		created   timestamppb.Timestamp
		count     uint64
		zeroCount uint64
		sum       float64
	}{}
	h := &message.histogram

	var native nativeCounts
	h.Bucket, message.count = m.table.fold(m.histogram, &native)
	h.SampleCount = &message.count
	message.sum = float64(m.histogram.SumNanoseconds) / nanosecondsPerSecond
	h.SampleSum = &message.sum

	h.Schema = &m.table.schema
	h.ZeroThreshold = &m.table.zeroThreshold
	message.zeroCount = native[0]
	h.ZeroCount = &message.zeroCount
	h.PositiveSpan, h.PositiveDelta = native.spansAndDeltas()

	if !m.created.IsZero() {
		message.created.Seconds = m.created.Unix()
		message.created.Nanos = int32(m.created.Nanosecond())
		h.CreatedTimestamp = &message.created
	}
	if len(m.exemplars) > 0 {
		attach(h, m.exemplars)
	}
	out.Label = m.labels
	out.Histogram = h
	return nil
}

// fold adds the slots up to native buckets, and returns the cumulative classic
// buckets and the number of observations.
func (t *Table) fold(h *Histogram, native *nativeCounts) ([]*dto.Bucket, uint64) {
	type bucket struct {
		dto   dto.Bucket
		count uint64
	}
	backing := make([]bucket, len(t.classic))
	buckets := make([]*dto.Bucket, len(t.classic))

	var total uint64
	next := 0
	for slot, count := range h.Slots {
		total += count
		native[t.native[slot]] += count
		// Two bounds less than a nanosecond apart end in the same slot.
		for next < len(buckets) && t.classicSlot[next] == slot {
			b := &backing[next]
			b.count = total
			b.dto.CumulativeCount, b.dto.UpperBound = &b.count, &t.classic[next]
			buckets[next] = &b.dto
			next++
		}
	}
	return buckets, total
}
