package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// slowTest is the time from which on a passed test is shown with its own line, so
// that long packages show that they get on.
const slowTest = 2 * time.Second

// report turns events into lines for people.
type report struct {
	out      io.Writer
	packages map[string]*packageRun
	order    []*packageRun
	builds   map[string]*tail // Compiler output by import path.

	passed, failed int
	skips          []string

	// failuresSeen is the number of failures when the last go command ended.
	failuresSeen int
}

func newReport(out io.Writer) *report {
	return &report{
		out:      out,
		packages: make(map[string]*packageRun),
		builds:   make(map[string]*tail),
	}
}

// read takes all events of in. Lines may be of any length.
func (r *report) read(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			r.handle(parseEvent(line))
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the events of go test: %w", err)
		}
	}
}

func (r *report) handle(e event) {
	switch {
	case e.Action == actionExit:
		r.commandFailed(e)
	case e.Action == "build-output":
		r.build(e.ImportPath).add(e.Output)
	case e.Action == "build-fail":
		// The package that needed it fails by an event of its own.
	case e.Package == "":
		r.print("%s", e.Output)
	case e.Test != "":
		r.testEvent(r.pkg(e.Package), e)
	default:
		r.packageEvent(r.pkg(e.Package), e)
	}
}

func (r *report) testEvent(p *packageRun, e event) {
	t := p.test(e.Test)
	switch e.Action {
	case "output":
		t.output.add(e.Output)
	case "pass", "fail", "skip":
		t.result = result(e.Action)
		t.elapsed = seconds(e.Elapsed)
		if t.result == passed {
			t.output = tail{} // Nobody will ask for it: free the memory.
		}
		if t.elapsed >= slowTest && !strings.Contains(t.name, "/") {
			r.print("        %-4s %s (%s)\n", t.result, t.name, inSeconds(t.elapsed))
		}
	}
}

func (r *report) packageEvent(p *packageRun, e event) {
	switch e.Action {
	case "output":
		p.output.add(e.Output)
	case "pass", "fail", "skip":
		p.output.add(r.build(e.FailedBuild).String())
		r.endPackage(p, result(e.Action), seconds(e.Elapsed))
	}
}

// endPackage counts the package's tests and prints its line, then the output of
// what failed.
func (r *report) endPackage(p *packageRun, outcome result, elapsed time.Duration) {
	p.finished = true
	p.endUnfinished()
	failures := 0
	count := p.counted()
	for _, t := range count {
		switch t.result {
		case passed:
			r.passed++
		case skipped:
			r.skips = append(r.skips, fmt.Sprintf("skipped: %s: %s", t.name, skipReason(t.output.String())))
		default:
			failures++
		}
	}
	if outcome == failed && failures == 0 {
		failures = 1 // It did not build, TestMain failed, or it ended too early.
	}
	r.failed += failures

	switch {
	case failures > 0:
		r.print("FAIL    %s (%s)\n", p.name, inSeconds(elapsed))
	case len(count) == 0:
		r.print("-       %s (no tests)\n", p.name)
	default:
		r.print("ok      %s (%s, %d tests)\n", p.name, inSeconds(elapsed), len(count))
	}
	r.printFailures(p)
	if outcome == failed {
		r.print("%s", indented(p.output.String()))
	}
}

// printFailures prints what the failed tests said. A test that failed only through
// its subtests has nothing to say.
func (r *report) printFailures(p *packageRun) {
	for _, t := range p.order {
		if t.result != failed {
			continue
		}
		if said := indented(t.output.String()); said != "" || !t.hasSubtests {
			r.print("--- %s\n%s", t.name, said)
		}
	}
}

// commandFailed counts a failure of a go command that no event has told of.
func (r *report) commandFailed(e event) {
	if r.failed == r.failuresSeen {
		r.failed++
		r.print("FAIL    %s: %s\n", e.Package, strings.TrimSpace(e.Output))
	}
	r.failuresSeen = r.failed
}

// finish prints the skips and the closing line. It tells whether all is well:
// something was tested, and nothing failed.
func (r *report) finish() bool {
	for _, p := range r.order {
		if !p.finished && len(p.order) > 0 {
			p.output.add("(go test ended before this package did)\n")
			r.endPackage(p, failed, 0)
		}
	}
	r.print("\n")
	for _, line := range r.skips {
		r.print("%s\n", line)
	}
	r.print("%d passed, %d failed, %d skipped\n", r.passed, r.failed, len(r.skips))
	return r.failed == 0 && r.passed > 0
}

func (r *report) pkg(name string) *packageRun {
	p, ok := r.packages[name]
	if !ok {
		p = newPackageRun(name)
		r.packages[name] = p
		r.order = append(r.order, p)
	}
	return p
}

// build returns what the compiler said about an import path.
func (r *report) build(importPath string) *tail {
	output, ok := r.builds[importPath]
	if !ok {
		output = &tail{}
		r.builds[importPath] = output
	}
	return output
}

// print ignores errors: where the report goes to is all that is left to tell.
func (r *report) print(format string, args ...any) {
	_, _ = fmt.Fprintf(r.out, format, args...)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func inSeconds(d time.Duration) string { return fmt.Sprintf("%.1fs", d.Seconds()) }

// indented moves lines to the right and leaves out those that only say what the
// report says itself.
func indented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		said := strings.TrimSpace(line)
		if strings.HasPrefix(line, "=== ") || strings.HasPrefix(said, "--- FAIL: ") || said == "FAIL" {
			continue
		}
		b.WriteString("        ")
		b.WriteString(strings.TrimSuffix(line, "\n"))
		b.WriteByte('\n')
	}
	return b.String()
}
