package main

import (
	"math"
	"slices"
)

// Spread is what several rounds of one measurement gave.
type Spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// spreadOf returns nil if there is nothing to look at.
func spreadOf(values []float64) *Spread {
	if len(values) == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	median := sorted[middle]
	if len(sorted)%2 == 0 {
		median = (sorted[middle-1] + sorted[middle]) / 2
	}
	return &Spread{Median: median, Min: sorted[0], Max: sorted[len(sorted)-1]}
}

// ratios divides round by round: what both arms of a round share, such as a busy
// neighbour, cancels out. Rounds that cannot be divided are left out.
func ratios(with, without []float64) []float64 {
	var quotients []float64
	for round := range min(len(with), len(without)) {
		if q := with[round] / without[round]; !math.IsInf(q, 0) && !math.IsNaN(q) {
			quotients = append(quotients, q)
		}
	}
	return quotients
}
