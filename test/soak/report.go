package main

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"text/tabwriter"
)

// report collects what was checked. It is safe for concurrent use.
type report struct {
	mu   sync.Mutex
	rows []row
}

// row is one line of the table.
type row struct {
	what   string
	ok     bool
	detail string
}

// check records whether something held. The detail has the figures, and is
// printed in either case.
func (r *report) check(what string, ok bool, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rows = append(r.rows, row{what: what, ok: ok, detail: fmt.Sprintf(format, args...)})
}

func (r *report) failed() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	passed := slices.DeleteFunc(slices.Clone(r.rows), func(row row) bool { return !row.ok })
	return len(r.rows) - len(passed)
}

func (r *report) print(out io.Writer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range r.rows {
		result := "ok"
		if !row.ok {
			result = "FAILED"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", result, row.what, row.detail)
	}
	_ = table.Flush() // a table that cannot be printed has nobody to read it
}
