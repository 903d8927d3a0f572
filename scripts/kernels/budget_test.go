package main

import (
	"slices"
	"strings"
	"testing"
)

func TestBudgetIsReadAsWritten(t *testing.T) {
	b := budget{
		"6.1-amd64":  {"wire_ingress": 203859, "socket_read": 122},
		"6.12-arm64": {"wire_ingress": 253665},
	}
	text := b.String()
	read, err := parseBudget(text)
	if err != nil {
		t.Fatal(err)
	}
	if again := read.String(); again != text || read["6.1-amd64"]["socket_read"] != 122 {
		t.Errorf("wrote:\n%s\nread:\n%s", text, again)
	}
	if _, ok := read["6.12-arm64"]["socket_read"]; ok {
		t.Error("a program without a figure has one")
	}
}

func TestParseBudgetRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"too few figures": "program a b\nwire 1\n",
		"no number":       "program a\nwire many\n",
		"nothing walked":  "program a\nwire 0\n",
	} {
		if _, err := parseBudget(text); err == nil || !strings.Contains(err.Error(), "wire") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestExcesses(t *testing.T) {
	committed := budget{"old": {"wire": 1000, "socket": 10}, "other": {"wire": 5}}
	tests := map[string]struct {
		measured budget
		want     []string
	}{
		"as committed":         {budget{"old": {"wire": 1000, "socket": 10}}, nil},
		"up to a tenth more":   {budget{"old": {"wire": 1100, "socket": 11}}, nil},
		"less":                 {budget{"old": {"wire": 1, "socket": 1}}, nil},
		"more":                 {budget{"old": {"wire": 1101, "socket": 10}}, []string{"wire takes the verifier 1101 instructions on old, 10 % more than its budget of 1000"}},
		"a new program":        {budget{"old": {"wire": 1000, "socket": 10, "walk": 3}}, []string{"walk has no verifier budget on old: it takes 3 instructions"}},
		"a new kernel":         {budget{"new": {"wire": 7}}, []string{"wire has no verifier budget on new: it takes 7 instructions"}},
		"a program is missing": {budget{"old": {"wire": 1000}}, []string{"socket has a verifier budget on old, but no test has loaded it there"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := committed.excesses(test.measured); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestUpdatedKeepsKernelsThatDidNotRun(t *testing.T) {
	committed := budget{"old": {"wire": 1, "gone": 2}, "other": {"wire": 5}}
	merged := committed.updated(budget{"old": {"wire": 3}})
	if merged["old"]["wire"] != 3 || merged["other"]["wire"] != 5 || len(merged["old"]) != 1 {
		t.Errorf("got %v", merged)
	}
	if committed["old"]["wire"] != 1 {
		t.Error("the committed figures have changed")
	}
}

func TestFigure(t *testing.T) {
	for want, counts := range map[string][2]int{
		"-": {0, 5}, "100": {100, 0}, "200": {200, 200}, "110 (+10.0 %)": {110, 100}, "99 (-1.0 %)": {99, 100},
	} {
		if got := figure(counts[0], counts[1]); got != want {
			t.Errorf("figure(%d, %d) = %q, want %q", counts[0], counts[1], got, want)
		}
	}
}
