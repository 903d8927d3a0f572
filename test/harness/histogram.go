package harness

import (
	"errors"
	"fmt"
	"math"

	dto "github.com/prometheus/client_model/go"
)

// nativeSchema is the resolution that Sonde promises: 8 buckets a power of 2.
const nativeSchema = 3

// checkHistograms tells whether every request histogram agrees with itself:
// classic and native buckets come from the same counters, so that both have to
// add up to the same count.
func (s Snapshot) checkHistograms() error {
	for _, name := range []string{Server, Client} {
		for _, m := range s[name].GetMetric() {
			if err := errors.Join(checkClassic(m.GetHistogram()), checkNative(m.GetHistogram())); err != nil {
				return fmt.Errorf("a histogram of %s does not add up: %w: %v", name, err, m)
			}
		}
	}
	return nil
}

func checkClassic(h *dto.Histogram) error {
	var last uint64
	bound := math.Inf(-1)
	for _, b := range h.GetBucket() {
		if b.GetUpperBound() <= bound {
			return fmt.Errorf("classic bounds do not rise at %v", b.GetUpperBound())
		}
		if b.GetCumulativeCount() < last {
			return fmt.Errorf("classic counts fall at %v", b.GetUpperBound())
		}
		bound, last = b.GetUpperBound(), b.GetCumulativeCount()
	}
	if len(h.GetBucket()) == 0 {
		return errors.New("no classic buckets")
	}
	if last > h.GetSampleCount() || math.IsInf(bound, 1) && last != h.GetSampleCount() {
		return fmt.Errorf("classic buckets hold %d, the count is %d", last, h.GetSampleCount())
	}
	return nil
}

func checkNative(h *dto.Histogram) error {
	if h.GetSchema() != nativeSchema {
		return fmt.Errorf("schema %d", h.GetSchema())
	}
	if len(h.GetNegativeSpan()) > 0 {
		return errors.New("a duration below zero")
	}
	var buckets int
	for _, span := range h.GetPositiveSpan() {
		buckets += int(span.GetLength())
	}
	if buckets != len(h.GetPositiveDelta()) {
		return fmt.Errorf("native spans name %d buckets, there are %d", buckets, len(h.GetPositiveDelta()))
	}
	total, bucket := h.GetZeroCount(), int64(0)
	for _, delta := range h.GetPositiveDelta() {
		bucket += delta
		if bucket < 0 {
			return errors.New("a native bucket below zero")
		}
		total += uint64(bucket)
	}
	if total != h.GetSampleCount() {
		return fmt.Errorf("native buckets hold %d, the count is %d", total, h.GetSampleCount())
	}
	return nil
}
