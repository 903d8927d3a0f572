package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

type outcome string

const (
	unfinished outcome = "run"
	passed     outcome = "pass"
	failed     outcome = "fail"
	skipped    outcome = "skip"
)

// missingFeature begins the only reason for which a test may be skipped.
const missingFeature = "missing kernel feature: "

// maxLine bounds a line of a test's output, in bytes. What is longer is cut: it
// comes from a verifier's log.
const maxLine = 1 << 20

// testResult is how one test or subtest ended on one kernel.
type testResult struct {
	name    string
	outcome outcome
	elapsed float64 // in seconds
	output  strings.Builder
}

// judge fails a test that was cut off, and one that was skipped for no lack of the
// kernel: on a machine made for them, tests have no other reason to skip.
func (t *testResult) judge() {
	switch {
	case t.outcome == unfinished:
		t.outcome = failed
		t.output.WriteString("    (the test did not finish)\n")
	case t.outcome == skipped && !strings.HasPrefix(t.reason(), missingFeature):
		t.outcome = failed
		t.output.WriteString("    (a test may be skipped here only with: " + missingFeature + "NAME)\n")
	}
}

// isSubtest says whether another test ran it.
func (t *testResult) isSubtest() bool { return strings.Contains(t.name, "/") }

// results are those of one kernel.
type results struct {
	tests    []*testResult // in the order in which they began
	byName   map[string]*testResult
	loose    strings.Builder // output outside of tests: panics, TestMain
	verified map[string]int  // instructions, by program
}

func newResults() *results {
	return &results{byName: make(map[string]*testResult), verified: make(map[string]int)}
}

// event is a line of go tool test2json.
type event struct {
	Action, Test, Output string
	Elapsed              float64 // in seconds
}

// verifiedLine is how a kernel test tells what the verifier walked through:
// "file_test.go:12: verified PROGRAM COUNT".
var verifiedLine = regexp.MustCompile(`\bverified (\w+) (\d+)\s*$`)

// parseEvents reads the output of go tool test2json.
func parseEvents(events io.Reader) (*results, error) {
	r := newResults()
	lines := bufio.NewScanner(events)
	lines.Buffer(nil, 2*maxLine)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("the events of the tests cannot be read: %w", err)
		}
		r.add(e)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("the events of the tests cannot be read: %w", err)
	}
	for _, t := range r.tests {
		t.judge()
	}
	return r, nil
}

func (r *results) add(e event) {
	if match := verifiedLine.FindStringSubmatch(e.Output); match != nil {
		// More digits than an int has are no count.
		if count, err := strconv.Atoi(match[2]); err == nil {
			r.verified[match[1]] = max(r.verified[match[1]], count)
		}
	}
	if e.Test == "" {
		r.loose.WriteString(e.Output)
		return
	}
	t, ok := r.byName[e.Test]
	if !ok {
		t = &testResult{name: e.Test, outcome: unfinished}
		r.byName[e.Test] = t
		r.tests = append(r.tests, t)
	}
	switch ended := outcome(e.Action); ended {
	case passed, failed, skipped:
		t.outcome, t.elapsed = ended, e.Elapsed
	default:
		t.output.WriteString(e.Output)
	}
}

// with returns the tests that ended in this way.
func (r *results) with(wanted outcome) []*testResult {
	var found []*testResult
	for _, t := range r.tests {
		if t.outcome == wanted {
			found = append(found, t)
		}
	}
	return found
}

// subtestsWith counts the subtests of a test that ended in this way.
func (r *results) subtestsWith(parent string, wanted outcome) int {
	count := 0
	for _, t := range r.with(wanted) {
		if strings.HasPrefix(t.name, parent+"/") {
			count++
		}
	}
	return count
}

// position is how the testing package begins a message.
var position = regexp.MustCompile(`^\s*[^\s:]+\.go:\d+: `)

// reason is what a skipped test gave as such: the last thing that it logged.
func (t *testResult) reason() string {
	var last string
	for line := range strings.Lines(t.output.String()) {
		if position.MatchString(line) {
			last = strings.TrimSpace(position.ReplaceAllString(line, ""))
		}
	}
	if last == "" {
		return "no reason given"
	}
	return last
}
