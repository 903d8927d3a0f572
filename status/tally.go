package status

import (
	"cmp"
	"slices"

	"sonde_exporter/discovery"
	"sonde_exporter/series"
)

// party is a service in one role.
type party struct {
	service discovery.Service
	role    series.Role
}

// tally is a histogram of all requests of a party. It is kept for minutes, and
// most slots of most services are empty, so it has none of these.
type tally struct {
	errors uint64
	slots  []slotCount // ascending, none of them zero
}

type slotCount struct {
	slot  uint8
	count uint64
}

// tallies adds the series of each party up.
func tallies(fold series.Fold) map[party]tally {
	type sum struct {
		series.Histogram
		errors uint64
	}
	sums := map[party]*sum{}
	for labels, histogram := range fold {
		key := party{discovery.Service{Name: labels.ServiceName, Namespace: labels.ServiceNamespace}, labels.Role}
		if sums[key] == nil {
			sums[key] = new(sum)
		}
		sums[key].Add(histogram)
		if labels.ErrorType != "" {
			sums[key].errors += histogram.Count()
		}
	}
	all := make(map[party]tally, len(sums))
	for key, sum := range sums {
		if t := sparse(&sum.Histogram); len(t.slots) > 0 {
			t.errors = sum.errors
			all[key] = t
		}
	}
	return all
}

func sparse(histogram *series.Histogram) tally {
	var t tally
	for slot, count := range histogram.Slots {
		if count > 0 {
			t.slots = append(t.slots, slotCount{uint8(slot), count})
		}
	}
	t.slots = slices.Clip(t.slots)
	return t
}

func (t tally) count() uint64 {
	var count uint64
	for _, s := range t.slots {
		count += s.count
	}
	return count
}

// plus is the sum of two tallies.
func (t tally) plus(more tally) tally {
	sum := tally{errors: t.errors + more.errors, slots: make([]slotCount, 0, len(t.slots)+len(more.slots))}
	a, b := t.slots, more.slots
	for len(a) > 0 && len(b) > 0 {
		switch cmp.Compare(a[0].slot, b[0].slot) {
		case -1:
			sum.slots, a = append(sum.slots, a[0]), a[1:]
		case +1:
			sum.slots, b = append(sum.slots, b[0]), b[1:]
		default:
			sum.slots = append(sum.slots, slotCount{a[0].slot, a[0].count + b[0].count})
			a, b = a[1:], b[1:]
		}
	}
	sum.slots = append(append(sum.slots, a...), b...)
	return sum
}

// since is what was counted after an earlier tally of the same party. If any
// count fell, the party began anew, and all of t came afterwards: Prometheus
// takes the reset of a counter in the same way.
func (t tally) since(earlier tally) tally {
	if t.errors < earlier.errors {
		return t
	}
	increase := tally{errors: t.errors - earlier.errors}
	before := earlier.slots
	for _, now := range t.slots {
		if len(before) > 0 && before[0].slot == now.slot {
			if before[0].count > now.count {
				return t
			}
			now.count -= before[0].count
			before = before[1:]
		}
		if now.count > 0 {
			increase.slots = append(increase.slots, now)
		}
	}
	if len(before) > 0 { // a slot that is empty now
		return t
	}
	return increase
}
