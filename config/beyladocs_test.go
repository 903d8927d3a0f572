package config

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// keyRow is what a table says of a key of Beyla.
type keyRow struct {
	status string
	here   string // what there is in Sonde
}

// Statuses of the tables of docs/coming-from-beyla.md.
const (
	statusSame     = "same"
	statusRenamed  = "renamed"
	statusNoEffect = "no effect"
	statusRefused  = "refused"
)

var quotedWords = regexp.MustCompile("`([^`]+)`")

// documentedKeys reads the rows of tables that begin with a key in code.
func documentedKeys(t *testing.T) map[string]keyRow {
	t.Helper()
	page, err := os.ReadFile("../docs/coming-from-beyla.md")
	if err != nil {
		t.Fatal(err)
	}
	_, tables, found := strings.Cut(string(page), "\n## Keys\n")
	if !found {
		t.Fatal("docs/coming-from-beyla.md has no part Keys")
	}
	tables, _, _ = strings.Cut(tables, "\n## ")
	rows, section := map[string]keyRow{}, ""
	for line := range strings.Lines(tables) {
		if heading, found := strings.CutPrefix(line, "### "); found {
			section = map[string]string{"Rules of discovery": ruleSection}[strings.TrimSpace(heading)]
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if !strings.HasPrefix(line, "| `") || len(cells) != 3 {
			continue
		}
		for _, key := range quotedWords.FindAllStringSubmatch(cells[0], -1) {
			name := section + key[1]
			if _, twice := rows[name]; twice {
				t.Errorf("%s is in two rows", name)
			}
			rows[name] = keyRow{strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2])}
		}
	}
	return rows
}

// ruleSection stands for the sections whose rules have the same keys.
const ruleSection = "discovery.services[]."

var ruleList = regexp.MustCompile(`^discovery\.(services|exclude_services|exclude|instrument|exclude_instrument)\.`)

// absentKeys is what the tables have to say of the keys that Sonde does not have.
func absentKeys() map[string]keyRow {
	rows := map[string]keyRow{}
	for key, known := range beylaKeys() {
		row := keyRow{statusRefused, known.advice}
		switch {
		case known.isHarmless:
			row.status = statusNoEffect
		case len(known.same) > 0:
			row.status += " unless `" + strings.Join(known.same, "`, `") + "`"
		}
		if known.advice != "" { // of a section, the keys are there
			rows[ruleList.ReplaceAllString(key, ruleSection)] = row
		}
	}
	return rows
}

func TestBeylaPageTellsOfKeysThatAreAbsent(t *testing.T) {
	documented := documentedKeys(t)
	for key, want := range absentKeys() {
		got, ok := documented[key]
		got.here = strings.ReplaceAll(got.here, "`", "")
		switch {
		case !ok:
			t.Errorf("%s is not on the page, want status %q and %q", key, want.status, want.here)
		case got.status != want.status || got.here != strings.ReplaceAll(want.here, "*", "\\*"):
			t.Errorf("%s: the page says %q and %q, the program %q and %q", key, got.status, got.here, want.status, want.here)
		}
	}
}

// renamedKeys are the keys with another spelling, and the spelling of Sonde.
func renamedKeys() map[string]string {
	all := map[string]string{}
	add := func(section string, spellings map[string]string) {
		for name, here := range spellings {
			all[section+name] = here
		}
	}
	add(ruleSection, ruleSpellings())
	for _, section := range []string{"discovery", "otel_traces_export", "otel_metrics_export"} {
		add(section+".", (&fileReader{}).otherSpellings(section))
	}
	return all
}

func TestBeylaPageTellsOfKeysThatAreHere(t *testing.T) {
	absent, renamed := absentKeys(), renamedKeys()
	documented := documentedKeys(t)
	for key, row := range documented {
		here, isRenamed := renamed[key]
		_, isAbsent := absent[key]
		switch {
		case isAbsent:
			continue
		case isRenamed && (row.status != statusRenamed || !strings.Contains(row.here, here)):
			t.Errorf("%s: the page says %+v, want that it is renamed to %s", key, row, here)
		case !isRenamed && row.status != statusSame:
			t.Errorf("%s: the page says %q of a key that is neither renamed nor absent", key, row.status)
		}
		if _, err := Parse("", []byte(fileWith(key))); err != nil {
			t.Errorf("%s: the page says %q, the program %v", key, row.status, err)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(renamed)) {
		// Of each section that has the spelling where Beyla has it.
		if _, ok := documented[key]; !ok && !onlyHere(key) {
			t.Errorf("%s is renamed to %s, and not on the page", key, renamed[key])
		}
	}
}

// onlyHere tells of spellings that are accepted in a section where Beyla does not
// have them, because both sections share their spellings.
func onlyHere(key string) bool {
	return slices.Contains([]string{
		"otel_traces_export.histogram_aggregation",
		"otel_metrics_export.max_queue_size", "otel_metrics_export.max_export_batch_size",
	}, key)
}

// fileWith is a file that has a key without a value.
func fileWith(key string) string {
	var file strings.Builder
	names := strings.Split(key, ".")
	closing, selector := "", "open_port: 80" // a rule needs one; not that of the key
	if strings.Contains(key, "open_port") {
		selector = "executable_name: a"
	}
	for i, name := range names {
		inner, isList := strings.CutSuffix(name, "[]")
		file.WriteString(inner + ": ")
		switch {
		case isList:
			file.WriteString("[{" + selector + ", ")
			closing = "}]" + closing
		case i < len(names)-1:
			file.WriteString("{")
			closing = "}" + closing
		}
	}
	return file.String() + closing
}
