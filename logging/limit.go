// Package logging keeps strangers from filling a log: what they do decides how
// much there is to explain.
package logging

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// perSecond is how many lines a level may write for long.
	perSecond = 100
	// atOnce is how many it may write at once: a host with many services explains
	// all of them when Sonde starts.
	atOnce = 1000
	// tellAfter is how soon it is said that lines were left out.
	tellAfter = time.Second
)

// Limit returns a logger that writes a bounded number of debug and info lines a
// second, each level for itself, and says how many it left out. Warnings and
// errors always pass.
func Limit(logger *slog.Logger) *slog.Logger {
	base := logger.Handler()
	return slog.New(&limited{Handler: base, debug: newBudget(base, slog.LevelDebug), info: newBudget(base, slog.LevelInfo)})
}

type limited struct {
	slog.Handler
	debug, info *budget
}

// Handle implements slog.Handler.
func (l *limited) Handle(ctx context.Context, record slog.Record) error {
	budget := l.info
	switch {
	case record.Level >= slog.LevelWarn:
		return l.Handler.Handle(ctx, record)
	case record.Level < slog.LevelInfo:
		budget = l.debug
	}
	if !budget.take() {
		return nil
	}
	return l.Handler.Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (l *limited) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &limited{l.Handler.WithAttrs(attrs), l.debug, l.info}
}

// WithGroup implements slog.Handler.
func (l *limited) WithGroup(name string) slog.Handler {
	return &limited{l.Handler.WithGroup(name), l.debug, l.info}
}

// budget is what one level may write.
type budget struct {
	base    slog.Handler
	level   slog.Level
	limiter *rate.Limiter

	mu      sync.Mutex
	leftOut int
}

func newBudget(base slog.Handler, level slog.Level) *budget {
	return &budget{base: base, level: level, limiter: rate.NewLimiter(perSecond, atOnce)}
}

// take says whether a line may be written. The first that may not sees to it that
// they are told.
func (b *budget) take() bool {
	if b.limiter.Allow() {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.leftOut++; b.leftOut == 1 {
		time.AfterFunc(tellAfter, b.tell)
	}
	return false
}

func (b *budget) tell() {
	b.mu.Lock()
	count := b.leftOut
	b.leftOut = 0
	b.mu.Unlock()
	record := slog.NewRecord(time.Now(), b.level, "lines of the log were left out, as there were too many", 0)
	record.AddAttrs(slog.Int("lines", count), slog.Int("limit_per_second", perSecond))
	_ = b.base.Handle(context.Background(), record) // Nobody is left to tell if this fails.
}
