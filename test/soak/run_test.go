package main

import (
	"strings"
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	for _, c := range []struct {
		text string
		want time.Duration // 0: refused
	}{
		{"", defaultDuration},
		{"30", 30 * time.Second},
		{"19", 0},
		{"-5", 0},
		{"2m", 0},
	} {
		t.Setenv(durationVariable, c.text)
		got, err := durationFromEnvironment()
		if got != c.want || (err == nil) != (c.want > 0) {
			t.Errorf("%q gives %v (%v), want %v", c.text, got, err, c.want)
		}
		if err != nil && !strings.Contains(err.Error(), durationVariable) {
			t.Errorf("the message does not name the variable: %v", err)
		}
	}
}

// TestScope: a failure ends its goroutine, fails the run, and still undoes what
// was started, last come first.
func TestScope(t *testing.T) {
	var undone []string
	r := &report{}
	ok := runScoped(r, func(sc *scope) {
		sc.Cleanup(func() { undone = append(undone, "first") })
		sc.Cleanup(func() { undone = append(undone, "second") })
		sc.Fatalf("no %s", "luck")
		t.Error("the goroutine went on")
	})
	if ok || r.failed() != 1 {
		t.Errorf("a failed scope returned %v with %d failed checks", ok, r.failed())
	}
	if got := strings.Join(undone, " "); got != "second first" {
		t.Errorf("undone was %q", got)
	}
	if !runScoped(r, func(*scope) {}) {
		t.Error("a scope without failure failed")
	}
}

func TestTable(t *testing.T) {
	r := &report{}
	r.check("first", true, "%d of %d", 2, 2)
	r.check("the second", false, "")
	var out strings.Builder
	r.print(&out)
	if got := out.String(); !strings.Contains(got, "ok      first       2 of 2\n") || !strings.Contains(got, "FAILED  the second") {
		t.Errorf("the table is:\n%s", got)
	}
}
