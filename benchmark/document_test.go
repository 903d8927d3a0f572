package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestFillTable(t *testing.T) {
	const document = "# Title\n<!-- table: kernel -->\nold\n<!-- end -->\ntext\n<!-- table: memory -->\n<!-- end -->\nend\n"
	for _, c := range []struct {
		title, document, table, want string
	}{
		{"replaces", document, "kernel", strings.Replace(document, "old\n", "new\n", 1)},
		{"fills what is empty", document, "memory", strings.Replace(document, "memory -->\n", "memory -->\nnew\n", 1)},
		{"knows its name", document, "mem", ""},
		{"has no place", document, "storage", ""},
		{"has no end", "<!-- table: kernel -->\nold\n", "kernel", ""},
		{"takes no end of another", "<!-- table: kernel -->\nold\n<!-- table: memory -->\n<!-- end -->\n", "kernel", ""},
	} {
		got, err := fillTable(c.document, c.table, "new\n")
		if got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%s: it is\n%s\nand the error %v, want\n%s", c.title, got, err, c.want)
		}
	}
}

func TestDocumentTables(t *testing.T) {
	goal := &Goal{Text: "≤ 1", Met: true}
	request := Row{Part: partRequest, Measure: "p99", Goal: goal}
	scrape := Row{Part: partScrape, Measure: "time", Goal: goal}
	memory := Row{Part: partMemory, Measure: "resident", Goal: goal}
	other := Row{Part: partMemory, Measure: "maps"}
	for _, c := range []struct {
		rows []Row
		want string
	}{
		{[]Row{request, memory, other}, "request:1 memory:2"},
		{[]Row{memory, request, other, scrape}, "memory:2 request:1 scrape:1 goals:3"},
	} {
		var got []string
		for _, table := range (Report{Rows: c.rows}).documentTables() {
			got = append(got, table.name+":"+string(rune('0'+len(table.rows))))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("the tables are %v, want %s", got, c.want)
		}
	}
}

// TestDocumentHasAllPlaces fills a copy of the real document.
func TestDocumentHasAllPlaces(t *testing.T) {
	document, err := os.ReadFile("../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "performance.md")
	if err := os.WriteFile(path, document, 0o600); err != nil {
		t.Fatal(err)
	}
	report := Report{Command: "make benchmark", Kernel: "6.12", CPUs: 2, Begun: time.Unix(0, 0)}
	for _, part := range parts() {
		report.Rows = append(report.Rows, Row{Part: part, Subject: "row of " + part, Goal: &Goal{Text: "≤ 1"}})
	}
	if err := report.fillDocument(path); err != nil {
		t.Fatal(err)
	}
	filled, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range parts() {
		if !strings.Contains(string(filled), "| "+part+" | row of "+part+" |") {
			t.Errorf("the document has no row of %s", part)
		}
	}
	if want := "`make benchmark`, 1970-01-01 00:00 UTC. Linux 6.12, 2 CPUs;"; !strings.Contains(string(filled), want) {
		t.Errorf("the document does not say %q", want)
	}
}

func TestCommandOf(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "make benchmark"},
		{[]string{"-short"}, "make benchmark BENCHMARK=-short"},
		{[]string{"-only=kernel", "-rounds=9"}, `make benchmark BENCHMARK="-only=kernel -rounds=9"`},
	} {
		if got := commandOf(c.args); got != c.want {
			t.Errorf("the command of %q is %s, want %s", c.args, got, c.want)
		}
	}
}
