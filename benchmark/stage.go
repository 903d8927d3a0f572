package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"
)

// stage lets the helpers of the end-to-end tests be used outside of a test. Those
// report by a testing.TB; a stage is one that turns the first failure into an
// error. Only the methods that the helpers call are there: the embedded interface
// is nil.
type stage struct {
	testing.TB

	ctx      context.Context
	cleanups []func()
	err      error
}

// onStage runs play in a goroutine of its own, because a failure ends the
// goroutine, as it does in a test. What play started is stopped before onStage
// returns, whatever happened.
func onStage(ctx context.Context, play func(*stage)) error {
	s := &stage{ctx: ctx}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer s.clear()
		play(s)
	}()
	<-done
	return s.err
}

func (s *stage) clear() {
	for _, cleanup := range slices.Backward(s.cleanups) {
		cleanup()
	}
}

// Helper does nothing: errors here have no line numbers.
func (*stage) Helper() {}

// Context ends when the user interrupts.
func (s *stage) Context() context.Context { return s.ctx }

// Cleanup calls f when the play is over, last come first.
func (s *stage) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

// Failed reports whether the play has failed.
func (s *stage) Failed() bool { return s.err != nil }

// Error keeps the first failure.
func (s *stage) Error(args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf("%s", fmt.Sprint(args...))
	}
}

// Errorf is Error with a format.
func (s *stage) Errorf(format string, args ...any) { s.Error(fmt.Sprintf(format, args...)) }

// Fatal keeps the first failure and ends the play.
func (s *stage) Fatal(args ...any) {
	s.Error(args...)
	runtime.Goexit()
}

// Fatalf is Fatal with a format.
func (s *stage) Fatalf(format string, args ...any) { s.Fatal(fmt.Sprintf(format, args...)) }

// Logf adds to the failure: helpers call it for nothing else.
func (s *stage) Logf(format string, args ...any) {
	if s.err != nil {
		s.err = fmt.Errorf("%w\n%s", s.err, fmt.Sprintf(format, args...))
	}
}

// must ends the play if there is an error.
func (s *stage) must(err error) {
	if err != nil {
		s.Fatal(err)
	}
}
