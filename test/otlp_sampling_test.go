package e2e

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// TestEverySpanIsAccountedFor: at ratio 1 and under full load, the spans that
// were exported, dropped and failed are the requests, no more and no less.
func TestEverySpanIsAccountedFor(t *testing.T) {
	const total = 40_000
	for protocol, config := range tracesBy {
		t.Run(protocol, func(t *testing.T) {
			web := servers.Go(t, programs(t).GoServer)
			services := map[string]*servers.Process{"web": web.Process}
			r := receiver(t, harness.ReceiverOptions{})
			x := tracing{receiver: r, Exporter: exporter(t, harness.Options{
				Config: selection(services) + config(r, sampler("traceidratio", "1"), "batch_timeout: 100ms"),
			})}
			sent := wrk(t, fmt.Sprintf(wrkQuota, total/2), "-t2", "-c32", "-d8s", "--timeout", "10s", web.URL("/hello")).requests
			if sent != total {
				t.Fatalf("this machine was too slow for the test: wrk has %d answers, want %d", sent, total)
			}
			x.WaitCount(t, harness.Server, harness.Labels{"server_port": web.PortLabel()}, total)
			a := x.waitAccount(t, total)
			t.Logf("%+v", a)
			if a.sampled != total || a.exported == 0 {
				t.Errorf("%+v, want %d spans sampled, and some exported", a, total)
			}
			if c := r.Counts(t); c.Services["web Server"] != a.exported || c.Duplicates != 0 {
				t.Errorf("the receiver has %+v, want %d spans of the server, each once", c, a.exported)
			}
		})
	}
}

// TestRatio: the share of requests that is sampled. A fair sampler misses the
// bounds, six standard deviations wide, once in 500 million runs.
func TestRatio(t *testing.T) {
	const total = 20_000
	web := servers.Go(t, programs(t).GoServer)
	for _, ratio := range []float64{0, 0.1, 0.5} {
		t.Run(fmt.Sprint(ratio), func(t *testing.T) {
			x := traced(t, map[string]*servers.Process{"web": web.Process}, sampler("traceidratio", fmt.Sprint(ratio)))
			inParallel(t, 4, 100, func() error { return converse(web.Addr(), total/100) })
			x.WaitCount(t, harness.Server, harness.Labels{"server_port": web.PortLabel()}, total)
			a := accountOf(x.Scrape(t))
			bound := 6 * math.Sqrt(total*ratio*(1-ratio))
			if math.Abs(float64(a.sampled)-total*ratio) > bound {
				t.Errorf("%d of %d requests are sampled, want %.0f ± %.0f", a.sampled, total, total*ratio, bound)
			}
			if a = x.waitAccount(t, a.sampled); a.exported != x.receiver.Counts(t).Services["web Server"] {
				t.Errorf("%+v, but the receiver has %+v", a, x.receiver.Counts(t))
			}
		})
	}
}

// TestRatioIsConsistent: two services that see the same trace id decide alike,
// or traces would have holes.
func TestRatioIsConsistent(t *testing.T) {
	const ids = 200
	first, second := servers.Go(t, programs(t).GoServer), servers.Go(t, programs(t).GoServer)
	x := traced(t, map[string]*servers.Process{"first": first.Process, "second": second.Process}, sampler("traceidratio", "0.5"))
	for _, server := range []*servers.GoServer{first, second} {
		conn := servers.Dial(t, server.Addr())
		for id := range ids {
			// Ids of real traces are random in all of their bits.
			talk(t, conn, request("/hello", "traceparent: "+traceparent(uint64(id+1)*0x9e3779b97f4a7c15, "00")))
		}
	}
	for _, server := range []*servers.GoServer{first, second} {
		x.WaitCount(t, harness.Server, harness.Labels{"server_port": server.PortLabel()}, ids)
	}
	a := x.waitAccount(t, accountOf(x.Scrape(t)).sampled)
	if a.exported != a.sampled {
		t.Fatalf("%+v, want all that was sampled to be exported", a)
	}
	services := map[string]int{}
	for _, span := range x.receiver.WaitSpans(t, a.exported, func(s harness.Span) bool { return s.Kind == "Server" }) {
		services[span.TraceID]++
	}
	if len(services) == 0 || len(services) == ids {
		t.Errorf("%d of %d traces are sampled: the ratio is 0.5", len(services), ids)
	}
	for id, n := range services {
		if n != 2 {
			t.Errorf("the trace %s has a span of one service only", id)
		}
	}
}

