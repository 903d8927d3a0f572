package main

import (
	"fmt"
	"strings"
	"time"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// settle is how long the exporter may take to come to rest after a start or a
// scrape: garbage collection goes on in the background.
const settle = 300 * time.Millisecond

// launch starts the exporter; the end of the play stops it if nothing else does.
func launch(s *stage, program string, opts harness.Options) *harness.Exporter {
	e, err := harness.Launch(program, servers.FreePort(s), servers.Dir(s), opts)
	s.must(err)
	s.Cleanup(func() {
		if err := e.Stop(); err != nil {
			s.Error(err)
		}
	})
	return e
}

// only is a configuration that measures nothing but what listens on these ports,
// so that the services of a busy machine are no part of the figures.
func only(ports ...int) string {
	var rules strings.Builder
	rules.WriteString("discovery:\n  services:\n")
	for _, port := range ports {
		fmt.Fprintf(&rules, "    - open_port: [%d]\n", port)
	}
	return rules.String()
}

// kernelCost is what the kernel's statistics say of Sonde's programs, and how
// many requests were observed, a request in two roles as two.
type kernelCost struct {
	runs, seconds map[string]float64 // by program
	observations  float64
}

func costOf(snap harness.Snapshot) kernelCost {
	const runs, seconds = "sonde_bpf_program_runs_total", "sonde_bpf_program_run_seconds_total"
	c := kernelCost{runs: map[string]float64{}, seconds: map[string]float64{}}
	for _, program := range snap.Values(runs, "program", nil) {
		labels := harness.Labels{"program": program}
		c.runs[program] = snap.Value(runs, labels)
		c.seconds[program] = snap.Value(seconds, labels)
	}
	c.observations = float64(snap.Count(harness.Server, nil) + snap.Count(harness.Client, nil))
	return c
}

// since is the cost of what happened between two scrapes.
func (c kernelCost) since(before kernelCost) kernelCost {
	d := kernelCost{
		runs: map[string]float64{}, seconds: map[string]float64{},
		observations: c.observations - before.observations,
	}
	for program := range c.runs {
		d.runs[program] = c.runs[program] - before.runs[program]
		d.seconds[program] = c.seconds[program] - before.seconds[program]
	}
	return d
}

// total adds up all programs.
func (c kernelCost) total() (runs, seconds float64) {
	for program := range c.runs {
		runs += c.runs[program]
		seconds += c.seconds[program]
	}
	return runs, seconds
}

// perRun is the mean time of a run, in seconds, of each program that ran at least
// so often.
func (c kernelCost) perRun(least float64) map[string]float64 {
	means := map[string]float64{}
	for program, runs := range c.runs {
		if runs >= least {
			means[program] = c.seconds[program] / runs
		}
	}
	return means
}
