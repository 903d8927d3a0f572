package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// run is what became of one kernel.
type run struct {
	target  target
	version string
	results *results
	elapsed time.Duration
	err     error // why its machine failed, if it did
}

// ok says whether the tests ran to their end and none failed.
func (r *run) ok() bool { return r.err == nil && len(r.results.with(failed)) == 0 }

// summary is a line for when this kernel is done.
func (r *run) summary() string {
	counts := fmt.Sprintf("%d passed, %d failed, %d skipped", len(r.results.with(passed)), len(r.results.with(failed)), len(r.results.with(skipped)))
	if r.err != nil {
		counts += "; " + r.err.Error()
	}
	return fmt.Sprintf("%s (Linux %s): %s in %.0f s", r.target.name(), r.version, counts, r.elapsed.Seconds())
}

// report prints all runs: what failed, what was skipped and why, and the tables.
type report struct {
	out  io.Writer
	runs []*run
}

// print ignores errors: where the report goes to is all that is left to tell.
func (r *report) print(format string, args ...any) {
	_, _ = fmt.Fprintf(r.out, format, args...)
}

func (r *report) failures() {
	for _, run := range r.runs {
		for _, t := range run.results.with(failed) {
			// A test that failed only through its subtests has nothing to say.
			if said := indented(t.output.String()); said != "" {
				r.print("\n--- %s on %s\n%s", t.name, run.target.name(), said)
			}
		}
		if run.err == nil && run.ok() {
			continue
		}
		if said := strings.TrimSpace(lastLines(run.results.loose.String(), consoleTail)); said != "FAIL" && said != "" {
			r.print("\n--- other output on %s\n%s", run.target.name(), indented(said))
		}
		if failure := (*machineError)(nil); errors.As(run.err, &failure) {
			r.print("\n--- console of %s\n%s", run.target.name(), indented(failure.console))
		}
	}
}

// table prints a row for each test and a column for each kernel. Subtests have no
// row; what is special about them is in the cell of their parent.
func (r *report) table() {
	var rows [][]string
	row := func(first string, cell func(*run) string) {
		cells := []string{first}
		for _, run := range r.runs {
			cells = append(cells, cell(run))
		}
		rows = append(rows, cells)
	}
	row("kernel", func(run *run) string { return run.target.name() })
	row("Linux", func(run *run) string { return run.version })
	for _, name := range r.testNames() {
		row(name, func(run *run) string { return cell(run.results, name) })
	}
	row("time", func(run *run) string { return fmt.Sprintf("%.0f s", run.elapsed.Seconds()) })
	r.print("\n")
	writeTable(r.out, rows)
	r.skips()
}

// testNames returns the tests that ran anywhere, in the order of the first
// kernel that has each.
func (r *report) testNames() []string {
	var names []string
	for _, run := range r.runs {
		for _, t := range run.results.tests {
			if !t.isSubtest() && !slices.Contains(names, t.name) {
				names = append(names, t.name)
			}
		}
	}
	return names
}

func cell(results *results, name string) string {
	t, ok := results.byName[name]
	if !ok {
		return "-"
	}
	switch t.outcome {
	case failed:
		return "FAILED"
	case skipped:
		return "skipped"
	}
	if count := results.subtestsWith(name, skipped); count > 0 {
		return fmt.Sprintf("passed %.1f s, %d skipped", t.elapsed, count)
	}
	return fmt.Sprintf("passed %.1f s", t.elapsed)
}

// skips prints what was skipped, with the kernels that lack the same feature on
// one line.
func (r *report) skips() {
	var lines []string
	kernels := make(map[string][]string)
	for _, run := range r.runs {
		for _, t := range run.results.with(skipped) {
			line := t.name + ": " + t.reason()
			if kernels[line] == nil {
				lines = append(lines, line)
			}
			kernels[line] = append(kernels[line], run.target.name())
		}
	}
	for _, line := range lines {
		r.print("skipped on %s: %s\n", strings.Join(kernels[line], ", "), line)
	}
}

// verifier prints what the verifier walked through, beside the budget's figures.
func (r *report) verifier(measured, committed budget) {
	if len(measured.programs()) == 0 {
		return
	}
	heading := []string{"verifier instructions"}
	for _, run := range r.runs {
		heading = append(heading, run.target.name())
	}
	rows := [][]string{heading}
	for _, program := range measured.programs() {
		row := []string{program}
		for _, name := range heading[1:] {
			row = append(row, figure(measured[name][program], committed[name][program]))
		}
		rows = append(rows, row)
	}
	r.print("\n")
	writeTable(r.out, rows)
}

// writeTable aligns the columns. It ignores errors, as print does.
func writeTable(out io.Writer, rows [][]string) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		_, _ = fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	_ = table.Flush()
}

// figure shows a count, and by how much it differs from the committed one.
func figure(count, committed int) string {
	switch {
	case count == 0:
		return "-"
	case committed == 0 || count == committed:
		return fmt.Sprint(count)
	}
	return fmt.Sprintf("%d (%+.1f %%)", count, 100*float64(count-committed)/float64(committed))
}

// indented moves lines to the right and leaves out those that only say what the
// report says itself.
func indented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "=== ") || strings.HasPrefix(strings.TrimSpace(line), "--- FAIL: ") {
			continue
		}
		b.WriteString("    " + strings.TrimSuffix(line, "\n") + "\n")
	}
	return b.String()
}
