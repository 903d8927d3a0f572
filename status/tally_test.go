package status

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"sonde_exporter/discovery"
	"sonde_exporter/series"
)

// tallyOf has these counts in slots 1, 2, 3 and so on.
func tallyOf(errors uint64, counts ...uint64) tally {
	t := tally{errors: errors}
	for i, count := range counts {
		if count > 0 {
			t.slots = append(t.slots, slotCount{uint8(i + 1), count})
		}
	}
	return t
}

func TestTallySince(t *testing.T) {
	for name, c := range map[string]struct{ earlier, now, want tally }{
		"first":                {tally{}, tallyOf(1, 2, 3), tallyOf(1, 2, 3)},
		"nothing":              {tallyOf(1, 2, 3), tallyOf(1, 2, 3), tally{}},
		"more":                 {tallyOf(1, 2, 3), tallyOf(2, 2, 9), tallyOf(1, 0, 6)},
		"another slot before":  {tallyOf(0, 0, 3), tallyOf(0, 5, 3), tallyOf(0, 5)},
		"another slot after":   {tallyOf(0, 3), tallyOf(0, 3, 0, 1), tallyOf(0, 0, 0, 1)},
		"began anew":           {tallyOf(4, 20, 30), tallyOf(0, 2, 3), tallyOf(0, 2, 3)},
		"began anew, one fell": {tallyOf(0, 20, 3), tallyOf(0, 2, 30), tallyOf(0, 2, 30)},
		"a slot is gone":       {tallyOf(0, 1, 1), tallyOf(0, 5), tallyOf(0, 5)},
		"fewer errors":         {tallyOf(4, 20), tallyOf(1, 21), tallyOf(1, 21)},
		"gone":                 {tallyOf(4, 20), tally{}, tally{}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.now.since(c.earlier); !equal(got, c.want) {
				t.Errorf("%+v since %+v is %+v, want %+v", c.now, c.earlier, got, c.want)
			}
		})
	}
}

func equal(a, b tally) bool {
	return a.errors == b.errors && (len(a.slots) == 0 && len(b.slots) == 0 || reflect.DeepEqual(a.slots, b.slots))
}

// TestTalliesAddUp: what was added is what came since.
func TestTalliesAddUp(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	some := func() tally {
		counts := make([]uint64, 12)
		for i := range counts {
			counts[i] = random.Uint64N(3)
		}
		return tallyOf(random.Uint64N(4), counts...)
	}
	for range 2000 {
		a, b := some(), some()
		sum := a.plus(b)
		if got := sum.since(a); !equal(got, b) {
			t.Fatalf("%+v and %+v make %+v, of which %+v is new", a, b, sum, got)
		}
		if sum.count() != a.count()+b.count() || !equal(sum, b.plus(a)) {
			t.Fatalf("%+v and %+v make %+v", a, b, sum)
		}
	}
}

func TestTalliesOfAFold(t *testing.T) {
	labels := series.Labels{ServiceName: "shop", ServiceNamespace: "eu", Role: series.Server, Route: "/"}
	failed, called, empty := labels, labels, labels
	failed.ErrorType, failed.Status = "503", 503
	called.Role = series.Client
	empty.ServiceName = "idle"
	got := tallies(series.Fold{
		labels: {Slots: [series.MaxSlots]uint64{1: 5, 239: 1}},
		failed: {Slots: [series.MaxSlots]uint64{1: 2, 7: 1}},
		called: {Slots: [series.MaxSlots]uint64{3: 4}},
		empty:  {},
	})
	shop := discovery.Service{Name: "shop", Namespace: "eu"}
	want := map[party]tally{
		{shop, series.Server}: {errors: 3, slots: []slotCount{{1, 7}, {7, 1}, {239, 1}}},
		{shop, series.Client}: {slots: []slotCount{{3, 4}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the fold is %+v, want %+v", got, want)
	}
}
