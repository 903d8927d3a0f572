package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// hello sends requests for /hello on one connection.
func hello(t testing.TB, web *servers.GoServer, requests int) {
	t.Helper()
	conn := servers.Dial(t, web.Addr())
	for range requests {
		talk(t, conn, request("/hello"))
	}
}

// byProtocol runs a check against a receiver and an exporter for each protocol.
func byProtocol(t *testing.T, settings []string, check func(t *testing.T, x tracing, web *servers.GoServer)) {
	t.Helper()
	for protocol, config := range tracesBy {
		t.Run(protocol, func(t *testing.T) {
			web := servers.Go(t, programs(t).GoServer)
			r := receiver(t, harness.ReceiverOptions{})
			services := selection(map[string]*servers.Process{"web": web.Process})
			x := tracing{receiver: r, Exporter: exporter(t, harness.Options{Config: services + config(r, settings...)})}
			check(t, x, web)
		})
	}
}

// expectMetrics demands that no metric was lost, and that a scrape is quick.
func (x tracing) expectMetrics(t testing.TB, web *servers.GoServer, requests int) {
	t.Helper()
	start := time.Now()
	x.Scrape(t)
	if took := time.Since(start); took > time.Second {
		t.Errorf("a scrape took %v", took)
	}
	x.Expect(t, harness.Server, harness.Labels{"server_port": web.PortLabel()}, row(uint64(requests), "GET", "/hello", "200"))
}

// TestEndpointDown: the endpoint is not there when Sonde starts, and comes later.
func TestEndpointDown(t *testing.T) {
	byProtocol(t, []string{everything()}, func(t *testing.T, x tracing, web *servers.GoServer) {
		x.receiver.Down(t)
		hello(t, web, 200)
		x.expectMetrics(t, web, 200)
		if a := accountOf(x.Scrape(t)); a.exported != 0 {
			t.Errorf("%+v, and there is no endpoint", a)
		}
		x.receiver.Up(t)
		hello(t, web, 10)
		x.expectMetrics(t, web, 210)
		a := x.waitAccount(t, 210)
		if a.exported < 10 || a.exported != x.receiver.Counts(t).Services["web Server"] {
			t.Errorf("%+v, want at least the last 10 exported; the receiver has %+v", a, x.receiver.Counts(t))
		}
	})
}

// TestEndpointComesBack: it goes away while Sonde sends, again and again.
func TestEndpointComesBack(t *testing.T) {
	byProtocol(t, []string{everything(), "batch_timeout: 50ms"}, func(t *testing.T, x tracing, web *servers.GoServer) {
		for range 3 {
			hello(t, web, 50)
			x.receiver.Down(t)
			hello(t, web, 50)
			x.receiver.Up(t)
		}
		x.expectMetrics(t, web, 300)
		a := x.waitAccount(t, 300)
		// What was answered before the ports closed may not have been heard.
		if c := x.receiver.Counts(t); a.exported > c.Services["web Server"] || a.exported == 0 {
			t.Errorf("%+v, but the receiver has %+v", a, c)
		}
	})
}

// TestEndpointSlow: spans pile up. They are dropped, and nothing else suffers.
func TestEndpointSlow(t *testing.T) {
	const total, slack = 30_000, 48 << 20
	byProtocol(t, []string{everything(), "queue_size: 200", "batch_size: 100"}, func(t *testing.T, x tracing, web *servers.GoServer) {
		x.receiver.Fail(t, harness.Fault{DelayMillis: 200})
		hello(t, web, 100)
		x.expectMetrics(t, web, 100)
		before := x.RSS(t)
		inParallel(t, 4, 100, func() error { return converse(web.Addr(), total/100) })
		x.expectMetrics(t, web, total+100)
		if grown := x.RSS(t) - before; grown > slack {
			t.Errorf("the exporter has grown by %d MB", grown>>20)
		}
		x.receiver.Fail(t, harness.Fault{})
		a := x.waitAccount(t, total+100)
		if a.dropped < total/2 || a.exported == 0 {
			t.Errorf("%+v, want most spans dropped and some exported", a)
		}
		if n := x.receiver.Counts(t).Services["web Server"]; n != a.exported {
			t.Errorf("%+v, but the receiver has %d", a, n)
		}
	})
}

