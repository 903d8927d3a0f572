package main

import (
	"fmt"
	"time"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

const (
	// visits is how often each path is asked for, so that a histogram has more
	// than one bucket.
	visits = 10
	// fillPatience is how long it may take to make the series.
	fillPatience = time.Minute
	// scrapeGoal is how long a scrape of so many series in protobuf may take.
	scrapeGoal, scrapeGoalSeries = 250, 10000 // ms
	// memoryGoal is how much may be resident at so many series.
	memoryGoal, memoryGoalSeries = 60, 1000 // MB
)

// sizes are the numbers of series.
func sizes() []int { return []int{100, 1000, 10000} }

// measureSizes measures scrapes and memory at each number of series.
func measureSizes(s *stage, p plan, rec *record) {
	for _, series := range sizes() {
		web := servers.Go(s, p.programs.GoServer)
		e := launch(s, p.programs.Exporter, harness.Options{Config: only(web.Port), Args: []string{
			"--routes.unmatched=path", "--series.limit=20000", "--series.limit-per-service=20000",
		}})
		subject := fmt.Sprintf("%d series", series)
		if series == sizes()[0] && p.parts[partMemory] {
			measureMemory(s, rec, e, "no series yet")
		}
		fill(s, e, web, series)
		warm(s, e)
		if p.parts[partScrape] {
			measureScrapes(s, p, rec, e, series)
		}
		if p.parts[partMemory] {
			resident := measureMemory(s, rec, e, subject)
			if series == memoryGoalSeries {
				rec.aim(resident, atMost(memoryGoal))
			}
		}
		s.must(e.Stop())
		web.Stop()
		p.progress(subject)
	}
}

// fill makes series by traffic until the exporter shows them. The first requests
// for a path teach the kernel its route; while too many are unknown at a time,
// what does not fit goes to the overflow series, and so the number is looked at.
func fill(s *stage, e *harness.Exporter, web *servers.GoServer, series int) {
	paths := words(series)
	shown, deadline := 0, time.Now().Add(fillPatience)
	for visited := 0; visited < visits || shown < series; visited++ {
		s.must(s.Context().Err())
		s.must(visit(web.Addr(), paths))
		if visited+1 >= visits {
			shown = len(e.Scrape(s).Series(harness.Server, harness.Labels{"server_port": web.PortLabel(), "http_route": harness.Present}))
		}
		if time.Now().After(deadline) {
			s.Fatalf("the exporter shows %d of %d series after %d requests for each", shown, series, visited+1)
		}
	}
}
