package main

import "fmt"

// Goal is what Sonde promises of a quantity, and whether this run kept it.
type Goal struct {
	Text string `json:"text"`
	Met  bool   `json:"met"`
}

func (g Goal) String() string {
	if g.Met {
		return g.Text + ": met"
	}
	return g.Text + ": **missed**"
}

// atMost demands that the median with Sonde is not above a limit, in the unit of
// the row.
func atMost(limit float64) judge {
	return func(row Row) Goal {
		return Goal{
			Text: fmt.Sprintf("≤ %s %s", figure(limit), row.Unit),
			Met:  row.With != nil && row.With.Median <= limit,
		}
	}
}

// withinNoise demands that the median with Sonde is not above the worst round
// without it: the rounds without Sonde differ by nothing but noise.
func withinNoise(row Row) Goal {
	return Goal{
		Text: "within noise",
		Met:  row.With != nil && row.Without != nil && row.With.Median <= row.Without.Max,
	}
}
