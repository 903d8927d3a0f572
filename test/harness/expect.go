package harness

import (
	"fmt"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
)

const (
	// countTimeout is how long an observation may take to reach a scrape. A
	// connection whose answer has no length is only swept up after a while, and
	// an export that fails is told when it has been tried again for some seconds.
	countTimeout = 20 * time.Second
	// settle is how long a right count has to stay right: a request that is
	// counted twice shows up late as well.
	settle = 100 * time.Millisecond
)

// Row is a set of labels and how many requests must have them.
type Row struct {
	Labels Labels
	Count  uint64
}

// Expect waits until the series of one family that match base hold exactly the
// requests of rows, no more and no other, and fails the test if they never do.
// It returns the scrape that held them.
func (e *Exporter) Expect(t testing.TB, name string, base Labels, rows ...Row) Snapshot {
	t.Helper()
	var want uint64
	for _, row := range rows {
		want += row.Count
	}
	snap := e.WaitCount(t, name, base, want)
	for _, row := range rows {
		if got := snap.Count(name, base.With(row.Labels)); got != row.Count {
			t.Errorf("%d requests have the labels %v, want %d; found:\n%s",
				got, row.Labels, row.Count, snap.Describe(name, base))
		}
	}
	return snap
}

// WaitCount waits until exactly want requests match, and still do a moment
// later.
func (e *Exporter) WaitCount(t testing.TB, name string, match Labels, want uint64) Snapshot {
	t.Helper()
	deadline := time.Now().Add(countTimeout)
	for {
		snap := e.Scrape(t)
		got := snap.Count(name, match)
		if got == want {
			time.Sleep(settle)
			snap = e.Scrape(t)
			got = snap.Count(name, match)
		}
		switch {
		case got == want:
			return snap
		case got > want, time.Now().After(deadline):
			t.Fatalf("%d requests were counted, want %d; found:\n%s%s", got, want, snap.Describe(name, match), snap.losses())
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// losses prints what the exporter says that it has lost.
func (s Snapshot) losses() string {
	var b strings.Builder
	for name, family := range s {
		if !strings.HasPrefix(name, "sonde_") || family.GetType() != dto.MetricType_COUNTER {
			continue
		}
		for _, m := range family.GetMetric() {
			if v := m.GetCounter().GetValue(); v > 0 && !strings.HasPrefix(name, "sonde_bpf_program") {
				fmt.Fprintf(&b, "  %s%v %v\n", name, m.GetLabel(), v)
			}
		}
	}
	return b.String()
}

// Eventually scrapes until ok holds for a scrape, which it returns; what says in
// the failure what was waited for.
func (e *Exporter) Eventually(t testing.TB, what string, ok func(Snapshot) bool) Snapshot {
	t.Helper()
	deadline := time.Now().Add(countTimeout)
	for {
		snap := e.Scrape(t)
		if ok(snap) {
			return snap
		}
		if time.Now().After(deadline) {
			t.Fatalf("the exporter never showed %s", what)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Eventually polls until ok holds, for what the exporter has no part in.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(countTimeout)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v in vain for %s", countTimeout, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
