package discovery

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"sonde_exporter/config"
	"sonde_exporter/probe"
)

func TestSweepFindsWhatIsGone(t *testing.T) {
	const retention = time.Minute
	h := newHost(t, config.Discovery{})
	start := time.Now()
	sweep := func(after time.Duration, want ...uint32) {
		t.Helper()
		var got []uint32
		for _, instance := range h.Sweep(start.Add(after), retention) {
			got = append(got, instance.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("after %s instances %v have expired, want %v", after, got, want)
		}
	}
	h.Listens(eventOf(1, 100, 80, "nginx"))
	h.kernel.services[1] = probe.Service{Processes: 1, Listeners: 1}
	sweep(0)
	sweep(time.Hour)
	for _, half := range []probe.Service{{Processes: 1}, {Listeners: 1}} { // each alone keeps it alive
		h.kernel.services[1] = half
		sweep(2 * time.Hour)
	}
	h.kernel.services[1] = probe.Service{}
	sweep(3 * time.Hour)
	if gone := h.instance(1).Gone; !gone.Equal(start.Add(3 * time.Hour)) {
		t.Errorf("gone since %s, want since the sweep that found it", gone)
	}
	sweep(3*time.Hour + retention - 1)
	sweep(3*time.Hour+retention, 1)
	sweep(3*time.Hour+2*retention, 1) // until somebody retires it
	h.kernel.services[1] = probe.Service{Processes: 1}
	sweep(4 * time.Hour) // it was not gone for good
	h.kernel.services[1] = probe.Service{}
	sweep(5 * time.Hour)
	sweep(5*time.Hour+retention, 1)
	h.Remove(1)
	sweep(6 * time.Hour)
	if _, known := h.Instance(1); known {
		t.Error("a removed instance is known")
	}
}

// TestListensAfterGone: the number lives on, the process may be another.
func TestListensAfterGone(t *testing.T) {
	h := newHost(t, config.Discovery{})
	h.runs(100, "/opt/old")
	h.Listens(eventOf(1, 100, 80, "old"))
	h.Sweep(time.Now(), time.Hour)
	if h.instance(1).Gone.IsZero() {
		t.Fatal("the instance is not gone")
	}
	h.runs(200, "/opt/new")
	h.Listens(eventOf(1, 200, 81, "new"))
	h.expect(1, "new", true, 80, 81)
	if !h.instance(1).Gone.IsZero() {
		t.Error("an instance that listens is still gone")
	}
}

// TestAppeared: what listened before Sonde may have done so for long.
func TestAppeared(t *testing.T) {
	h := newHost(t, config.Discovery{})
	h.Listens(eventOf(1, 100, 80, "old"))
	h.Settle()
	before := time.Now()
	h.Listens(eventOf(2, 200, 81, "new"))
	after := time.Now()
	for _, when := range []string{"at first", "with one more port", "with another program", "back after it was gone"} {
		if at := h.instance(1).Appeared; !at.IsZero() {
			t.Errorf("%s, what was there at the start appeared at %s, want no time", when, at)
		}
		if at := h.instance(2).Appeared; at.Before(before) || at.After(after) {
			t.Errorf("%s, what came later appeared at %s, want from %s to %s", when, at, before, after)
		}
		for id := range uint32(2) {
			event := eventOf(id+1, int(100*(id+1)), uint16(90+id), "other")
			switch when {
			case "at first":
				h.Listens(event)
			case "with one more port":
				h.Executes(event)
			case "with another program":
				h.Sweep(time.Now(), time.Hour)
				h.Listens(event)
			}
		}
	}
}

func TestSweepMovesTheAnnounceLimit(t *testing.T) {
	h := newHost(t, rulesOf(t, "discovery: {exclude: [{open_port: 81}]}"))
	h.Listens(eventOf(1, 100, 80, "a"))
	h.Listens(eventOf(2, 200, 81, "b"))
	limits := func(announced uint64) {
		for id := range uint32(2) {
			h.kernel.services[id+1] = probe.Service{Processes: 1, Announced: announced}
		}
		h.Sweep(time.Now(), time.Minute)
	}
	limits(0) // the first announcements are not used up
	if len(h.kernel.limits) != 0 {
		t.Errorf("limits %v, want none yet", h.kernel.limits)
	}
	limits(1500)
	limits(900) // never back
	for id := range uint32(2) {
		if got, want := h.kernel.limits[id+1], uint64(1500+announcementsPerSecond); got != want {
			t.Errorf("instance %d may announce %d operations, want %d", id+1, got, want)
		}
	}
}

func TestSweepGoesOnAfterAFailure(t *testing.T) {
	h := newHost(t, config.Discovery{})
	h.Listens(eventOf(1, 100, 80, "a"))
	h.kernel.failure = errors.New("map is gone")
	if expired := h.Sweep(time.Now(), 0); len(expired) != 0 {
		t.Errorf("%d instances expired of which nothing is known", len(expired))
	}
	if !strings.Contains(h.log.String(), "map is gone") || !h.instance(1).Gone.IsZero() {
		t.Errorf("the log says %s", h.log)
	}
}
