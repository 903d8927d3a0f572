package web

import (
	"context"
	"sync"

	"sonde_exporter/status"
)

// shelf keeps answers as long as the status stays the same one, so that pages
// that are loaded in a loop are neither read nor rendered again and again.
type shelf struct {
	read func(context.Context) (*status.Status, error)

	mu      sync.Mutex
	of      *status.Status
	answers map[string][]byte
}

func newShelf(read func(context.Context) (*status.Status, error)) *shelf { return &shelf{read: read} }

// get returns the answer of this name, which it renders if need be. There must
// be few names.
func (s *shelf) get(ctx context.Context, name string, render func(*status.Status) ([]byte, error)) ([]byte, error) {
	current, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of != current {
		s.of, s.answers = current, map[string][]byte{}
	}
	if answer, ok := s.answers[name]; ok {
		return answer, nil
	}
	answer, err := render(current)
	if err == nil {
		s.answers[name] = answer
	}
	return answer, err
}
