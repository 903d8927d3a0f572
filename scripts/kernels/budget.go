package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// growthLimit is by how many hundredths a program may grow without its figure
// being updated.
const growthLimit = 10

const budgetHeading = `# How many instructions the verifier walks through for each program on each
# kernel; it refuses beyond 1,000,000. make test-kernels fails where one grows by
# more than 10 %, and make update-verifier-budget writes this file anew.
`

// budget has instructions by the name of a target and of a program.
type budget map[string]map[string]int

// readBudget reads the committed figures. There are none before the first update.
func readBudget(path string) (budget, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return budget{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the verifier budget cannot be read: %w", err)
	}
	b, err := parseBudget(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w; write it anew with make update-verifier-budget", path, err)
	}
	return b, nil
}

// parseBudget reads a table: a line with the targets, then one for each program.
func parseBudget(text string) (budget, error) {
	b := budget{}
	var targets []string
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if targets == nil {
			targets = fields[1:]
			continue
		}
		if len(fields) != len(targets)+1 {
			return nil, fmt.Errorf("program %s has %d figures for %d kernels", fields[0], len(fields)-1, len(targets))
		}
		for i, target := range targets {
			if fields[i+1] == "-" {
				continue
			}
			count, err := strconv.Atoi(fields[i+1])
			if err != nil || count <= 0 {
				return nil, fmt.Errorf("program %s: %q is no number of instructions", fields[0], fields[i+1])
			}
			b.set(target, fields[0], count)
		}
	}
	return b, nil
}

func (b budget) set(target, program string, count int) {
	if b[target] == nil {
		b[target] = make(map[string]int)
	}
	b[target][program] = count
}

// programs returns the names of all programs, sorted.
func (b budget) programs() []string {
	all := make(map[string]bool)
	for _, counts := range b {
		for program := range counts {
			all[program] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// String is the table that parseBudget reads. Targets come in the matrix's order.
func (b budget) String() string {
	var text strings.Builder
	text.WriteString(budgetHeading)
	targets := slices.DeleteFunc(targetNames(matrix()), func(name string) bool { return b[name] == nil })
	rows := [][]string{append([]string{"program"}, targets...)}
	for _, program := range b.programs() {
		row := []string{program}
		for _, target := range targets {
			row = append(row, figure(b[target][program], 0))
		}
		rows = append(rows, row)
	}
	writeTable(&text, rows)
	return text.String()
}

// updated returns the committed figures with those of this run in their place.
// Kernels that did not run keep theirs.
func (b budget) updated(measured budget) budget {
	merged := maps.Clone(b)
	maps.Copy(merged, measured)
	return merged
}

// excesses returns a sentence for each program that has grown too much, and for
// each that only one of the two has.
func (b budget) excesses(measured budget) []string {
	var found []string
	for _, target := range slices.Sorted(maps.Keys(measured)) {
		for _, program := range slices.Sorted(maps.Keys(b[target])) {
			if _, loaded := measured[target][program]; !loaded {
				found = append(found, fmt.Sprintf("%s has a verifier budget on %s, but no test has loaded it there", program, target))
			}
		}
		for _, program := range slices.Sorted(maps.Keys(measured[target])) {
			count := measured[target][program]
			allowed, known := b[target][program]
			switch {
			case !known:
				found = append(found, fmt.Sprintf("%s has no verifier budget on %s: it takes %d instructions", program, target, count))
			case count*100 > allowed*(100+growthLimit):
				found = append(found, fmt.Sprintf("%s takes the verifier %d instructions on %s, %d %% more than its budget of %d",
					program, count, target, (count-allowed)*100/allowed, allowed))
			}
		}
	}
	return found
}