// traceparent is a header of version 00 with flags in hexadecimal.
func traceparent(id uint64, flags string) string {
	return fmt.Sprintf("00-%016x%016x-00f067aa0ba902b7-%s", id*3, id, flags)
}

// TestParentBased: which headers make a parent, and what it decides. One exporter
// samples what has no parent, the other does not.
func TestParentBased(t *testing.T) {
	const (
		trace      = "4bf92f3577b34da6a3ce929d0e0e4736"
		parent     = "00f067aa0ba902b7"
		sampled    = "00-" + trace + "-" + parent + "-01"
		notSampled = "00-" + trace + "-" + parent + "-00"
	)
	const yes, no, root = "yes", "no", "root"
	long := func(size int, header string) []string { return append(longHeaders(size), header) }
	cases := []struct {
		name    string
		headers []string
		want    string
	}{
		{"none", nil, root},
		{"sampled", []string{"traceparent: " + sampled}, yes},
		{"not sampled", []string{"traceparent: " + notSampled}, no},
		{"capitalised", []string{"Traceparent: " + sampled}, yes},
		{"upper case", []string{"TRACEPARENT: " + sampled}, yes},
		{"odd case", []string{"tRaCePaReNt: " + notSampled}, no},
		{"no space", []string{"traceparent:" + sampled}, yes},
		{"many spaces", []string{"traceparent: \t " + sampled + " \t"}, yes},
		{"after 500 bytes", long(500, "traceparent: "+sampled), yes},
		{"after 2 KiB", long(2<<10, "traceparent: "+sampled), yes},
		{"after 15 KiB", long(15<<10, "traceparent: "+notSampled), no},
		{"before 15 KiB", append([]string{"traceparent: " + sampled}, longHeaders(15<<10)...), yes},
		{"all flags", []string{"traceparent: 00-" + trace + "-" + parent + "-ff"}, yes},
		{"other flags", []string{"traceparent: 00-" + trace + "-" + parent + "-fe"}, no},
		{"later version", []string{"traceparent: cc-" + trace + "-" + parent + "-01-more"}, yes},
		{"forbidden version", []string{"traceparent: ff-" + trace + "-" + parent + "-01"}, root},
		{"more than version 00 has", []string{"traceparent: " + sampled + "-more"}, root},
		{"trace id of zeros", []string{"traceparent: 00-" + strings.Repeat("0", 32) + "-" + parent + "-01"}, root},
		{"parent id of zeros", []string{"traceparent: 00-" + trace + "-" + strings.Repeat("0", 16) + "-01"}, root},
		{"capital digits", []string{"traceparent: 00-" + strings.ToUpper(trace) + "-" + parent + "-01"}, root},
		{"no hexadecimal", []string{"traceparent: 00-" + strings.Repeat("g", 32) + "-" + parent + "-01"}, root},
		{"too short", []string{"traceparent: 00-" + trace + "-" + parent}, root},
		{"empty", []string{"traceparent:"}, root},
		{"another name", []string{"x-traceparent: " + sampled}, root},
		{"in a value", []string{"x-note: traceparent: " + sampled}, root},
	}
	web := servers.Go(t, programs(t).GoServer)
	services := map[string]*servers.Process{"web": web.Process}
	on, off := traced(t, services, sampler("parentbased_always_on", "")), traced(t, services, sampler("parentbased_always_off", ""))
	conn := servers.Dial(t, web.Addr())
	var forOn, forOff int
	for i, c := range cases {
		talk(t, conn, request(fmt.Sprintf("/case%d", i), c.headers...))
		if c.want != no {
			forOn++
		}
		if c.want == yes {
			forOff++
		}
	}
	spansOf := func(x tracing, want int) map[string]harness.Span {
		spans := map[string]harness.Span{}
		for _, s := range x.receiver.WaitSpans(t, want, harness.Of("web", "Server")) {
			spans[fmt.Sprint(s.Attributes["url.path"])] = s
		}
		return spans
	}
	withRoots, withoutRoots := spansOf(on, forOn), spansOf(off, forOff)
	for i, c := range cases {
		path := fmt.Sprintf("/case%d", i)
		s, isOn := withRoots[path]
		_, isOff := withoutRoots[path]
		if isOn != (c.want != no) || isOff != (c.want == yes) {
			t.Errorf("%s: there is a span: %t and, where roots are not sampled, %t; want %s", c.name, isOn, isOff, c.want)
			continue
		}
		switch {
		case c.want == yes && (s.TraceID != trace || s.ParentID != parent):
			t.Errorf("%s: the span is in the trace %s with the parent %s", c.name, s.TraceID, s.ParentID)
		// https://github.com/open-telemetry/opentelemetry-proto: bits 8 and 9 of
		// the flags say that the parent is known to be remote.
		case c.want == yes && s.Flags&0x301 != 0x301:
			t.Errorf("%s: the flags are %#x, want sampled and a remote parent", c.name, s.Flags)
		case c.want == root && (s.TraceID == trace || s.ParentID != ""):
			t.Errorf("%s: the span is in the trace %s with the parent %q, want a new trace", c.name, s.TraceID, s.ParentID)
		}
	}
}

