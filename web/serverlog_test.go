package web

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// records are what is logged.
type records chan slog.Record

func (records) Enabled(context.Context, slog.Level) bool { return true }
func (r records) WithAttrs([]slog.Attr) slog.Handler     { return r }
func (r records) WithGroup(string) slog.Handler          { return r }

func (r records) Handle(_ context.Context, record slog.Record) error {
	r <- record
	return nil
}

// TestClientsThatLeave are no news, while those that speak no TLS are.
func TestClientsThatLeave(t *testing.T) {
	for name, c := range map[string]struct {
		talk func(*net.TCPConn) error
		want slog.Level
	}{
		"a probe that leaves":            {func(*net.TCPConn) error { return nil }, slog.LevelDebug},
		"one that resets":                {func(conn *net.TCPConn) error { return conn.SetLinger(0) }, slog.LevelDebug},
		"one that speaks HTTP":           {says("GET / HTTP/1.1\r\nHost: sonde\r\n\r\n"), slog.LevelWarn},
		"one that speaks something else": {says("\x7fELF, and so on and on"), slog.LevelWarn},
	} {
		t.Run(name, func(t *testing.T) {
			logged := make(records, 10)
			server := httptest.NewUnstartedServer(http.NotFoundHandler())
			server.Config.ErrorLog = serverLog(slog.New(logged))
			server.StartTLS()
			defer server.Close()
			conn, err := net.DialTCP("tcp", nil, server.Listener.Addr().(*net.TCPAddr))
			if err != nil {
				t.Fatal(err)
			}
			if err := c.talk(conn); err != nil {
				t.Fatal(err)
			}
			conn.Close()
			select {
			case record := <-logged:
				if record.Level != c.want {
					t.Errorf("%q has the level %s, want %s", record.Message, record.Level, c.want)
				}
			case <-time.After(10 * time.Second):
				t.Error("nothing was logged in 10 s")
			}
		})
	}
}

// says sends a text and waits for the server to answer or to close.
func says(text string) func(*net.TCPConn) error {
	return func(conn *net.TCPConn) error {
		if _, err := io.WriteString(conn, text); err != nil {
			return err
		}
		_, _ = conn.Read(make([]byte, 1))
		return nil
	}
}
