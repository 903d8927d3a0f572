package main

import (
	"slices"
	"time"
)

// maxOutput limits what is kept of one test's or package's output, in bytes. The
// end is kept, because there stands why it failed.
const maxOutput = 256 << 10

type result string

const (
	running result = "running"
	passed  result = "pass"
	failed  result = "fail"
	skipped result = "skip"
)

// testRun is one test or subtest.
type testRun struct {
	name        string
	result      result
	elapsed     time.Duration
	output      tail
	hasSubtests bool
}

// packageRun is one package and its tests in the order in which they began.
type packageRun struct {
	name     string
	output   tail // What belongs to no test: TestMain, panics, build errors.
	tests    map[string]*testRun
	order    []*testRun
	finished bool
}

func newPackageRun(name string) *packageRun {
	return &packageRun{name: name, tests: make(map[string]*testRun)}
}

// test returns the test of that name, which may not have been seen before.
func (p *packageRun) test(name string) *testRun {
	if t, ok := p.tests[name]; ok {
		return t
	}
	t := &testRun{name: name, result: running}
	for _, parent := range p.ancestors(name) {
		parent.hasSubtests = true
	}
	p.tests[name] = t
	p.order = append(p.order, t)
	return t
}

// ancestors returns the tests that ran the subtest name, directly or not. Not every
// slash in a name stands for a test: subtests may be called anything.
func (p *packageRun) ancestors(name string) []*testRun {
	var found []*testRun
	for i, char := range name {
		if char != '/' {
			continue
		}
		if t, ok := p.tests[name[:i]]; ok {
			found = append(found, t)
		}
	}
	return found
}

// counted returns the tests that stand for something of their own. A test that
// only runs subtests does not: its result is theirs.
func (p *packageRun) counted() []*testRun {
	failedBelow := make(map[*testRun]bool)
	for _, t := range p.order {
		if t.result != failed {
			continue
		}
		for _, parent := range p.ancestors(t.name) {
			failedBelow[parent] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(p.order), func(t *testRun) bool {
		ownFailure := t.result == failed && !failedBelow[t]
		return t.hasSubtests && !ownFailure && t.result != skipped
	})
}

// endUnfinished fails the tests that were still running when the package ended:
// a panic, an os.Exit or the time-out cut them off.
func (p *packageRun) endUnfinished() {
	for _, t := range p.order {
		if t.result == running {
			t.result = failed
			t.output.add("    (the test did not finish)\n")
		}
	}
}

// tail keeps the end of a text.
type tail struct{ text []byte }

func (t *tail) add(s string) {
	t.text = append(t.text, s...)
	// Cut rarely, not at every line.
	if len(t.text) > 2*maxOutput {
		t.text = append([]byte("(…)\n"), t.text[len(t.text)-maxOutput:]...)
	}
}

func (t *tail) String() string { return string(t.text) }
