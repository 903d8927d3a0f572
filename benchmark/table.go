package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"time"
)

// Row is one line of the table. What was not measured on a side is absent, and so
// are ratios to it.
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

const tableHead = `| part | subject | measure | without Sonde | with Sonde | with ÷ without | untimed ÷ without | goal |
|---|---|---|---:|---:|---:|---:|---|
`

// writeMarkdown prints the table, with a line before it that says where and how
// it was made.
func (r Report) writeMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Linux %s, %d CPUs; rounds: %d, each of %d s a measurement; median (minimum–maximum). Load average before: %.2f.\n",
		r.Kernel, r.CPUs, r.Rounds, r.Seconds, r.LoadAverage)
	if r.Neighbours > 0 {
		fmt.Fprintf(&b, "Other Sondes that were running, on all sides: %d. The ratios are those of one more.\n", r.Neighbours)
	}
	b.WriteString("\n" + tableHead)
	for _, row := range r.Rows {
		goal := ""
		if row.Goal != nil {
			goal = row.Goal.String()
		}
		fmt.Fprintf(&b, "| %s | %s | %s, %s | %s | %s | %s | %s | %s |\n", row.Part, row.Subject, row.Measure, row.Unit,
			row.Without.cell(), row.With.cell(), row.Ratio.cell(), row.UntimedRatio.cell(), goal)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("cannot print the table: %w", err)
	}
	return nil
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
