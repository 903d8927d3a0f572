package status

import (
	"math"

	"sonde_exporter/series"
)

const nanosecondsPerSecond = 1e9

// quantile estimates the duration in seconds that a share q of the requests did
// not exceed. Within a slot it interpolates exponentially, as histogram_quantile
// of Prometheus does in native histograms. In the first slot it is linear from 0
// on, and above the last bound it is that bound. The tally is not empty.
func quantile(table *series.Table, q float64, t tally) float64 {
	bounds, last := table.Bounds(), table.Slots()-1
	rank := q * float64(t.count())
	for _, s := range t.slots {
		count, slot := float64(s.count), int(s.slot)
		if rank > count {
			rank -= count
			continue
		}
		switch slot {
		case 0:
			return float64(bounds[0]) * rank / count / nanosecondsPerSecond
		case last:
			return float64(bounds[last-1]) / nanosecondsPerSecond
		}
		lower, upper := float64(bounds[slot-1]), float64(bounds[slot])
		return lower * math.Pow(upper/lower, rank/count) / nanosecondsPerSecond
	}
	return float64(bounds[last-1]) / nanosecondsPerSecond // rounding left a rest
}
