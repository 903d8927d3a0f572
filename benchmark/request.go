package main

import (
	"maps"
	"slices"
	"time"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

const (
	// kernelGoal is the kernel time that one request may cost in one role.
	kernelGoal = 0.5 // µs
	// userGoal is what counts as no user-space CPU for a request. To wake a
	// thread takes more than a microsecond, so that this is less than one wake-up
	// in fifty requests; below it are only cold caches of what Sonde does once a
	// second.
	userGoal = 20 // ns
	// perRequest is how often a program runs for each request at least if it is
	// one that requests run: the others run for whatever else happens.
	perRequest = 0.5
)

// scenario is one way to make requests.
type scenario struct {
	name     string
	url      string
	short    bool // a connection for each request
	tls      bool // measured inside a TLS library, by uprobes
	excluded bool // Sonde is not told to measure the service
	pids     []int
}

func (c scenario) quantity(measure, unit string) quantity {
	return quantity{part: partRequest, subject: c.name, measure: measure, unit: unit}
}

// measureRequests runs all scenarios, once in each round on each side.
func measureRequests(s *stage, p plan, rec *record) {
	web := servers.Go(s, p.programs.GoServer)
	nginx := servers.StartNginx(s, servers.NginxOptions{Upstream: web.Addr()})
	excluded := servers.StartNginx(s, servers.NginxOptions{})
	keys := harness.Certificate(s, servers.Dir(s)).KeyFiles
	secure := servers.StartNginx(s, servers.NginxOptions{TLS: &keys})
	secureWeb := servers.GoTLS(s, p.programs.GoServer, keys, "")
	nginxPIDs, excludedPIDs := processes(s, nginx), processes(s, excluded)
	floor := scenario{name: "nginx, not measured: the floor", url: excluded.URL("/hello"), pids: excludedPIDs, excluded: true}
	scenarios := []scenario{
		floor,
		{name: "nginx, keep-alive", url: nginx.URL("/hello"), pids: nginxPIDs},
		{name: "nginx, short connections", url: nginx.URL("/hello"), pids: nginxPIDs, short: true},
		{name: "Go, keep-alive", url: web.URL("/hello"), pids: []int{web.PID}},
		{name: "Go, short connections", url: web.URL("/hello"), pids: []int{web.PID}, short: true},
		{name: "nginx as proxy of Go: three roles", url: nginx.URL("/up/hello"), pids: slices.Concat(nginxPIDs, []int{web.PID})},
		{name: "nginx, TLS, keep-alive", url: secure.URL("/hello"), pids: processes(s, secure), tls: true},
		{name: "nginx, TLS, short connections", url: secure.URL("/hello"), pids: processes(s, secure), tls: true, short: true},
		{name: "Go, TLS, keep-alive", url: secureWeb.URL("/hello"), pids: []int{secureWeb.PID}, tls: true},
	}
	kernel, err := softirqThreads()
	s.must(err)
	m := requestMeter{stage: s, rec: rec, seconds: p.seconds, kernel: kernel}
	for _, url := range []string{excluded.URL("/hello"), nginx.URL("/up/hello")} {
		runWrk(s, url, 1, false) // pools of memory and connections are filled
	}
	for range p.rounds {
		m.empty = measureEmpty(s, p, rec, excluded.URL("/hello"))
		for _, a := range arms {
			if a != without {
				m.exporter = launch(s, p.programs.Exporter, harness.Options{Args: a.flags(), Config: only(nginx.Port, web.Port, secure.Port, secureWeb.Port)})
			}
			m.side(a, scenarios)
		}
		p.progress("requests")
	}
}

// processes are the master and the workers of nginx. It listens before it forks.
func processes(s *stage, nginx *servers.Nginx) []int {
	const masterAndWorkers = 3
	var pids []int
	harness.Eventually(s, "nginx to start its workers", func() bool {
		var err error
		pids, err = family(nginx.PID)
		s.must(err)
		return len(pids) >= masterAndWorkers
	})
	return pids
}

// requestMeter measures scenarios.
type requestMeter struct {
	*stage
	rec      *record
	seconds  int
	kernel   []int // threads that take part on both ends
	exporter *harness.Exporter
	floor    floor
	empty    emptyHooks // of this round
}

// floor is what Sonde uses in this round beside a service that it leaves alone:
// the same load and the same cold caches, but nothing to observe.
type floor struct {
	cpu  float64            // of the exporter, in s/s
	hook map[string]float64 // seconds of one run, by program
}

// side measures all scenarios on one side, and stops the exporter.
func (m *requestMeter) side(a arm, scenarios []scenario) {
	if a == with {
		m.rest()
	}
	for _, c := range scenarios {
		if c.tls && a != without {
			m.attach(c)
		}
		if a == with {
			m.observed(c)
		} else {
			m.load(c, a)
		}
	}
	if a != without {
		m.must(m.exporter.Stop())
	}
}

// attach waits until Sonde sees inside the TLS of a service: it looks for the
// library when the service has spoken TLS.
func (m *requestMeter) attach(c scenario) {
	seen := func() uint64 {
		return m.exporter.Scrape(m).Count(harness.Server, harness.Labels{"url_scheme": "https"})
	}
	before := seen()
	harness.Eventually(m, "Sonde to see inside the TLS of "+c.name, func() bool {
		runWrk(m.stage, c.url, 1, false)
		return seen() > before
	})
}

// rest measures the exporter when there is no load.
func (m *requestMeter) rest() {
	m.exporter.Scrape(m) // the first one allocates most
	time.Sleep(settle)
	begin, before := time.Now(), m.cpu(m.exporter.PID)
	time.Sleep(time.Duration(m.seconds) * time.Second)
	used := (m.cpu(m.exporter.PID) - before).Seconds() / time.Since(begin).Seconds()
	m.rec.add(quantity{part: partRequest, subject: "Sonde without load", measure: "user-space CPU", unit: "ms/s"}, with, 1e3*used)
}

// observed measures a scenario with Sonde, and Sonde.
func (m *requestMeter) observed(c scenario) {
	before := costOf(m.exporter.Scrape(m))
	time.Sleep(settle)
	begin, used := time.Now(), m.cpu(m.exporter.PID)
	sent := m.load(c, with)
	used, elapsed := m.cpu(m.exporter.PID)-used, time.Since(begin)
	cost := costOf(m.exporter.Scrape(m)).since(before)

	cpu := used.Seconds() / elapsed.Seconds()
	m.rec.add(c.quantity("user-space CPU of Sonde", "ms/s"), with, 1e3*cpu)
	if c.excluded {
		m.floor = floor{cpu: cpu, hook: cost.perRun(perRequest * sent.requests)}
		_, seconds := cost.total()
		m.rec.add(c.quantity("kernel time", "µs/request"), with, 1e6*seconds/sent.requests)
	} else {
		q := c.quantity("user-space CPU of Sonde above the floor", "ns/request")
		m.rec.add(q, with, 1e9*(cpu-m.floor.cpu)*elapsed.Seconds()/sent.requests)
		m.rec.aim(q, atMost(userGoal))
		m.observations(c, cost, sent.requests)
	}
	m.hooks(c, cost, sent.requests)
}

// observations files the kernel time of each. What is not part of the scenario is
// not observed and costs no more than the floor, so that nothing of it is above.
func (m *requestMeter) observations(c scenario, cost kernelCost, requests float64) {
	if cost.observations < requests {
		m.Fatalf("%s: Sonde shows %v requests, wrk %v", c.name, cost.observations, requests)
	}
	_, seconds := cost.total()
	q := c.quantity("kernel time", "µs a request and role")
	m.rec.add(q, with, 1e6*seconds/cost.observations)
	if !c.tls { // there it is up to the library how often it is called for a request
		m.rec.aim(q, atMost(kernelGoal))
	}
	above := func(measure string, least map[string]float64) {
		rest := seconds
		for program, runs := range cost.runs {
			rest -= runs * least[program]
		}
		m.rec.add(c.quantity(measure, "µs a request and role"), with, 1e6*rest/cost.observations)
	}
	above("kernel time above the floor", m.floor.hook)
	above("kernel time above empty programs", m.empty[c.short])
}

// hooks files how often programs run, and for how long.
func (m *requestMeter) hooks(c scenario, cost kernelCost, requests float64) {
	runs, _ := cost.total()
	m.rec.add(c.quantity("hooks", "runs/request"), with, runs/requests)
	perRun := cost.perRun(perRequest * requests)
	for _, program := range slices.Sorted(maps.Keys(perRun)) {
		m.rec.add(c.quantity("`"+program+"`", "ns/run"), with, 1e9*perRun[program])
	}
}

// load runs wrk and files what all sides have in common.
func (m *requestMeter) load(c scenario, a arm) load {
	server, kernel := m.cpu(c.pids...), m.cpu(m.kernel...)
	sent := runWrk(m.stage, c.url, m.seconds, c.short)
	server, kernel = m.cpu(c.pids...)-server, m.cpu(m.kernel...)-kernel

	m.rec.add(c.quantity("throughput", "requests/s"), a, sent.throughput)
	m.rec.add(c.quantity("p50", "µs"), a, microseconds(sent.p50))
	tail := c.quantity("p99", "µs")
	m.rec.add(tail, a, microseconds(sent.p99))
	if !c.tls { // a uprobe is a trap, which costs some ten times more here than elsewhere
		m.rec.aim(tail, withinNoise)
	}
	m.rec.add(c.quantity("CPU of the server", "µs/request"), a, microseconds(server)/sent.requests)
	m.rec.add(c.quantity("CPU of both ends", "µs/request"), a, microseconds(server+kernel+sent.cpu)/sent.requests)
	return sent
}

func (m *requestMeter) cpu(pids ...int) time.Duration {
	used, err := cpuTimes(pids)
	m.must(err)
	return used
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
