package status

import (
	"testing"
	"time"

	"sonde_exporter/discovery"
	"sonde_exporter/probe"
	"sonde_exporter/series"
)

var epoch = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)

func shopServer() party { return party{discovery.Service{Name: "shop"}, series.Server} }

// at is a sample some seconds after the epoch with this many requests.
func at(seconds int, count uint64) sample {
	s := newSample(epoch.Add(time.Duration(seconds)*time.Second), time.Duration(seconds)*time.Millisecond)
	s.programs["wire"] = ran(count, time.Duration(count)*time.Microsecond)
	if count > 0 {
		s.requests[shopServer()] = tallyOf(count/10, count)
	}
	return s
}

func ran(runs uint64, in time.Duration) probe.ProgramStats {
	return probe.ProgramStats{Type: "Tracing", Runs: runs, Time: in}
}

func TestWindow(t *testing.T) {
	const gone = 0
	for _, c := range []struct {
		name    string
		samples []uint64 // one a minute
		now     uint64   // half a minute later
		begin   int
		origin  string
		want    uint64
	}{
		{"no sample yet", nil, 7, 0, SinceStart, 7},
		{"one", []uint64{100}, 107, 0, SinceStart, 107},
		{"as many as are kept", []uint64{10, 20, 30, 40}, 50, 0, SinceStart, 50},
		{"one more", []uint64{10, 20, 30, 40, 50}, 55, 60, SinceSample, 45},
		{"many", []uint64{10, 20, 30, 40, 50, 60, 70, 80}, 80, 240, SinceSample, 40},
		{"idle", []uint64{10, 10, 10, 10, 10, 10}, 10, 120, SinceSample, 0},
		{"began anew", []uint64{100, 200, 5, 10}, 12, 0, SinceStart, 212},
		{"gone and back", []uint64{100, gone, gone, 150}, 160, 0, SinceStart, 260},
		{"gone", []uint64{100, 100, gone}, gone, 0, SinceStart, 100},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHistory(at(0, 0), SinceStart)
			for i, count := range c.samples {
				h.note(at(60*(i+1), count))
			}
			got := h.window(at(60*len(c.samples)+30, c.now))
			if count := got.requests[shopServer()].count(); count != c.want {
				t.Errorf("%d requests, want %d", count, c.want)
			}
			if begin := epoch.Add(time.Duration(c.begin) * time.Second); !got.at.Equal(begin) || h.origin != c.origin {
				t.Errorf("the window begins at %v (%s), want %v (%s)", got.at, h.origin, begin, c.origin)
			}
			if cpu := got.cpu.Milliseconds(); cpu != int64(60*len(c.samples)+30-c.begin) {
				t.Errorf("%d ms of CPU, want one for each second", cpu)
			}
		})
	}
}

func TestWindowOfPrograms(t *testing.T) {
	h := newHistory(at(0, 1000), SinceStart)
	h.note(at(60, 1500))
	now := at(90, 1600)
	now.programs["tls"] = ran(5, time.Millisecond) // loaded meanwhile
	got := h.window(now)
	if want := ran(600, 600*time.Microsecond); got.programs["wire"] != want {
		t.Errorf("wire ran %v, want %v", got.programs["wire"], want)
	}
	if want := ran(5, time.Millisecond); got.programs["tls"] != want {
		t.Errorf("tls ran %v, want %v", got.programs["tls"], want)
	}
}

// TestHistoryOfIdleServices: thousands of them for minutes take no room.
func TestHistoryOfIdleServices(t *testing.T) {
	h := newHistory(at(0, 0), SinceStart)
	for minute := range 10 {
		now := at(60*minute, 100)
		now.appeared[shopServer().service] = epoch
		h.note(now)
	}
	for i, increase := range h.increases {
		if len(increase.requests) > 0 || len(increase.appeared) > 0 {
			t.Errorf("interval %d remembers %v and %v, in which nothing happened", i, increase.requests, increase.appeared)
		}
	}
	if len(h.increases) != intervals {
		t.Errorf("%d intervals are kept, want %d", len(h.increases), intervals)
	}
}
