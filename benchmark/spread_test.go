package main

import (
	"math"
	"slices"
	"testing"
)

func TestSpreadOf(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   Spread
	}{
		{[]float64{7}, Spread{7, 7, 7}},
		{[]float64{3, 1, 2}, Spread{2, 1, 3}},
		{[]float64{4, 1, 3, 2}, Spread{2.5, 1, 4}},
	} {
		if got := spreadOf(c.values); got == nil || *got != c.want {
			t.Errorf("spreadOf(%v) is %v, want %v", c.values, got, c.want)
		}
	}
	if got := spreadOf(nil); got != nil {
		t.Errorf("the spread of nothing is %v, want none", got)
	}
}

func TestRatios(t *testing.T) {
	got := ratios([]float64{2, 9, 0, 1}, []float64{4, 3, 0, 0})
	if want := []float64{0.5, 3}; !slices.Equal(got, want) {
		t.Errorf("ratios are %v, want %v: what cannot be divided is left out", got, want)
	}
	if got := ratios([]float64{1}, nil); got != nil {
		t.Errorf("ratios without a second side are %v, want none", got)
	}
}

func TestFigure(t *testing.T) {
	for value, want := range map[float64]string{
		0: "0", 0.04567: "0.0457", 0.5: "0.500", 1.234: "1.23", 99.96: "100.0", 1234567: "1234567", -12.06: "-12.1",
		math.NaN(): "NaN", 1e-9: "0.000000",
	} {
		if got := figure(value); got != want {
			t.Errorf("figure(%v) is %s, want %s", value, got, want)
		}
	}
}