// TestEndpointHangs: an endpoint that takes connections and never answers.
func TestEndpointHangs(t *testing.T) {
	byProtocol(t, []string{everything(), "timeout: 300ms"}, func(t *testing.T, x tracing, web *servers.GoServer) {
		x.receiver.Fail(t, harness.Fault{DelayMillis: 60_000, Requests: 1})
		hello(t, web, 20)
		x.expectMetrics(t, web, 20)
		harness.Eventually(t, "the exporter to give up a request", func() bool { return x.receiver.Counts(t).GivenUp == 1 })
		a := x.waitAccount(t, 20)
		if n := x.receiver.Counts(t).Services["web Server"]; n != a.exported {
			t.Errorf("%+v, but the receiver has %d", a, n)
		}
	})
}

// TestEndpointThrottles: who is told when to come back comes back then, and
// nothing is lost or sent twice.
func TestEndpointThrottles(t *testing.T) {
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			byProtocol(t, []string{everything(), "batch_timeout: 50ms"}, func(t *testing.T, x tracing, web *servers.GoServer) {
				x.receiver.Fail(t, harness.Fault{Status: status, RetryAfterSeconds: 1, Requests: 1})
				start := time.Now()
				hello(t, web, 20)
				x.expectMetrics(t, web, 20)
				x.receiver.WaitSpans(t, 20, harness.Of("web", "Server"))
				if took := time.Since(start); took < time.Second {
					t.Errorf("the exporter came back after %v, and was told to wait for 1 s", took)
				}
				a, c := x.waitAccount(t, 20), x.receiver.Counts(t)
				if a.exported != 20 || c.Refused != 1 || c.Duplicates != 0 {
					t.Errorf("%+v; the receiver has %+v; want 20 exported, and one refusal", a, c)
				}
			})
		})
	}
}

// TestEndpointRefuses: answers that say that it is no use to try again.
func TestEndpointRefuses(t *testing.T) {
	for _, status := range []int{http.StatusBadRequest, http.StatusForbidden, http.StatusInternalServerError} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			byProtocol(t, []string{everything(), "batch_timeout: 50ms"}, func(t *testing.T, x tracing, web *servers.GoServer) {
				x.receiver.Fail(t, harness.Fault{Status: status})
				hello(t, web, 20)
				x.expectMetrics(t, web, 20)
				a, c := x.waitAccount(t, 20), x.receiver.Counts(t)
				if a.failed != 20 || c.Spans != 0 || c.Requests > 20 {
					t.Errorf("%+v; the receiver has %+v; want all 20 failed, none sent again", a, c)
				}
				reasons := x.Scrape(t).Values("sonde_spans_failed_total", "reason", harness.Labels{})
				if len(reasons) == 0 {
					t.Error("sonde_spans_failed_total has no reason")
				}
			})
		})
	}
}

// TestPartialSuccess: the endpoint takes some spans of a batch only.
func TestPartialSuccess(t *testing.T) {
	byProtocol(t, []string{everything(), "batch_timeout: 200ms"}, func(t *testing.T, x tracing, web *servers.GoServer) {
		x.receiver.Fail(t, harness.Fault{Reject: 3})
		hello(t, web, 50)
		x.expectMetrics(t, web, 50)
		a, c := x.waitAccount(t, 50), x.receiver.Counts(t)
		if a.failed != c.Rejected || c.Rejected == 0 || a.exported != c.Services["web Server"] || c.Duplicates != 0 {
			t.Errorf("%+v; the receiver has %+v; want what it rejected failed, and the rest exported", a, c)
		}
	})
}

