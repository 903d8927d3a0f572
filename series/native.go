package series

import (
	"math"

	dto "github.com/prometheus/client_model/go"
)

// Native buckets are numbered by key as in the Prometheus data model: bucket k
// counts 2^((k-1)/8) s < v <= 2^(k/8) s at schema 3.
const (
	nativeSchema   = 3
	bucketsPerHalf = 1 << nativeSchema // buckets between a bound and twice that bound

	// zeroKey ends the zero bucket, at 2^-20 s: just below a microsecond,
	// which is less than any answer over a socket takes.
	zeroKey = -20 * bucketsPerHalf

	// lastNativeKey ends the last exact bucket, at 2^6 s. Longer durations are
	// clamped into the bucket after it. Classic bounds stay exact above it.
	lastNativeKey = 6 * bucketsPerHalf

	// nativeCounters numbers the zero bucket 0, key zeroKey+i by i, and the
	// clamped bucket last.
	nativeCounters = lastNativeKey - zeroKey + 2
)

// nativeCounts are the counts of the native buckets of one series, not
// cumulative, in the numbering that nativeCounters describes.
type nativeCounts [nativeCounters]uint64

// nativeBound returns the upper bound in seconds of the native bucket with this key.
//
// The fractions are copied from client_golang, which shares them with the
// Prometheus server: a bound computed with math.Pow can differ in its last bit.
func nativeBound(key int) float64 {
	fractions := [bucketsPerHalf]float64{
		0.5, 0.5452538663326288, 0.5946035575013605, 0.6484197773255048,
		0.7071067811865475, 0.7711054127039704, 0.8408964152537144, 0.9170040432046711,
	}
	return math.Ldexp(fractions[key&(bucketsPerHalf-1)], key>>nativeSchema+1)
}

func nativeBoundsInNanoseconds() []uint64 {
	bounds := make([]uint64, 0, lastNativeKey-zeroKey+1)
	for key := zeroKey; key <= lastNativeKey; key++ {
		bounds = append(bounds, floorNanoseconds(nativeBound(key)))
	}
	return bounds
}

// maxGap is the number of empty buckets that are written as zeros rather than
// skipped with a new span. client_golang makes the same choice.
const maxGap = 2

// spansAndDeltas encodes the buckets above the zero bucket.
func (c *nativeCounts) spansAndDeltas() ([]*dto.BucketSpan, []int64) {
	spanCount, deltaCount := c.encodedSize()
	if spanCount == 0 {
		return nil, nil
	}
	type span struct {
		dto    dto.BucketSpan
		offset int32
		length uint32
	}
	backing := make([]span, spanCount)
	spans := make([]*dto.BucketSpan, 0, spanCount)
	deltas := make([]int64, 0, deltaCount)

	var current *span
	var previous int64
	next := -zeroKey // the first span's offset counts from key 0, later ones from the end of the last
	for i := 1; i < nativeCounters; i++ {
		if c[i] == 0 {
			continue
		}
		gap := i - next
		if current == nil || gap > maxGap {
			current = &backing[len(spans)]
			current.offset = int32(gap)
			current.dto.Offset, current.dto.Length = &current.offset, &current.length
			spans = append(spans, &current.dto)
			gap = 0
		}
		for range gap {
			deltas = append(deltas, -previous)
			previous = 0
		}
		count := int64(c[i])
		deltas = append(deltas, count-previous)
		previous = count
		current.length += uint32(gap) + 1
		next = i + 1
	}
	return spans, deltas
}

// encodedSize counts the spans and deltas, so that each is allocated once.
func (c *nativeCounts) encodedSize() (spans, deltas int) {
	last := 0
	for i := 1; i < nativeCounters; i++ {
		if c[i] == 0 {
			continue
		}
		gap := i - last - 1
		if spans == 0 || gap > maxGap {
			spans++
			gap = 0
		}
		deltas += gap + 1
		last = i
	}
	return spans, deltas
}
