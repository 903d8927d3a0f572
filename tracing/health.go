package tracing

import (
	"log/slog"
	"sync"
	"time"

	"sonde_exporter/otlp"
)

const (
	// patience is how long attempts may fail, while the upload goes on, before the
	// log tells: a receiver that restarts is no news.
	patience = 5 * time.Second

	// calm is how long nothing may have failed before the log says that uploads
	// work again: a receiver that takes every other batch would fill it.
	calm = 5 * time.Second
)

// health tells the log when uploads begin to fail, and when they work again.
type health struct {
	logger *slog.Logger

	mu         sync.Mutex
	since      time.Time // of the first failure after the last success; zero: none
	lastFailed time.Time
	reported   bool
	lost       uint64 // spans that failed since it was reported
}

// attemptFailed is told of an attempt that is followed by another.
func (h *health) attemptFailed(failure *otlp.Failure) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.note(failure, false)
}

// failed is told of spans that are lost.
func (h *health) failed(err error, spans uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lost += spans
	h.note(err, true)
}

func (h *health) note(err error, final bool) {
	now := time.Now()
	h.lastFailed = now
	if h.since.IsZero() {
		h.since = now
	}
	if h.reported || (!final && now.Sub(h.since) < patience) {
		return
	}
	h.reported = true
	h.logger.Error("spans do not get out", "err", err)
}

// worked is told of an upload whose spans were all taken.
func (h *health) worked() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.since = time.Time{}
	if !h.reported || time.Since(h.lastFailed) < calm {
		return
	}
	h.logger.Info("spans get out again", "failed_meanwhile", h.lost)
	h.reported, h.lost = false, 0
}
