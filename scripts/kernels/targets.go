package main

import (
	"fmt"
	"slices"
	"strings"
)

// newest stands for the newest series that the mirror offers.
const newest = "newest"

// target is one kernel of the matrix. Which exact version stands for it is found
// at the mirror, since old versions leave it with every security update.
type target struct {
	series string // "6.1", or newest
	arch   string // as Debian and Go call it
}

// name is how the target is called on the command line, in the table, in the
// cache and in the budget.
func (t target) name() string { return t.series + "-" + t.arch }

// matrix is what Sonde promises to run on: its oldest kernel, the one of the
// current Debian, what is to come, and the other architecture.
func matrix() []target {
	return []target{
		{"6.1", "amd64"},
		{"6.12", "amd64"},
		{newest, "amd64"},
		{"6.12", "arm64"},
	}
}

// selectTargets returns the targets with the names given, or all if none is.
func selectTargets(names []string) ([]target, error) {
	all := matrix()
	if len(names) == 0 {
		return all, nil
	}
	var selected []target
	for _, name := range names {
		i := slices.IndexFunc(all, func(t target) bool { return t.name() == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no kernel %q in the matrix; write one of %s", name, strings.Join(targetNames(all), ", "))
		}
		selected = append(selected, all[i])
	}
	return selected, nil
}

func targetNames(targets []target) []string {
	names := make([]string, len(targets))
	for i, t := range targets {
		names[i] = t.name()
	}
	return names
}