// TestParentInPieces: the header is found wherever the segments end.
func TestParentInPieces(t *testing.T) {
	web := servers.Go(t, programs(t).GoServer)
	x := traced(t, map[string]*servers.Process{"web": web.Process}, sampler("parentbased_always_off", ""))
	whole := request("/pieces", "Accept: */*", "traceparent: "+traceparent(7, "01"), "X-After: y")
	sizes := []int{1, 3, 7, 16, 31, 60, 75, 90, 110}
	for _, size := range sizes {
		conn := servers.Dial(t, web.Addr())
		for rest := whole; len(rest) > size; {
			if _, err := conn.Write([]byte(rest[:size])); err != nil {
				t.Fatal(err)
			}
			if rest = rest[size:]; len(rest) <= size {
				talk(t, conn, rest)
			}
		}
	}
	for _, s := range x.receiver.WaitSpans(t, len(sizes), harness.Of("web", "Server")) {
		if s.ParentID != "00f067aa0ba902b7" {
			t.Errorf("the span has the parent %q", s.ParentID)
		}
	}
}

// TestParentInBody: a body is no head.
func TestParentInBody(t *testing.T) {
	web := servers.Go(t, programs(t).GoServer)
	x := traced(t, map[string]*servers.Process{"web": web.Process}, sampler("parentbased_always_off", ""))
	body := "traceparent: " + traceparent(7, "01") + "\r\n\r\n"
	conn := servers.Dial(t, web.Addr())
	talk(t, conn, sized("POST /body HTTP/1.1", body, "Host: test"))
	talk(t, conn, request("/after", "traceparent: "+traceparent(8, "01")))
	if s := x.onlySpan(t, harness.Of("web", "Server")); s.Attributes["url.path"] != "/after" {
		t.Errorf("the span is of %v, want that of /after", s.Attributes)
	}
}

// TestKeep: what is kept though it is not sampled.
func TestKeep(t *testing.T) {
	web := servers.Go(t, programs(t).GoServer)
	services := map[string]*servers.Process{"web": web.Process}
	for _, c := range []struct {
		name, setting string
		paths         []string
	}{
		{"errors", "keep_errors: true", []string{"/status/500", "/status/503"}},
		{"slow ones", "keep_slower_than: 150ms", []string{"/sleep/200"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := traced(t, services, sampler("always_off", ""), c.setting)
			conn := servers.Dial(t, web.Addr())
			start := time.Now()
			for _, path := range []string{"/hello", "/status/500", "/status/204", "/status/503", "/sleep/20", "/sleep/200"} {
				talk(t, conn, request(path))
			}
			if took := time.Since(start); took > 350*time.Millisecond {
				t.Logf("six requests took %v: a slow machine may find more of them slow", took)
			}
			kept := map[string]bool{}
			for _, s := range x.receiver.WaitSpans(t, len(c.paths), harness.Of("web", "Server")) {
				kept[fmt.Sprint(s.Attributes["url.path"])] = true
			}
			for _, path := range c.paths {
				if !kept[path] {
					t.Errorf("%s is not kept, but %v", path, kept)
				}
			}
		})
	}
}
