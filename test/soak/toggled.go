package main

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"sonde_exporter/test/harness"
)

// hiddenSlack is how much longer than the clients say the requests may have
// taken on average: the exporter saw a part of them only.
const hiddenSlack = 1.25

// useToggled keeps the service busy that reloads hide and show again, on
// connections that stay.
func (l *load) useToggled(ctx context.Context, sc *scope) {
	const connections = 4
	var wg sync.WaitGroup
	for range connections {
		conn, err := dial(l.cast.toggled.Addr())
		if err != nil {
			sc.Fatalf("cannot connect to a service: %v", err)
		}
		sc.Cleanup(func() { _ = conn.Close() })
		wg.Go(func() {
			for ctx.Err() == nil {
				began := time.Now()
				if err := converseOn(conn, get("/chunked/3"), http.MethodGet); err != nil {
					sc.Errorf("a request failed: %v", err)
					return
				}
				l.toggledNanoseconds.Add(int64(time.Since(began)))
				l.toggled.Add(1)
				time.Sleep(time.Millisecond)
			}
		})
	}
	wg.Wait()
}

// checkToggled makes sure that a service that was hidden for a while shows
// nothing that was not there, and that it is measured again, exactly.
func (l *load) checkToggled(sc *scope) {
	const requests = 50
	match := served(l.cast.toggled.Process)
	snap := l.exporter.Scrape(sc)
	before := snap.Count(harness.Server, match)
	failed := snap.Count(harness.Server, match.With(harness.Labels{"error_type": harness.Present}))
	sum := snap.Sum(harness.Server, match)
	known := time.Duration(l.toggledNanoseconds.Load()).Seconds() / float64(max(1, l.toggled.Load()))
	mean := sum / float64(max(1, before))
	sc.report.check("hidden for a while", before > 0 && before <= l.toggled.Load() && failed == 0 && mean <= known*hiddenSlack,
		"%d requests of %.2f ms, none failed; %d of %.2f ms counted, %d as failed", l.toggled.Load(), 1000*known, before, 1000*mean, failed)

	again := strings.Repeat(get("/users/1"), requests)
	if err := converse(l.cast.toggled.Addr(), again, gets(requests)...); err != nil {
		sc.Fatalf("requests failed: %v", err)
	}
	l.checkCount(sc, count{
		of: "shown again", family: harness.Server, service: nameToggled, truth: requests,
		match: match.With(harness.Labels{"http_route": "/users/{id}"}),
	})
}
