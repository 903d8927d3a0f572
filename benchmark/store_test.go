package main

import (
	"fmt"
	"testing"
)

// TestWaysAgree observes with each way's program and reads with each reader: what
// is compared must do the same.
func TestWaysAgree(t *testing.T) {
	const series, runs = 20, 50
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			store, err := w.open(series)
			if err != nil {
				t.Fatal(err)
			}
			way := &tried{way: w, store: store, readers: store.readers()}
			defer func() { way.program.Close(); store.Close() }()
			if err := way.fill(series); err != nil {
				t.Fatal(err)
			}
			observed := seriesKey(series / 2)
			if err := way.load(observed); err != nil {
				t.Fatal(err)
			}
			if _, err := repeat(way.program, runs, []int{0}); err != nil {
				t.Fatal(err)
			}
			for _, r := range way.readers {
				if err := expectBlank(r, series, observed, 1+runs); err != nil {
					t.Errorf("%s: %v", r.name, err)
				}
			}
		})
	}
}

// expectBlank wants series as blank makes them, and one where each observation
// was made so many times.
func expectBlank(r reader, series int, observed, times uint64) (wrong error) {
	seen := map[uint64]bool{}
	err := r.read(func(key uint64, h *histogram) {
		seen[key] = true
		want := blank()
		if key == observed {
			want.SumNS *= times
			for slot := range want.Slots {
				want.Slots[slot] *= times
			}
		}
		if *h != want {
			wrong = fmt.Errorf("series %#x has %d observations of %d ns, want %d of %d ns", key, h.count(), h.SumNS, want.count(), want.SumNS)
		}
	})
	if wrong == nil && len(seen) != series {
		wrong = fmt.Errorf("%d series were read, want %d", len(seen), series)
	}
	if err != nil {
		return err
	}
	return wrong
}

func TestCountedTellsOfLoss(t *testing.T) {
	store, err := newSharedStore(1)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	way := &tried{store: store, readers: store.readers()}
	if err := way.fill(1); err != nil {
		t.Fatal(err)
	}
	if err := way.counted(seriesKey(0), usedSlots); err != nil {
		t.Errorf("all are counted, but: %v", err)
	}
	if err := way.counted(seriesKey(0), usedSlots+1); err == nil {
		t.Error("one observation is lost, and nobody tells")
	}
}
