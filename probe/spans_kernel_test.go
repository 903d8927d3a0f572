package probe

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// spansOf waits until an instance has this many spans.
func (k kernel) spansOf(t *testing.T, instance uint32, count int) (all []Span) {
	t.Helper()
	eventually(t, func() string {
		k.recorder.mu.Lock()
		defer k.recorder.mu.Unlock()
		all = nil
		for _, span := range k.spans {
			if span.Service == instance {
				all = append(all, span)
			}
		}
		if len(all) != count {
			return fmt.Sprintf("%d spans, want %d", len(all), count)
		}
		return ""
	})
	return all
}

func (k kernel) applySpans(t *testing.T, settings SpanSettings) {
	t.Helper()
	settings.On = true
	if err := k.ApplySpans(settings); err != nil {
		t.Fatal(err)
	}
}

// traced is a request that comes with a traceparent header, at its very end.
func traced(name, value string) string {
	return "GET /hello HTTP/1.1\r\nHost: example\r\nX-Filler: " + strings.Repeat("f", 700) + "\r\n" + name + value + "\r\n\r\n"
}

const (
	parentTrace = "0af7651916cd43dd8448eb211c80319c"
	parentSpan  = "b7ad6b7169203331"
)

// TestSpans: every sampled request is one span, with its times, ends and head.
func TestSpans(t *testing.T) {
	for name, overTLS := range map[string]bool{"in the open": false, "inside TLS": true} {
		t.Run(name, func(t *testing.T) {
			k := openProbe(t)
			defer k.attachTLS(t)()
			k.applySpans(t, SpanSettings{Ratio: 1})
			service := start(t, part{TLS: overTLS, Script: answer(getHello, okHello)}, elsewhere)
			service.call(t, call{Address: service.address, TLS: overTLS, Times: 5, Script: exchange(getHello, okHello)})
			instance := k.instanceOf(t, service)
			servers, clients := 0, 0
			ids := map[[8]byte]bool{}
			for _, span := range k.spansOf(t, instance, 10) {
				ids[span.SpanID] = true
				if span.Client {
					clients++
				} else {
					servers++
				}
				checkSpan(t, span, service.address, overTLS)
			}
			if servers != 5 || clients != 5 || len(ids) != 10 {
				t.Errorf("%d server and %d client spans with %d ids, want 5, 5 and 10", servers, clients, len(ids))
			}
		})
	}
}

func checkSpan(t *testing.T, span Span, listener string, overTLS bool) {
	t.Helper()
	end := span.Local
	if span.Client {
		end = span.Peer
	}
	if end.String() != listener || span.Status != 200 || span.OverTLS != overTLS {
		t.Errorf("the span is of %s with status %d, over TLS: %t; want %s with 200, %t", end, span.Status, span.OverTLS, listener, overTLS)
	}
	if span.EndNs <= span.StartNs || (!span.Client && (span.ReadNs < span.StartNs || span.ReadNs > span.EndNs)) {
		t.Errorf("started %d, read %d, ended %d", span.StartNs, span.ReadNs, span.EndNs)
	}
	if string(span.Head) != getHello {
		t.Errorf("head %q, want %q", span.Head, getHello)
	}
}

