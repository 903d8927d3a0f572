package probe

import "fmt"

// Shortage is what this machine or process lacks, and what to do about it. The
// error at start and the table of --preflight say the same words.
type Shortage struct {
	Lack   error
	Remedy string // empty if none is known
}

// Error is one sentence.
func (s *Shortage) Error() string {
	if s.Remedy == "" {
		return s.Lack.Error()
	}
	return s.Lack.Error() + "; " + s.Remedy
}

// Unwrap is the lack alone.
func (s *Shortage) Unwrap() error { return s.Lack }

// lacking makes a Shortage of a format, in which %w wraps a cause.
func lacking(remedy, format string, args ...any) error {
	return &Shortage{Lack: fmt.Errorf(format, args...), Remedy: remedy}
}
