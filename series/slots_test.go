package series

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unsafe"
)

// conventionBounds are those of OpenTelemetry for HTTP durations.
func conventionBounds() []float64 {
	return []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}
}

func newTestTable(t testing.TB, classic []float64) *Table {
	t.Helper()
	table, err := NewTable(classic)
	if err != nil {
		t.Fatalf("NewTable(%v): %v", classic, err)
	}
	return table
}

func TestNewTableCountsSlots(t *testing.T) {
	thirty := make([]float64, MaxClassicBounds)
	for i := range thirty {
		thirty[i] = 0.0033 * float64(i+1)
	}
	tests := []struct {
		name    string
		classic []float64
		slots   int
	}{
		{"native bounds alone", nil, 210},
		{"a power of two is a native bound already", []float64{0.25, 0.5, 1}, 210},
		{"conventions", conventionBounds(), 221},
		{"as many as fit", thirty, MaxSlots},
		{"final +Inf is implied", []float64{0.3, math.Inf(+1)}, 211},
		{"above the native range", []float64{100, 3600}, 212},
		{"below the native range", []float64{1e-7}, 211},
		{"less than a nanosecond apart", []float64{3e-9, 3.1e-9}, 211},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			table := newTestTable(t, test.classic)
			if table.Slots() != test.slots {
				t.Errorf("Slots() = %d, want %d", table.Slots(), test.slots)
			}
			bounds := table.Bounds()
			for i, bound := range bounds {
				if padded := i >= table.Slots()-1; padded != (bound == math.MaxUint64) {
					t.Errorf("bound %d is %d with %d slots in use", i, bound, table.Slots())
				}
				if i > 0 && bound != math.MaxUint64 && bound <= bounds[i-1] {
					t.Errorf("bound %d is %d, not above %d", i, bound, bounds[i-1])
				}
			}
		})
	}
}

func TestNewTableRejects(t *testing.T) {
	tests := []struct {
		name    string
		classic []float64
		message string
	}{
		{"zero", []float64{0, 1}, "bound 0 is out of range"},
		{"negative", []float64{-1}, "bound -1 is out of range"},
		{"not a number", []float64{math.NaN()}, "bound NaN is out of range"},
		{"infinity before the end", []float64{math.Inf(+1), math.Inf(+1)}, "bound +Inf is out of range"},
		{"beyond exact integers", []float64{1e8}, "bound 1e+08 is out of range"},
		{"repeated", []float64{1, 1}, "bound 1 follows 1"},
		{"decreasing", []float64{1, 0.5}, "bound 0.5 follows 1"},
		{"too many", make([]float64, MaxClassicBounds+1), "31 bounds given, at most 30 fit"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := NewTable(test.classic)
			if err == nil || !strings.Contains(err.Error(), test.message) {
				t.Errorf("NewTable(%v) = %v, want an error with %q", test.classic, err, test.message)
			}
		})
	}
}

func TestNewTableKeepsNoReference(t *testing.T) {
	classic := conventionBounds()
	table := newTestTable(t, classic)
	classic[0] = 99
	if table.classic[0] != 0.005 {
		t.Error("the table changes with the slice that it was built from")
	}
}

func TestFloorNanoseconds(t *testing.T) {
	tests := []struct {
		bound float64
		want  uint64
	}{
		{0.3, 300_000_000}, // as float64 below three tenths
		{0.1, 100_000_000}, // as float64 above one tenth
		{0.005, 5_000_000},
		{1.001, 1_001_000_000},                     // times 1e9 it falls below the integer
		{math.Nextafter(12.46, 0), 12_459_999_999}, // times 1e9 it rises to the integer
		{math.Ldexp(1, -20), 953},                  // 953.67 ns
		{64, 64_000_000_000},
		{1e-10, 0},
		{86400.000000001, 86_400_000_000_001},
	}
	for _, test := range tests {
		if got := floorNanoseconds(test.bound); got != test.want {
			t.Errorf("floorNanoseconds(%g) = %d, want %d", test.bound, got, test.want)
		}
	}
}

// TestSlotMatchesLinearSearch checks the contract that the kernel's search
// relies on: slot i counts bound[i-1] < v <= bound[i].
func TestSlotMatchesLinearSearch(t *testing.T) {
	table := newTestTable(t, append(conventionBounds(), 100, 3600))
	bounds := table.Bounds()
	for _, ns := range interestingDurations(table) {
		want := slices.IndexFunc(bounds[:], func(bound uint64) bool { return ns <= bound })
		if got := table.Slot(ns); got != want {
			t.Errorf("Slot(%d) = %d, want %d", ns, got, want)
		}
	}
}

func TestHistogramLayoutMatchesKernel(t *testing.T) {
	var h Histogram
	if size := unsafe.Sizeof(h); size != 8+8*MaxSlots {
		t.Errorf("size is %d bytes, want %d", size, 8+8*MaxSlots)
	}
	if offset := unsafe.Offsetof(h.Slots); offset != 8 {
		t.Errorf("slots start at byte %d, want 8", offset)
	}
}

func TestHistogramAdd(t *testing.T) {
	table := newTestTable(t, conventionBounds())
	var all, first, second Histogram
	for i, ns := range interestingDurations(table) {
		if ns > math.MaxUint32 {
			continue // the sum would wrap
		}
		all.Observe(table, ns)
		if i%3 == 0 {
			first.Observe(table, ns)
		} else {
			second.Observe(table, ns)
		}
	}
	if first.Count() == 0 || second.Count() == 0 {
		t.Fatal("both parts need observations")
	}
	first.Add(&second)
	if first != all {
		t.Error("two parts added differ from the whole")
	}
}

// interestingDurations are the neighbourhood of every bound, the extremes, and
// random durations spread evenly over the orders of magnitude.
func interestingDurations(table *Table) []uint64 {
	durations := []uint64{0, 1, math.MaxUint32, math.MaxInt64, math.MaxUint64}
	for _, bound := range table.Bounds() {
		if bound != math.MaxUint64 {
			durations = append(durations, bound-min(bound, 1), bound, bound+1)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		durations = append(durations, uint64(math.Exp(random.Float64()*math.Log(1e12))))
	}
	return durations
}