// TestTraceparent: a header decides whose child a request is, and whether it is
// sampled, wherever it stands and however it is written.
func TestTraceparent(t *testing.T) {
	k := openProbe(t)
	k.applySpans(t, SpanSettings{Ratio: 0, ParentBased: true})
	sampled, unsampled := "00-"+parentTrace+"-"+parentSpan+"-01", "00-"+parentTrace+"-"+parentSpan+"-00"
	cases := []struct {
		name, header, value string
		pieces              bool
		want                int
	}{
		{"sampled", "traceparent: ", sampled, false, 1},
		{"any case", "TraceParent:", sampled + "  ", false, 1},
		{"in pieces", "TRACEPARENT: ", sampled, true, 1},
		{"not sampled", "traceparent: ", unsampled, false, 0},
		{"a later version", "traceparent: ", "cc-" + sampled[3:] + "-what-comes-then", false, 1},
		{"a forbidden version", "traceparent: ", "ff-" + sampled[3:], false, 0},
		{"no digits", "traceparent: ", strings.Replace(sampled, "a", "g", 1), false, 0},
		{"zeros", "traceparent: ", "00-" + strings.Repeat("0", 32) + "-" + parentSpan + "-01", false, 0},
		{"too short", "traceparent: ", sampled[:54], false, 0},
		{"another field", "traceparenx: ", sampled, false, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			request := traced(c.header, c.value)
			server := start(t, part{Script: answer(request, okHello)})
			first := send(request)
			if c.pieces {
				first = trickle(request)
			}
			callFromOutside(t, call{Address: server.address, Script: []step{first, receive(okHello)}})
			instance := k.instanceOf(t, server)
			k.expect(t, instance, tally{"server GET /hello 200": 1})
			for _, span := range k.spansOf(t, instance, c.want) {
				if hex.EncodeToString(span.TraceID[:]) != parentTrace || hex.EncodeToString(span.ParentID[:]) != parentSpan || !span.RemoteParent || !span.Sampled {
					t.Errorf("trace %x, parent %x, remote %t, sampled %t", span.TraceID, span.ParentID, span.RemoteParent, span.Sampled)
				}
				if len(span.Head) != 512 {
					t.Errorf("%d bytes of the head, want 512", len(span.Head))
				}
			}
		})
	}
}

// TestSampling: the ratio holds, and errors and slow requests can be kept besides.
func TestSampling(t *testing.T) {
	const requests = 400
	failed := "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
	t.Run("ratio", func(t *testing.T) {
		k := openProbe(t)
		k.applySpans(t, SpanSettings{Ratio: 0.5})
		server := start(t, part{Script: answer(getHello, okHello)})
		callFromOutside(t, call{Address: server.address, Times: requests, Script: exchange(getHello, okHello)})
		instance := k.instanceOf(t, server)
		k.expect(t, instance, tally{"server GET /hello 200": requests})
		time.Sleep(patience(50 * time.Millisecond)) // for the ring
		k.recorder.mu.Lock()
		defer k.recorder.mu.Unlock()
		// Six standard deviations to either side.
		if got := len(k.spans); got < requests/2-60 || got > requests/2+60 {
			t.Errorf("%d spans of %d requests at a ratio of 0.5", got, requests)
		}
		for _, span := range k.spans {
			// The upper half of all ids, by the last eight bytes, is not sampled.
			if span.TraceID[8]&0x80 != 0 {
				t.Errorf("trace id %x is sampled at a ratio of 0.5", span.TraceID)
			}
		}
	})
	t.Run("errors", func(t *testing.T) {
		k := openProbe(t)
		k.applySpans(t, SpanSettings{Ratio: 0, KeepErrors: true})
		server := start(t, part{Script: slices.Concat(answer(getHello, okHello), answer(getHello, failed))})
		callFromOutside(t, call{Address: server.address, Times: 3, Script: slices.Concat(exchange(getHello, okHello), exchange(getHello, failed))})
		for _, span := range k.spansOf(t, k.instanceOf(t, server), 3) {
			if span.Status != 500 {
				t.Errorf("a span with status %d", span.Status)
			}
		}
	})
	t.Run("slow", func(t *testing.T) {
		k := openProbe(t)
		slow := patience(50 * time.Millisecond)
		k.applySpans(t, SpanSettings{Ratio: 0, KeepSlower: slow})
		server := start(t, part{Script: []step{receive(getHello), send(okHello), receive(getHello), pause(2 * slow), send(okHello)}})
		callFromOutside(t, call{Address: server.address, Script: slices.Concat(exchange(getHello, okHello), exchange(getHello, okHello))})
		k.spansOf(t, k.instanceOf(t, server), 1)
	})
}
