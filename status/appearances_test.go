package status

import (
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"sonde_exporter/series"
)

// TestYoungService: a service that began within the window has its rate over the
// time since then.
func TestYoungService(t *testing.T) {
	const requests = 2000
	before := time.Hour // Sonde started: no instance appears then, but was there
	for name, c := range map[string]struct {
		instances []time.Duration // how long ago they appeared
		isGone    bool            // the first of them
		want      float64         // seconds
	}{
		"there at the start":    {[]time.Duration{before}, false, 90},
		"younger":               {[]time.Duration{20 * time.Second}, false, 20},
		"older than the window": {[]time.Duration{2 * time.Minute}, false, 90},
		"just begun":            {[]time.Duration{20 * time.Millisecond}, false, 1},
		"several":               {[]time.Duration{20 * time.Second, 30 * time.Second, 10 * time.Second}, false, 30},
		"several, one old":      {[]time.Duration{20 * time.Second, before}, false, 90},
		"restarted":             {[]time.Duration{50 * time.Second, 10 * time.Second}, true, 50},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				host := newHost(t)
				reader := host.reader()
				time.Sleep(90 * time.Second)
				for i, age := range c.instances {
					instance := host.run(uint32(i+1), "shop", 80)
					if age != before {
						instance.Appeared = time.Now().Add(-age)
					}
				}
				if c.isGone {
					host.instances[0].Gone = time.Now()
				}
				host.run(9, "shop", 81).Selected = false // another process of that name
				called := shopLabels()
				called.Role = series.Client
				host.add(shopLabels(), requests, time.Millisecond)
				host.add(called, requests/2, time.Millisecond)
				shop := read(t, reader).Services[0]
				if got := shop.Server; got.WindowSeconds != c.want || got.PerSecond != requests/c.want {
					t.Errorf("it serves %v/s over %v s, want %v/s over %v s", got.PerSecond, got.WindowSeconds, requests/c.want, c.want)
				}
				if got := shop.Client; got.WindowSeconds != c.want || got.PerSecond != requests/2/c.want {
					t.Errorf("it makes %v/s over %v s, want %v/s over %v s", got.PerSecond, got.WindowSeconds, requests/2/c.want, c.want)
				}
			})
		})
	}
}

// TestYoungAndIdle: also who did nothing says over which time.
func TestYoungAndIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newHost(t)
		reader := host.reader()
		time.Sleep(90 * time.Second)
		host.run(1, "shop", 80).Appeared = time.Now().Add(-20 * time.Second)
		if got := read(t, reader).Services[0].Server; got.WindowSeconds != 20 || got.PerSecond != 0 {
			t.Errorf("it serves %v/s over %v s, want none over 20 s", got.PerSecond, got.WindowSeconds)
		}
	})
}

// TestWindowOfRestartedService: requests of an instance that nobody knows any more
// must not be taken for those of the one that came after it.
func TestWindowOfRestartedService(t *testing.T) {
	appeared := func(s sample, seconds int) sample {
		s.appeared[shopServer().service] = epoch.Add(time.Duration(seconds) * time.Second)
		return s
	}
	for name, c := range map[string]struct {
		samples []sample // what ended each minute
		now     sample
		want    int
	}{
		"the first one":            {nil, appeared(at(30, 5), 20), 20},
		"idle":                     {[]sample{at(60, 0)}, appeared(at(90, 0), 70), 70},
		"retired since a sample":   {[]sample{appeared(at(60, 0), 10)}, appeared(at(90, 9), 70), 10},
		"retired before a sample":  {[]sample{appeared(at(60, 5), 10), appeared(at(120, 9), 70)}, appeared(at(150, 12), 130), 10},
		"retired and then idle":    {[]sample{appeared(at(60, 5), 10), at(120, 5)}, appeared(at(150, 9), 130), 10},
		"idle before it restarted": {[]sample{appeared(at(60, 0), 10), at(120, 0)}, appeared(at(150, 9), 130), 130},
		"out of the window":        {[]sample{appeared(at(60, 5), 10), at(120, 5), at(180, 5), at(240, 5), at(300, 5)}, appeared(at(330, 9), 320), 320},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHistory(at(0, 0), SinceStart)
			for _, s := range c.samples {
				h.note(s)
			}
			want := appearances{shopServer().service: epoch.Add(time.Duration(c.want) * time.Second)}
			if got := h.window(c.now).appeared; !maps.Equal(got, want) {
				t.Errorf("it appeared at %v, want %v", got, want)
			}
		})
	}
}
