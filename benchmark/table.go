package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Row is one line of the table. What was not measured on a side is absent, and so
// are ratios to it. Where ways to do the same are compared there is one side, With,
// and Ratio is to another row.
type Row struct {
	Part    string  `json:"part"`
	Subject string  `json:"subject"`
	Measure string  `json:"measure"`
	Unit    string  `json:"unit"`
	Without *Spread `json:"without,omitempty"`
	With    *Spread `json:"with,omitempty"`
	// Untimed is with Sonde, while the kernel does not time BPF programs.
	Untimed      *Spread `json:"untimed,omitempty"`
	Ratio        *Spread `json:"ratio,omitempty"`
	UntimedRatio *Spread `json:"untimed_ratio,omitempty"`
	Goal         *Goal   `json:"goal,omitempty"`
}

// Report is the whole run.
type Report struct {
	// Command makes the same run again.
	Command string    `json:"command"`
	Kernel  string    `json:"kernel"`
	CPUs    int       `json:"cpus"`
	Begun   time.Time `json:"begun"`
	Rounds  int       `json:"rounds"`
	Seconds int       `json:"seconds"`
	// LoadAverage is that of the minute before the run.
	LoadAverage float64 `json:"load_average"`
	// Neighbours is the number of Sondes that ran already, and so on both sides.
	Neighbours int   `json:"neighbours"`
	Rows       []Row `json:"rows"`
}

// The tables have a row for each quantity. Parts that compare ways, not sides, have
// one of their own.
const (
	tableHead = `| part | subject | measure | without Sonde | with Sonde | with ÷ without | untimed ÷ without | goal |
|---|---|---|---:|---:|---:|---:|---|
`
	waysHead = `| part | subject | measure | figure | ratio |
|---|---|---|---:|---:|
`
)

// writeMarkdown prints the table, with a line before it that says where and how
// it was made.
func (r Report) writeMarkdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString(r.circumstances() + tables(r.Rows))
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("cannot print the table: %w", err)
	}
	return nil
}

// circumstances are what the figures depend on.
func (r Report) circumstances() string {
	text := fmt.Sprintf("Linux %s, %d CPUs; rounds: %d, each of %d s a measurement; median (minimum–maximum). Load average before: %.2f.\n",
		r.Kernel, r.CPUs, r.Rounds, r.Seconds, r.LoadAverage)
	if r.Neighbours > 0 {
		text += fmt.Sprintf("Other Sondes that were running, on all sides: %d. The ratios are those of one more.\n", r.Neighbours)
	}
	return text
}

// tables prints rows, after an empty line before each table.
func tables(rows []Row) string {
	var sides, ways strings.Builder
	for _, row := range rows {
		what := fmt.Sprintf("| %s | %s | %s, %s |", row.Part, row.Subject, row.Measure, row.Unit)
		if comparesWays(row.Part) {
			fmt.Fprintf(&ways, "%s %s | %s |\n", what, row.With.cell(), row.Ratio.cell())
			continue
		}
		goal := ""
		if row.Goal != nil {
			goal = row.Goal.String()
		}
		fmt.Fprintf(&sides, "%s %s | %s | %s | %s | %s |\n", what,
			row.Without.cell(), row.With.cell(), row.Ratio.cell(), row.UntimedRatio.cell(), goal)
	}
	var text string
	if sides.Len() > 0 {
		text = "\n" + tableHead + sides.String()
	}
	if ways.Len() > 0 {
		text += "\n" + waysHead + ways.String()
	}
	return text
}

// comparesWays tells that a part has ways to do the same in place of sides.
func comparesWays(part string) bool {
	return slices.Contains([]string{partKernel, partStorage, partParsing}, part)
}

func (r Report) writeJSON(path string) error {
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("cannot write the table as JSON: %w", err)
	}
	if err := os.WriteFile(path, append(content, '\n'), 0o644); err != nil {
		return fmt.Errorf("cannot write the table as JSON: %w", err)
	}
	return nil
}

func (s *Spread) cell() string {
	switch {
	case s == nil:
		return ""
	case s.Min == s.Max:
		return figure(s.Median)
	}
	return fmt.Sprintf("%s (%s–%s)", figure(s.Median), figure(s.Min), figure(s.Max))
}

// figure prints three significant digits, never an exponent.
func figure(v float64) string {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	digits := 2 - int(math.Floor(math.Log10(math.Abs(v))))
	return strconv.FormatFloat(v, 'f', min(max(digits, 0), 6), 64)
}
