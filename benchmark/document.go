package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// goalsTable is the table of all rows that have a goal.
const goalsTable = "goals"

// tableEnd closes what tableBegin opens. What is between them is of a run.
const tableEnd = "<!-- end -->"

func tableBegin(name string) string { return "<!-- table: " + name + " -->" }

// fillDocument puts the rows of this run into their places in a document. The
// tables of parts that were not measured stay.
func (r Report) fillDocument(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("cannot fill the document: %w", err)
	}
	document := string(content)
	for _, table := range r.documentTables() {
		if document, err = fillTable(document, table.name, r.provenance()+tables(table.rows)); err != nil {
			return fmt.Errorf("cannot fill %s: %w", path, err)
		}
	}
	if err := os.WriteFile(path, []byte(document), 0o644); err != nil {
		return fmt.Errorf("cannot fill the document: %w", err)
	}
	return nil
}

// namedTable is what a place in a document gets.
type namedTable struct {
	name string
	rows []Row
}

// documentTables are the parts that were measured, and the goals if none of those
// is missing that have some: a table of half of them would say that all are met.
func (r Report) documentTables() []namedTable {
	var all []namedTable
	goals := namedTable{name: goalsTable}
	for _, row := range r.Rows {
		at := slices.IndexFunc(all, func(t namedTable) bool { return t.name == row.Part })
		if at < 0 {
			at = len(all)
			all = append(all, namedTable{name: row.Part})
		}
		all[at].rows = append(all[at].rows, row)
		if row.Goal != nil {
			goals.rows = append(goals.rows, row)
		}
	}
	for _, part := range []string{partRequest, partScrape, partMemory} {
		if !slices.ContainsFunc(goals.rows, func(row Row) bool { return row.Part == part }) {
			return all
		}
	}
	return append(all, goals)
}

// provenance says which run a table is of.
func (r Report) provenance() string {
	return fmt.Sprintf("`%s`, %s. %s", r.Command, r.Begun.UTC().Format("2006-01-02 15:04 MST"), r.circumstances())
}

// fillTable replaces what stands in one place.
func fillTable(document, name, text string) (string, error) {
	before, rest, found := strings.Cut(document, tableBegin(name)+"\n")
	old, after, closed := strings.Cut(rest, tableEnd)
	if !found || !closed || strings.Contains(old, tableBegin("")[:len("<!-- table:")]) {
		return "", fmt.Errorf("there is no place for the table %q: %s, and %s after it", name, tableBegin(name), tableEnd)
	}
	return before + tableBegin(name) + "\n" + text + tableEnd + after, nil
}
