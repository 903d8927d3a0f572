package status

import (
	"math"
	"testing"
	"time"

	"sonde_exporter/config"
	"sonde_exporter/series"
)

func newTable(t *testing.T) *series.Table {
	t.Helper()
	table, err := series.NewTable(config.Default().Histogram.Buckets)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func observed(t *testing.T, durations ...time.Duration) tally {
	t.Helper()
	var h series.Histogram
	for _, d := range durations {
		h.Observe(newTable(t), uint64(d))
	}
	return sparse(&h)
}

// TestQuantile: native buckets of schema 3 are 9 % wide, so no estimate is
// further away than that from a request that there was.
func TestQuantile(t *testing.T) {
	var even []time.Duration
	for ms := range 1000 {
		even = append(even, time.Duration(ms+1)*time.Millisecond)
	}
	one := []time.Duration{3 * time.Millisecond}
	mixed := append(make([]time.Duration, 0, 100), one...)
	for range 98 {
		mixed = append(mixed, time.Millisecond)
	}
	mixed = append(mixed, 2*time.Second)
	for name, c := range map[string]struct {
		durations []time.Duration
		q, want   float64
	}{
		"median of many":       {even, 0.5, 0.5},
		"95 % of many":         {even, 0.95, 0.95},
		"99 % of many":         {even, 0.99, 0.99},
		"median of one":        {one, 0.5, 0.003},
		"99 % of one":          {one, 0.99, 0.003},
		"median, few are slow": {mixed, 0.5, 0.001},
		"95 %, few are slow":   {mixed, 0.95, 0.001},
		"100 %, few are slow":  {mixed, 1, 2},
	} {
		t.Run(name, func(t *testing.T) {
			got := quantile(newTable(t), c.q, observed(t, c.durations...))
			if math.Abs(got-c.want) > 0.0905*c.want {
				t.Errorf("%v, want about %v", got, c.want)
			}
		})
	}
}

func TestQuantileAtTheEnds(t *testing.T) {
	table := newTable(t)
	bounds := table.Bounds()
	shortest, longest := float64(bounds[0])/1e9, float64(bounds[table.Slots()-2])/1e9
	if got := quantile(table, 0.5, observed(t, 0, 0)); got != shortest/2 {
		t.Errorf("the median of the shortest requests is %v, want %v: half of the first slot", got, shortest/2)
	}
	if got := quantile(table, 0.5, observed(t, time.Hour)); got != longest {
		t.Errorf("the median of an hour is %v, want the last bound, %v", got, longest)
	}
}

// TestQuantileWithinASlot: the middle of a slot is the geometric mean of its
// bounds, as in Prometheus's native histograms.
func TestQuantileWithinASlot(t *testing.T) {
	table := newTable(t)
	slot := table.Slot(uint64(30 * time.Millisecond))
	bounds := table.Bounds()
	want := math.Sqrt(float64(bounds[slot-1])*float64(bounds[slot])) / 1e9
	got := quantile(table, 0.5, tally{slots: []slotCount{{uint8(slot), 100}}})
	if math.Abs(got-want) > 1e-12 {
		t.Errorf("the middle of the slot is %v, want %v", got, want)
	}
}
