package tracing

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sonde_exporter/otlp"
)

// recorder remembers the lines of the log.
type recorder struct {
	slog.Handler
	lines []string
}

func (r *recorder) Handle(_ context.Context, record slog.Record) error {
	line := record.Level.String() + " " + record.Message
	record.Attrs(func(attribute slog.Attr) bool {
		line += " " + attribute.String()
		return true
	})
	r.lines = append(r.lines, line)
	return nil
}

func (r *recorder) Enabled(context.Context, slog.Level) bool { return true }

func TestLog(t *testing.T) {
	down := &otlp.Failure{Kind: otlp.Refused, Endpoint: "http://alloy:4318", Detail: "nobody"}
	type event struct {
		after time.Duration
		what  string // attempt, failed or worked
	}
	repeat := func(times int, events ...event) []event {
		var all []event
		for range times {
			all = append(all, events...)
		}
		return all
	}
	tests := []struct {
		name   string
		events []event
		want   []string // how the lines begin
	}{
		{"all is well", repeat(5, event{time.Second, "worked"}), nil},
		{"a short restart", []event{{0, "attempt"}, {time.Second, "attempt"}, {time.Second, "worked"}}, nil},
		{"a long restart", append(repeat(9, event{time.Second, "attempt"}), event{time.Second, "worked"}, event{10 * time.Second, "worked"}),
			[]string{"ERROR spans do not get out", "INFO spans get out again failed_meanwhile=0"}},
		{"down and up", append(repeat(20, event{time.Second, "failed"}), event{9 * time.Second, "worked"}, event{time.Second, "worked"}),
			[]string{"ERROR spans do not get out", "INFO spans get out again failed_meanwhile=40"}},
		{"every other batch", repeat(20, event{time.Second, "failed"}, event{time.Second, "worked"}),
			[]string{"ERROR spans do not get out"}},
		{"down again", repeat(2, event{0, "failed"}, event{9 * time.Second, "worked"}),
			[]string{"ERROR spans do not get out", "INFO spans get out again", "ERROR spans do not get out", "INFO spans get out again"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := &recorder{}
				h := health{logger: slog.New(log)}
				for _, event := range test.events {
					time.Sleep(event.after)
					switch event.what {
					case "attempt":
						h.attemptFailed(down)
					case "failed":
						h.failed(down, 2)
					case "worked":
						h.worked()
					}
				}
				if len(log.lines) != len(test.want) {
					t.Fatalf("log is %q", log.lines)
				}
				for i, want := range test.want {
					if !strings.HasPrefix(log.lines[i], want) || (want[0] == 'E' && !strings.Contains(log.lines[i], "http://alloy:4318")) {
						t.Errorf("line %q, want %q", log.lines[i], want)
					}
				}
			})
		})
	}
}