// TestLastSpans: what waits when Sonde is stopped is sent, unless there is nobody
// to take it; and Sonde ends in time.
func TestLastSpans(t *testing.T) {
	byProtocol(t, []string{everything(), "batch_timeout: 1m"}, func(t *testing.T, x tracing, web *servers.GoServer) {
		hello(t, web, 20)
		x.Eventually(t, "20 sampled spans", func(s harness.Snapshot) bool { return accountOf(s).sampled == 20 })
		if err := x.Stop(); err != nil {
			t.Fatal(err)
		}
		x.receiver.WaitSpans(t, 20, harness.Of("web", "Server"))
		wantWords(t, waitForLine(t, x.Exporter, "msg=stopped"), "level=INFO", `reason="terminated signal received"`,
			"spans_exported=20 spans_failed=0 spans_dropped=0")
	})
	for name, fault := range map[string]func(r *harness.Receiver){
		"nobody there":     func(r *harness.Receiver) { r.Down(t) },
		"nobody to answer": func(r *harness.Receiver) { r.Fail(t, harness.Fault{DelayMillis: 20_000}) },
	} {
		t.Run(name, func(t *testing.T) {
			web := servers.Go(t, programs(t).GoServer)
			x := traced(t, map[string]*servers.Process{"web": web.Process}, everything())
			fault(x.receiver)
			hello(t, web, 20)
			x.Eventually(t, "20 sampled spans", func(s harness.Snapshot) bool { return accountOf(s).sampled == 20 })
			if err := x.Stop(); err != nil {
				t.Error(err)
			}
			line := waitForLine(t, x.Exporter, "level=WARN", "msg=stopped")
			_, outcome, _ := strings.Cut(line, "spans_exported=")
			var exported, failed, dropped int
			if _, err := fmt.Sscanf(outcome, "%d spans_failed=%d spans_dropped=%d", &exported, &failed, &dropped); err != nil {
				t.Fatalf("%v in the line %s", err, line)
			}
			if exported != 0 || failed+dropped != 20 {
				t.Errorf("want 20 spans that failed or were dropped: %s", line)
			}
		})
	}
}

// TestSecondSignal ends Sonde at once, although spans wait for a receiver.
func TestSecondSignal(t *testing.T) {
	web := servers.Go(t, programs(t).GoServer)
	x := traced(t, map[string]*servers.Process{"web": web.Process}, everything())
	x.receiver.Fail(t, harness.Fault{DelayMillis: 20_000})
	hello(t, web, 20)
	x.Eventually(t, "20 sampled spans", func(s harness.Snapshot) bool { return accountOf(s).sampled == 20 })
	harness.Eventually(t, "the end", func() bool { return x.Signal(syscall.SIGTERM) != nil })
	if err := x.Stop(); err == nil || !strings.Contains(err.Error(), "signal: terminated") {
		t.Errorf("it ended with %v, want it to end by the second signal", err)
	}
}

// TestFaultsAreTold: an operator learns from the log that the endpoint fails, and
// the log is not flooded.
func TestFaultsAreTold(t *testing.T) {
	web := servers.Go(t, programs(t).GoServer)
	x := traced(t, map[string]*servers.Process{"web": web.Process}, everything(), "batch_timeout: 10ms")
	x.receiver.Fail(t, harness.Fault{Status: http.StatusBadRequest})
	quiet := len(strings.Split(x.Log(), "\n"))
	for range 20 {
		hello(t, web, 5)
		time.Sleep(20 * time.Millisecond)
	}
	x.waitAccount(t, 100)
	lines := strings.Split(x.Log(), "\n")[quiet-1:]
	if told := strings.Join(lines, "\n"); !strings.Contains(told, "400") || len(lines) > 10 {
		t.Errorf("%d lines for 20 failures, want one to ten with the status 400:\n%s", len(lines), told)
	}
}
