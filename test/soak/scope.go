package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// scope stands in for a testing.TB, which the helpers of the end-to-end tests
// ask for: what they start is stopped when the scope ends, and what they find
// wrong fails the run.
type scope struct {
	testing.TB // for the method that keeps others from implementing it; none is called
	report     *report

	mu       sync.Mutex
	cleanups []func()
	broken   bool
}

// runScoped calls do with a new scope, and then undoes what do has started, also
// where do was ended by Fatalf. It returns whether nothing went wrong.
func runScoped(report *report, do func(*scope)) bool {
	sc := &scope{report: report}
	done := make(chan struct{})
	// Fatalf ends its goroutine, as that of a test does.
	go func() {
		defer close(done)
		defer sc.end()
		do(sc)
	}()
	<-done
	return !sc.Failed()
}

// within runs do in a scope of its own, for what does not last as long as sc.
func (sc *scope) within(do func(*scope)) bool { return runScoped(sc.report, do) }

func (sc *scope) end() {
	for {
		sc.mu.Lock()
		if len(sc.cleanups) == 0 {
			sc.mu.Unlock()
			return
		}
		last := sc.cleanups[len(sc.cleanups)-1]
		sc.cleanups = sc.cleanups[:len(sc.cleanups)-1]
		sc.mu.Unlock()
		last()
	}
}

// Helper does nothing: a message of this program names no line.
func (*scope) Helper() {}

// Cleanup calls f when the scope ends, last come first.
func (sc *scope) Cleanup(f func()) {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	sc.cleanups = append(sc.cleanups, f)
}

// Failed tells whether anything in this scope went wrong.
func (sc *scope) Failed() bool {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	return sc.broken
}

// Logf prints a message, for the one who looks into a failure.
func (*scope) Logf(format string, args ...any) {
	fmt.Fprintln(os.Stderr, strings.TrimRight(fmt.Sprintf(format, args...), "\n"))
}

// Errorf fails the run and goes on.
func (sc *scope) Errorf(format string, args ...any) {
	sc.mu.Lock()
	sc.broken = true
	sc.mu.Unlock()
	sc.report.check("the run itself", false, format, args...)
}

// Error is Errorf without a format.
func (sc *scope) Error(args ...any) { sc.Errorf("%s", fmt.Sprint(args...)) }

// Fatalf is Errorf and the end of the goroutine.
func (sc *scope) Fatalf(format string, args ...any) {
	sc.Errorf(format, args...)
	runtime.Goexit()
}

// Fatal is Fatalf without a format.
func (sc *scope) Fatal(args ...any) { sc.Fatalf("%s", fmt.Sprint(args...)) }
