package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"

	"sonde_exporter/test/servers"
)

// emptyRuns is how often an empty program is repeated: it takes nanoseconds.
const emptyRuns = 1_000_000

// emptyHooks are the mean times of a run of an empty program, in seconds, by the
// program that Sonde has there; by whether connections are short, which leaves
// caches colder.
type emptyHooks map[bool]map[string]float64

// measureKernel measures what a hook costs at least.
func measureKernel(s *stage, p plan, rec *record) {
	nginx := servers.StartNginx(s, servers.NginxOptions{})
	runWrk(s, nginx.URL("/hello"), 1, false)
	for range p.rounds {
		measureEmpty(s, p, rec, nginx.URL("/hello"))
		p.progress("empty programs")
	}
}

// measureEmpty is one round of it: requests, and an empty program by itself.
func measureEmpty(s *stage, p plan, rec *record, url string) emptyHooks {
	s.must(repeatEmpty(rec))
	e, err := attachEmpty()
	s.must(err)
	statistics, err := ebpf.EnableStats(unix.BPF_STATS_RUN_TIME)
	s.must(err)
	hooks := emptyHooks{}
	for _, short := range []bool{false, true} {
		hooks[short] = emptyLoad(s, p, rec, &e, url, short)
	}
	s.must(statistics.Close())
	s.must(e.Close())
	return hooks
}

// emptyLoad is what requests cost if all that runs for them is empty.
func emptyLoad(s *stage, p plan, rec *record, e *emptyPrograms, url string, short bool) map[string]float64 {
	subject := "empty programs, nginx, keep-alive"
	if short {
		subject = "empty programs, nginx, short connections"
	}
	q := func(measure, unit string) quantity {
		return quantity{part: partKernel, subject: subject, measure: measure, unit: unit}
	}
	before, err := e.cost()
	s.must(err)
	sent := runWrk(s, url, p.seconds, short)
	cost, err := e.cost()
	s.must(err)
	cost = cost.since(before)

	runs, seconds := cost.total()
	rec.add(q("kernel time", "µs/request"), with, 1e6*seconds/sent.requests)
	rec.add(q("hooks", "runs/request"), with, runs/sent.requests)
	means := cost.perRun(perRequest * sent.requests)
	for _, program := range slices.Sorted(maps.Keys(means)) {
		rec.add(q("in place of `"+program+"`", "ns/run"), with, 1e9*means[program])
	}
	return means
}

// repeatEmpty tells what of it are the statistics: one empty program, again and
// again without a pause, all in the cache.
func repeatEmpty(rec *record) error {
	q := func(measure string) quantity {
		return quantity{part: partKernel, subject: "empty program, repeated by BPF_PROG_TEST_RUN", measure: measure, unit: "ns/run"}
	}
	off, on, told := q("statistics off"), q("statistics on"), q("what the statistics say")
	cpus, err := usableCPUs()
	if err != nil {
		return err
	}
	program, err := loadProgram(asm.Instructions{asm.Mov.Imm(asm.R0, pass), asm.Return()})
	if err != nil {
		return err
	}
	defer func() { _ = program.Close() }()
	took, err := repeat(program, emptyRuns, cpus[:1])
	if err != nil {
		return err
	}
	before, err := program.Stats()
	if err != nil {
		return fmt.Errorf("cannot read the statistics of an empty program: %w", err)
	}
	if before.RunCount == 0 { // or else somebody has switched them on, such as another Sonde
		rec.add(off, with, took)
	}
	statistics, err := ebpf.EnableStats(unix.BPF_STATS_RUN_TIME)
	if err != nil {
		return fmt.Errorf("cannot let the kernel time programs: %w", err)
	}
	defer func() { _ = statistics.Close() }()
	if took, err = repeat(program, emptyRuns, cpus[:1]); err != nil {
		return err
	}
	after, err := program.Stats()
	if err != nil {
		return fmt.Errorf("cannot read the statistics of an empty program: %w", err)
	}
	rec.add(on, with, took)
	rec.add(told, with, float64((after.Runtime-before.Runtime).Nanoseconds())/float64(after.RunCount-before.RunCount))
	rec.relate(on, off)
	rec.relate(told, off)
	return nil
}
