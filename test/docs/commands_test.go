package docs

import (
	"regexp"
	"strings"
	"testing"

	"sonde_exporter/test/harness"
)

// row tells how a command of the documentation is tried.
type row struct {
	// command matches the whole of a command line.
	command *regexp.Regexp
	try     action
	// compare is how output is compared; nil means compareShape.
	compare func(shown, printed string) error
}

// exactly is for one command line as it stands.
func exactly(command string) *regexp.Regexp { return like(regexp.QuoteMeta(command)) }

// like is for all command lines of a form.
func like(pattern string) *regexp.Regexp { return regexp.MustCompile(`^(?s:` + pattern + `)$`) }

// TestCommands: every command of every page is in the table, and does what the page
// says. A row of the table that no page needs any more is a mistake as well.
func TestCommands(t *testing.T) {
	pages, root := readAll(t)
	rows := table()
	used := make([]bool, len(rows))
	for _, page := range pages {
		examples, err := Examples(page)
		if err != nil {
			t.Errorf("%v", err)
		}
		plan := assign(t, rows, used, examples)
		if len(plan) == 0 {
			continue
		}
		t.Run(page.Path, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, root, exporter(t))
			for _, example := range plan {
				example.try(t, s)
			}
		})
	}
	for i, row := range rows {
		if !used[i] {
			t.Errorf("no page has a command like %v any more: take its row out of the table", row.command)
		}
	}
}

// plannedExample is an example with the rows of its steps.
type plannedExample struct {
	Example
	rows []row
}

// assign finds the row of every step.
func assign(t *testing.T, rows []row, used []bool, examples []Example) []plannedExample {
	t.Helper()
	var plan []plannedExample
	for _, example := range examples {
		planned := plannedExample{Example: example}
		for _, step := range example.Steps {
			at := find(rows, step.Command)
			if at < 0 {
				t.Errorf("%v: no row of the table in table_test.go is for this command; run it, or say why not:\n  %s", step.Place, step.Command)
				continue
			}
			used[at] = true
			planned.rows = append(planned.rows, rows[at])
		}
		if len(planned.rows) == len(example.Steps) {
			plan = append(plan, planned)
		}
	}
	return plan
}

// find is the first row for a command, or -1.
func find(rows []row, command string) int {
	for i, row := range rows {
		if row.command.MatchString(command) {
			return i
		}
	}
	return -1
}

// try does what the rows say and compares what was printed with the page.
func (e plannedExample) try(t *testing.T, s *scene) {
	t.Helper()
	var printed strings.Builder
	compare := compareShape
	for i, step := range e.Steps {
		if err := flagsKnown(s, step.Command); err != nil {
			t.Errorf("%v: %v", step.Place, err)
		}
		output, err := e.rows[i].try(s, step.Command)
		if err != nil {
			t.Errorf("%v: %v", step.Place, err)
			return
		}
		printed.WriteString(output)
		if e.rows[i].compare != nil {
			compare = e.rows[i].compare
		}
	}
	if e.Shown == "" || printed.Len() == 0 {
		return
	}
	if err := compare(e.Shown, printed.String()); err != nil {
		t.Errorf("%v: %v", e.Steps[0].Place, err)
	}
}

// readAll reads all pages of the repository.
func readAll(t *testing.T) (pages []*Page, root string) {
	t.Helper()
	root, err := harness.Root()
	if err != nil {
		t.Fatal(err)
	}
	pages, err = ReadPages(root)
	if err != nil {
		t.Fatal(err)
	}
	return pages, root
}
