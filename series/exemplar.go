package series

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"math"
	"slices"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"sonde_exporter/probe"
)

// Exemplar is one sampled request that stands for those in its bucket.
type Exemplar struct {
	TraceID     [16]byte
	SpanID      [8]byte
	Nanoseconds uint64
	Time        time.Time // when it ended
}

const (
	// exemplarsPerSeries bounds the memory of one series, and what a scrape shows.
	exemplarsPerSeries = 10
	// exemplarSeries bounds the series that have any.
	exemplarSeries = 10_000
)

// Exemplars keeps the newest exemplar of each bucket of each series. It is safe
// for concurrent use.
type Exemplars struct {
	table *Table

	mu   sync.Mutex
	kept map[probe.SeriesKey][]Exemplar // each of another slot
}

// NewExemplars returns an empty store for histograms of a table.
func NewExemplars(table *Table) *Exemplars {
	return &Exemplars{table: table, kept: map[probe.SeriesKey][]Exemplar{}}
}

// Add keeps an exemplar in place of the one of its bucket, or of the oldest one
// if a series has too many. Series beyond a limit get none.
func (e *Exemplars) Add(key probe.SeriesKey, exemplar Exemplar) {
	slot := e.table.Slot(exemplar.Nanoseconds)
	e.mu.Lock()
	defer e.mu.Unlock()
	kept := e.kept[key]
	at := slices.IndexFunc(kept, func(k Exemplar) bool { return e.table.Slot(k.Nanoseconds) == slot })
	switch {
	case at >= 0:
		kept[at] = exemplar
	case len(kept) == exemplarsPerSeries:
		kept[oldest(kept)] = exemplar
	case kept != nil || len(e.kept) < exemplarSeries:
		e.kept[key] = append(kept, exemplar)
	}
}

func oldest(kept []Exemplar) int {
	at := 0
	for i := range kept {
		if kept[i].Time.Before(kept[at].Time) {
			at = i
		}
	}
	return at
}

// Fold returns all exemplars by the labels of their series. Those of series that
// labelsOf does not know any more are forgotten.
func (e *Exemplars) Fold(labelsOf func(probe.SeriesKey) (Labels, bool)) map[Labels][]Exemplar {
	e.mu.Lock()
	defer e.mu.Unlock()
	fold := make(map[Labels][]Exemplar, len(e.kept))
	for key, exemplars := range e.kept {
		labels, known := labelsOf(key)
		if !known {
			delete(e.kept, key)
			continue
		}
		fold[labels] = append(fold[labels], exemplars...)
	}
	return fold
}

func (e Exemplar) message() *dto.Exemplar {
	value := float64(e.Nanoseconds) / nanosecondsPerSecond
	return &dto.Exemplar{
		Label:     MakeLabels([]string{"trace_id", "span_id"}, []string{hex.EncodeToString(e.TraceID[:]), hex.EncodeToString(e.SpanID[:])}),
		Value:     &value,
		Timestamp: timestamppb.New(e.Time),
	}
}

// attach puts exemplars into the classic buckets that count them, the newest
// into each, and all of them beside the native ones, oldest first.
func attach(h *dto.Histogram, exemplars []Exemplar) {
	exemplars = slices.SortedFunc(slices.Values(exemplars), func(a, b Exemplar) int {
		return cmp.Or(a.Time.Compare(b.Time), bytes.Compare(a.SpanID[:], b.SpanID[:]))
	})
	var beyond *dto.Exemplar
	for _, exemplar := range exemplars {
		message := exemplar.message()
		h.Exemplars = append(h.Exemplars, message)
		at, _ := slices.BinarySearchFunc(h.Bucket, *message.Value, func(b *dto.Bucket, value float64) int {
			return cmp.Compare(b.GetUpperBound(), value)
		})
		if at == len(h.Bucket) {
			beyond = message
			continue
		}
		h.Bucket[at].Exemplar = message
	}
	if beyond != nil {
		h.Bucket = append(h.Bucket, infiniteBucket(h.GetSampleCount(), beyond))
	}
}

// infiniteBucket is written only where it has an exemplar: without one, the
// number of observations says the same.
func infiniteBucket(count uint64, exemplar *dto.Exemplar) *dto.Bucket {
	bound := math.Inf(1)
	return &dto.Bucket{CumulativeCount: &count, UpperBound: &bound, Exemplar: exemplar}
}
