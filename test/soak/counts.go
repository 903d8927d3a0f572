package main

import (
	"fmt"
	"strconv"
	"time"

	"sonde_exporter/test/harness"
)

// countTimeout is how long a request may take to show up. A connection whose
// answer has no length is only swept up after a while.
const countTimeout = 10 * time.Second

// count is a number of requests that the exporter must show, exactly.
type count struct {
	of      string
	family  string
	service string
	match   harness.Labels
	truth   uint64
}

// overflowed matches what has lost all labels but the service's.
func overflowed(service string) harness.Labels {
	return harness.Labels{"service_name": service, "http_route": "_other"}
}

// checkCounts compares what the exporter shows with what the servers and the
// clients know themselves.
func (l *load) checkCounts(sc *scope) {
	for _, c := range l.exactCounts(sc) {
		l.checkCount(sc, c)
	}
	l.checkAtLeast(sc)
	l.checkOverflow(sc)
	l.checkToggled(sc)
}

func (l *load) exactCounts(sc *scope) []count {
	c := l.cast
	var logged uint64
	for _, lines := range c.front.Logged(sc) {
		logged += lines
	}
	behind := c.backend.Handled(sc)
	return []count{
		{"wrk at a Go server", harness.Server, nameStable, served(c.stable.Process), c.stable.Handled(sc)},
		{"wrk at nginx", harness.Server, nameNginx, served(c.front.Process), logged},
		{"behind a proxy", harness.Server, nameBackend, served(c.backend.Process), behind},
		{"calls of the proxy", harness.Client, nameNginx, served(c.backend.Process), behind},
		{"aborted connections", harness.Server, nameAborted, served(c.aborted.Process), l.aborted.Load()},
		{"pipelined", harness.Server, namePipelined, served(c.pipelined.Process), l.pipelined.Load()},
		{"idle connections", harness.Server, nameIdle, served(c.idle.Process), c.idle.Handled(sc)},
		{"called under many hosts", harness.Server, nameCalled, served(c.called.Process), l.called.Load()},
		{of: "cardinality bomb", family: harness.Server, service: nameBombed, truth: l.bombed.Load()},
		{of: "calls to many hosts", family: harness.Client, service: nameCaller, truth: l.called.Load()},
		{of: "restarted service", family: harness.Server, service: nameRestarted, truth: l.restartedRequests.Load()},
	}
}

// in tells how many requests a scrape shows at least and at most. Where a
// service overflowed, its other requests may lack the label to match.
func (c count) in(snap harness.Snapshot) (least, most uint64) {
	if c.match == nil {
		all := snap.Count(c.family, harness.Labels{"service_name": c.service})
		return all, all
	}
	least = snap.Count(c.family, c.match)
	return least, least + snap.Count(c.family, overflowed(c.service))
}

// checkCount scrapes until the count is right, or will not be.
func (l *load) checkCount(sc *scope, c count) {
	deadline := time.Now().Add(countTimeout)
	for {
		snap := l.exporter.Scrape(sc)
		least, most := c.in(snap)
		ok := c.truth > 0 && least <= c.truth && c.truth <= most
		if !ok && least < c.truth && time.Now().Before(deadline) {
			time.Sleep(100 * time.Millisecond)
			continue
		}
		sc.report.check("exact: "+c.of, ok, "%d requests, %s counted", c.truth, span(least, most))
		if !ok {
			sc.Logf("%s:\n%s", c.of, snap.Describe(c.family, harness.Labels{"service_name": c.service}))
		}
		return
	}
}

func span(least, most uint64) string {
	if least == most {
		return strconv.FormatUint(least, 10)
	}
	return fmt.Sprintf("%d to %d", least, most)
}

// checkOverflow makes sure that a request only loses its labels where a limit
// demands it: these services have a few routes each.
func (l *load) checkOverflow(sc *scope) {
	snap := l.exporter.Scrape(sc)
	var blurred uint64
	for _, family := range []string{harness.Server, harness.Client} {
		for _, service := range append(survivors(), nameToggled) {
			if service != nameCaller {
				blurred += snap.Count(family, overflowed(service))
			}
		}
	}
	sc.report.check("no overflow without cause", blurred == 0, "%d requests of services with few routes are under _other", blurred)
}

// checkAtLeast is for servers that end with requests under way: these may or may
// not have reached them, but each answer was seen by the client.
func (l *load) checkAtLeast(sc *scope) {
	snap := l.exporter.Scrape(sc)
	killed := snap.Count(harness.Server, harness.Labels{"service_name": nameKilled, "http_response_status_code": "200"}) +
		snap.Count(harness.Server, overflowed(nameKilled))
	sc.report.check("service killed under load", killed >= l.killedAnswers.Load() && killed > 0,
		"%d answers arrived, %d counted, %d ends", l.killedAnswers.Load(), killed, l.kills.Load())
	var logged uint64
	for _, lines := range l.cast.proxy.Logged(sc) {
		logged += lines
	}
	_, proxied := count{family: harness.Server, service: nameNginx, match: served(l.cast.proxy.Process)}.in(snap)
	sc.report.check("nginx renewing its workers", proxied >= logged && logged > 0,
		"%d requests logged, %d counted, %d renewals", logged, proxied, l.renewals.Load())
}
