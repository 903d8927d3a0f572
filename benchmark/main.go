// Command benchmark measures what Sonde costs: those whose requests it measures,
// those with whom it has nothing to do, and itself. It prints one table, as
// Markdown, and writes it as JSON. Everything is compared within one run, round
// by round, because absolute figures say more about the machine than about Sonde.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"sonde_exporter/test/harness"
)

// The parts of the table.
const (
	partRequest   = "request"
	partBystander = "bystander"
	partScrape    = "scrape"
	partMemory    = "memory"
	partTracing   = "tracing"
	partKernel    = "kernel"
	partStorage   = "storage"
	partParsing   = "parsing"
)

// parts are all of them, in the order of the table.
func parts() []string {
	return []string{partRequest, partBystander, partScrape, partMemory, partTracing, partKernel, partStorage, partParsing}
}

// plan says what to measure, and how thoroughly.
type plan struct {
	rounds, seconds int
	parts           map[string]bool
	json, document  string
	command         string
	programs        harness.Programs
	logger          *slog.Logger
}

func main() {
	p, err := parsePlan(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		err = p.run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchmark:", err)
		os.Exit(1)
	}
}

func parsePlan(args []string) (plan, error) {
	all := parts()
	flags := flag.NewFlagSet("benchmark", flag.ContinueOnError)
	rounds := flags.Int("rounds", 5, "how often each side is measured")
	seconds := flags.Int("seconds", 1, "how long one measurement takes, in seconds")
	only := flags.String("only", strings.Join(all, ","), "the parts to measure, separated by commas")
	short := flags.Bool("short", false, "a quick look: 1 round of 1 second")
	path := flags.String("json", "benchmark.json", "file for the table as JSON; empty for none")
	document := flags.String("docs", "", "document whose tables get the rows of this run, such as ../docs/performance.md")
	if err := flags.Parse(args); err != nil {
		return plan{}, err
	}
	p := plan{
		rounds: *rounds, seconds: *seconds, json: *path, document: *document, parts: map[string]bool{},
		command: commandOf(args),
		logger:  slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}
	if *short {
		p.rounds, p.seconds = 1, 1
	}
	if p.rounds < 1 || p.seconds < 1 || flags.NArg() > 0 {
		return plan{}, errors.New("-rounds and -seconds are at least 1, and there are no arguments besides flags")
	}
	for part := range strings.SplitSeq(*only, ",") {
		if !slices.Contains(all, part) {
			return plan{}, fmt.Errorf("-only: there is no part %q; the parts are %s", part, strings.Join(all, ", "))
		}
		p.parts[part] = true
	}
	return p, nil
}

// run measures and reports.
func (p plan) run(ctx context.Context) (err error) {
	report := Report{Command: p.command, Kernel: release(), CPUs: runtime.NumCPU(), Begun: time.Now(), Rounds: p.rounds, Seconds: p.seconds}
	if report.LoadAverage, err = loadAverage(); err != nil {
		return err
	}
	if report.Neighbours, err = neighbours(); err != nil {
		return err
	}
	if report.Neighbours > 0 {
		p.logger.Warn("another Sonde is running: without Sonde means with one less", "number", report.Neighbours)
	}
	if p.needsSonde() {
		p.programs, err = harness.Build()
		defer func() { err = errors.Join(err, p.programs.Remove()) }()
		if err != nil {
			return err
		}
	}
	rec := newRecord()
	if err := onStage(ctx, func(s *stage) { p.measure(s, rec) }); err != nil {
		return err
	}
	report.Rows = rec.rows()
	if p.json != "" {
		if err := report.writeJSON(p.json); err != nil {
			return err
		}
	}
	if p.document != "" {
		if err := report.fillDocument(p.document); err != nil {
			return err
		}
	}
	return report.writeMarkdown(os.Stdout)
}

// needsSonde is false if all that is measured is what the kernel offers to it.
func (p plan) needsSonde() bool {
	return p.parts[partRequest] || p.parts[partBystander] || p.parts[partScrape] || p.parts[partMemory] ||
		p.parts[partTracing]
}

func (p plan) measure(s *stage, rec *record) {
	if p.parts[partRequest] {
		measureRequests(s, p, rec)
	}
	if p.parts[partBystander] {
		measureBystanders(s, p, rec)
	}
	if p.parts[partScrape] || p.parts[partMemory] {
		measureSizes(s, p, rec)
	}
	if p.parts[partMemory] {
		measureStartup(s, p, rec)
	}
	// Where requests are measured, the empty programs take turns with Sonde.
	if p.parts[partTracing] {
		measureTracing(s, p, rec)
	}
	if p.parts[partKernel] && !p.parts[partRequest] {
		measureKernel(s, p, rec)
	}
	if p.parts[partStorage] {
		measureStorage(s, p, rec)
	}
	if p.parts[partParsing] {
		measureParsing(s, p, rec)
	}
}

// commandOf is how to make the same run.
func commandOf(args []string) string {
	switch len(args) {
	case 0:
		return "make benchmark"
	case 1:
		return "make benchmark BENCHMARK=" + args[0]
	}
	return fmt.Sprintf("make benchmark BENCHMARK=%q", strings.Join(args, " "))
}

// progress tells the impatient that something has been done.
func (p plan) progress(what string) { p.logger.Info("measured", "what", what) }

// release is the kernel's, as uname -r prints it.
func release() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(name.Release[:])
}
