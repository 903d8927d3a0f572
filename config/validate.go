package config

import (
	"fmt"
	"math"
	"slices"

	"sonde_exporter/routes"
)

const (
	// maxBuckets leaves room for the native bounds: both share one table of
	// counters in the kernel.
	maxBuckets = 30
	// maxBoundSeconds is a day. It keeps every bound far from the end of the
	// kernel's integer nanoseconds.
	maxBoundSeconds = 86_400
	// maxSeries bounds the kernel map, at about 2 KiB an entry.
	maxSeries = 1_000_000
)

// validate reports every value that cannot be used and every pair of values
// that contradict each other.
func (d *draft) validate(p *problems) {
	validateRules(d.services, d.exclude, p)
	validatePatterns(d.patterns, d.ignoredPatterns, p)
	validateUnmatched(d.unmatched, p)
	validateBuckets(d.buckets, p)
	d.validateSeries(p)
}

func validatePatterns(patterns, ignored []located[string], p *problems) {
	known, out := knownPatterns(patterns, p), knownPatterns(ignored, p)
	for _, pattern := range patterns {
		form := routes.Shape(pattern.value)
		ignoredBy, isIgnored := out[form]
		if isIgnored && known[form] == pattern {
			p.tell(pattern.at, "%s is also ignored by %s; keep one of the two",
				quote(pattern.value), ignoredBy.at.mention())
		}
	}
}

// knownPatterns reports wrong and repeated patterns and returns the others by
// their shape.
func knownPatterns(list []located[string], p *problems) map[string]located[string] {
	if len(list) > maxItems {
		p.tell(list[0].at, "has %d items; at most %d are allowed", len(list), maxItems)
	}
	known := map[string]located[string]{}
	for _, pattern := range list {
		if err := routes.CheckPattern(pattern.value); err != nil {
			p.wrap(pattern.at, fmt.Errorf("pattern %s %w", quote(pattern.value), err))
			continue
		}
		form := routes.Shape(pattern.value)
		first, repeated := known[form]
		switch {
		case !repeated:
			known[form] = pattern
		case first.value == pattern.value:
			p.tell(pattern.at, "%s is listed twice; remove one of the two", quote(pattern.value))
		default:
			p.tell(pattern.at, "%s matches the same paths as %s; remove one of the two",
				quote(pattern.value), quote(first.value))
		}
	}
	return known
}

func validateUnmatched(unmatched located[string], p *problems) {
	allowed := []string{routes.UnmatchedHeuristic, routes.UnmatchedUnset, routes.UnmatchedWildcard, routes.UnmatchedPath}
	if !slices.Contains(allowed, unmatched.value) {
		p.tell(unmatched.at, "must be heuristic, unset, wildcard or path, not %s", quote(unmatched.value))
	}
}

func validateBuckets(buckets located[[]float64], p *problems) {
	bounds := buckets.value
	if len(bounds) == 0 {
		p.tell(buckets.at, "must have at least one bound, such as 0.1")
	}
	if len(bounds) > maxBuckets {
		p.tell(buckets.at, "has %d bounds; at most %d are allowed", len(bounds), maxBuckets)
	}
	for i, b := range bounds {
		nanoseconds := math.Round(b * 1e9)
		switch {
		case b <= 0:
			p.tell(buckets.at, "must be above zero, but has %v", b)
		case nanoseconds < 1:
			p.tell(buckets.at, "has %v; the smallest bound is 1e-09, a nanosecond", b)
		case b > maxBoundSeconds:
			p.tell(buckets.at, "has %v; the largest bound is %d seconds, a day", b, maxBoundSeconds)
		case i == 0:
		case b == bounds[i-1]:
			p.tell(buckets.at, "has %v twice; remove one of the two", b)
		case b < bounds[i-1]:
			p.tell(buckets.at, "must ascend, but %v comes after %v", b, bounds[i-1])
		case nanoseconds == math.Round(bounds[i-1]*1e9):
			p.tell(buckets.at, "has %v and %v, which are less than a nanosecond apart; remove one of the two", bounds[i-1], b)
		}
	}
}

func (d *draft) validateSeries(p *problems) {
	limit, perService := d.limit, d.limitPerService
	positive := true
	for _, number := range []located[int]{limit, perService} {
		if number.isSet() && number.value <= 0 {
			p.tell(number.at, "must be above zero, not %d", number.value)
			positive = false
		}
	}
	if limit.value > maxSeries {
		p.tell(limit.at, "must be at most %d, not %d", maxSeries, limit.value)
	}
	if positive && perService.value > limit.value {
		p.tell(perService.at, "is %d, more than the limit of all series, %d; lower it or raise series.limit",
			perService.value, limit.value)
	}
	if d.retention.value <= 0 {
		p.tell(d.retention.at, "must be above zero, not %s", d.retention.value)
	}
}
