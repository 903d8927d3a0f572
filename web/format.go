package web

import (
	"math"
	"strconv"
	"time"

	"sonde_exporter/amount"
)

// noBreak keeps a number and its unit on one line.
const noBreak = "\u00a0"

// absent stands for what has no value, as the quantiles of no requests.
const absent = "–"

// significant writes three digits, more only left of the point.
func significant(value float64) string {
	switch {
	case value < 9.995:
		return strconv.FormatFloat(value, 'f', 2, 64)
	case value < 99.95:
		return strconv.FormatFloat(value, 'f', 1, 64)
	}
	return amount.Grouped(uint64(math.Round(value)))
}

func formatRate(perSecond float64) string {
	switch {
	case perSecond == 0:
		return "0"
	case perSecond < 0.005:
		return "<0.01"
	}
	return significant(perSecond)
}

func formatPercent(ratio float64) string {
	percent := 100 * ratio
	switch {
	case percent == 0:
		return "0" + noBreak + "%"
	case percent < 0.005:
		return "<0.01" + noBreak + "%"
	}
	return significant(percent) + noBreak + "%"
}

func formatSeconds(seconds float64) string {
	switch {
	case seconds < 999.5e-6:
		return significant(seconds*1e6) + noBreak + "µs"
	case seconds < 999.5e-3:
		return significant(seconds*1e3) + noBreak + "ms"
	}
	return significant(seconds) + noBreak + "s"
}

func formatMegabytes(bytes uint64) string {
	return significant(float64(bytes)/1e6) + noBreak + "MB"
}

func formatTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// optional formats what may have no value.
func optional(format func(float64) string) func(*float64) string {
	return func(value *float64) string {
		if value == nil {
			return absent
		}
		return format(*value)
	}
}
