package main

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the references in docs anew")

// TestReferences: docs/configuration.md and docs/metrics.md say what the code says.
// make docs writes them anew.
func TestReferences(t *testing.T) {
	for name, page := range map[string]func(*testing.T) string{
		"docs/configuration.md": configurationPage,
		"docs/metrics.md":       metricsPage,
	} {
		t.Run(name, func(t *testing.T) {
			want := page(t)
			if *update {
				if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			got := readText(t, name)
			if got == want {
				return
			}
			committed, made := strings.Split(got, "\n"), strings.Split(want, "\n")
			for i := range max(len(committed), len(made)) {
				if i >= len(committed) || i >= len(made) || committed[i] != made[i] {
					t.Fatalf("%s does not say what the code says, from line %d on; run make docs. The code says:\n%s", name, i+1, lineAt(made, i))
				}
			}
		})
	}
}

func lineAt(lines []string, i int) string {
	if i >= len(lines) {
		return "(nothing more)"
	}
	return lines[i]
}

func readText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// table writes rows in Markdown. A bar in a cell would end it.
func table(page *strings.Builder, head []string, rows [][]string) {
	line := func(cells []string) {
		for _, cell := range cells {
			page.WriteString("| " + strings.ReplaceAll(cell, "|", "\\|") + " ")
		}
		page.WriteString("|\n")
	}
	line(head)
	page.WriteString(strings.Repeat("|---", len(head)) + "|\n")
	for _, row := range rows {
		line(row)
	}
	page.WriteString("\n")
}

// code quotes words and joins them.
func code(words []string, separator string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = "`" + word + "`"
	}
	return strings.Join(quoted, separator)
}

// sentence begins with a capital letter and ends with a full stop.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + "."
}
