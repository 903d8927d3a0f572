package logging

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// shared is a log that one goroutine reads while another writes.
type shared struct {
	mu  sync.Mutex
	log bytes.Buffer
}

func (s *shared) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(line)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

func newLogger(level slog.Level) (*slog.Logger, *shared) {
	log := &shared{}
	return Limit(slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: level}))), log
}

func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logger, log := newLogger(slog.LevelDebug)
		const flood = 5000
		for range flood {
			logger.With("a", 1).Debug("explained")
		}
		count := func(words string) int { return strings.Count(log.String(), words) }
		if got := count("explained"); got != atOnce {
			t.Errorf("%d lines of a flood were written, want %d", got, atOnce)
		}
		logger.Info("news")
		logger.Warn("trouble")
		for range flood {
			logger.Error("more trouble")
		}
		if count("msg=news") != 1 || count("msg=trouble") != 1 || count("more trouble") != flood {
			t.Error("a flood of debug lines kept others from being written")
		}
		if count("left out") != 0 {
			t.Error("what was left out is told before the second is over")
		}
		time.Sleep(tellAfter)
		synctest.Wait()
		if count("left out, as there were too many\" lines=4000 ") != 1 {
			t.Errorf("the log does not say that 4000 lines were left out, but %d times that some were", count("left out"))
		}
		logger.Debug("explained")
		if got := count("explained"); got != atOnce+1 {
			t.Errorf("%d lines after a second, want %d", got, atOnce+1)
		}
	})
}

// TestSilent: what is not written costs no budget.
func TestSilent(t *testing.T) {
	logger, log := newLogger(slog.LevelInfo)
	if logger.Enabled(t.Context(), slog.LevelDebug) {
		t.Error("debug lines are on although the level is info")
	}
	for range 2 * atOnce {
		logger.Debug("explained")
	}
	logger.Info("news")
	if !strings.Contains(log.String(), "msg=news") || strings.Contains(log.String(), "explained") || strings.Contains(log.String(), "left out") {
		t.Errorf("the log says %q, want the news only", log)
	}
}
