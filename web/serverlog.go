package web

import (
	"context"
	"log"
	"log/slog"
	"strings"
)

// serverLog returns the log of an HTTP server.
func serverLog(logger *slog.Logger) *log.Logger { return log.New(serverLines{logger}, "", 0) }

// serverLines makes warnings of the server's lines, but of those about clients that
// connect and leave: the probes of Kubernetes that know no password do so every few
// seconds.
type serverLines struct{ logger *slog.Logger }

func (l serverLines) Write(line []byte) (int, error) {
	level, text := slog.LevelWarn, strings.TrimSpace(string(line))
	if hasLeft(text) {
		level = slog.LevelDebug
	}
	l.logger.Log(context.Background(), level, text)
	return len(line), nil
}

func hasLeft(text string) bool {
	return strings.HasPrefix(text, "http: TLS handshake error from ") &&
		(strings.HasSuffix(text, ": EOF") || strings.HasSuffix(text, ": connection reset by peer"))
}
