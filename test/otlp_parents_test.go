package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// frontPy is a threaded service that blocks in a call while it handles a request,
// as most Python services do. It knows nothing of traces, except that /pass hands
// on the header that it got, and /own writes one of its own.
const frontPy = `
import sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import Request, urlopen

port, upstream = int(sys.argv[1]), sys.argv[2]


def call(path, headers={}):
    with urlopen(Request("http://" + upstream + path, headers=headers)) as answer:
        return answer.read()


class Front(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        if self.path.startswith("/call"):
            call(self.path.replace("/call", "/called"))
        elif self.path == "/twice":
            call("/first")
            call("/second")
        elif self.path == "/pass":
            call("/passed", {"traceparent": self.headers["traceparent"]})
        elif self.path == "/own":
            call("/owned", {"traceparent": "00-%s-00000000000000aa-01" % self.headers["traceparent"].split("-")[1]})
        self.send_response(200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"ok\n")
        if self.path == "/after":
            time.sleep(0.05)
            call("/late")

    def log_message(self, *args):
        pass



ThreadingHTTPServer(("127.0.0.1", port), Front).serve_forever()
`

// chain is a caller's way through a front that calls a back.
type chain struct {
	tracing
	front, back *servers.Process
}

// newChain starts front and back, and an exporter that samples everything they do.
func newChain(t *testing.T) chain {
	t.Helper()
	back := servers.Go(t, programs(t).GoServer).Process
	script, port := filepath.Join(servers.Dir(t), "front.py"), servers.FreePort(t)
	servers.WriteFile(t, script, frontPy)
	front := servers.Start(t, "front.py", port, exec.Command(servers.Tool(t, "python3"), script, fmt.Sprint(port), back.Addr()))
	services := map[string]*servers.Process{"front": front, "back": back}
	return chain{tracing: traced(t, services, sampler("parentbased_always_on", "")), front: front, back: back}
}

// path finds the span of a kind with a path.
func (c chain) path(t *testing.T, service, kind, path string) harness.Span {
	t.Helper()
	return c.onlySpan(t, func(s harness.Span) bool {
		text := fmt.Sprint(s.Attributes["url.path"])
		if kind == "Client" {
			text = fmt.Sprint(s.Attributes["url.full"])
		}
		return s.Service() == service && s.Kind == kind && strings.HasSuffix(text, path)
	})
}

// TestCallsOfARequest: a call that a service makes while it handles a request is
// a child of that request, whatever else goes on at the time.
func TestCallsOfARequest(t *testing.T) {
	const requests = 40
	c := newChain(t)
	next := make(chan int, requests)
	for i := range requests {
		next <- i
	}
	inParallel(t, 8, requests, func() error {
		path := fmt.Sprintf("/call%d", <-next)
		return talkOnce(c.front.Addr(), request(path, "Connection: close"))
	})
	c.receiver.WaitSpans(t, requests, harness.Of("back", "Server"))
	c.receiver.WaitSpans(t, requests, harness.Of("front", "Client"))
	c.receiver.WaitSpans(t, requests, harness.Of("front", "Server"))
	for i := range requests {
		served := c.path(t, "front", "Server", fmt.Sprintf("/call%d", i))
		call := c.path(t, "front", "Client", fmt.Sprintf("/called%d", i))
		if call.ParentID != served.SpanID || call.TraceID != served.TraceID {
			t.Errorf("call %d has the parent %q in the trace %s, want %s in %s", i, call.ParentID, call.TraceID, served.SpanID, served.TraceID)
		}
		if call.Start < served.Start || call.End > served.End {
			t.Errorf("call %d is not within its request", i)
		}
		// Nobody has told the back of the trace.
		if s := c.path(t, "back", "Server", fmt.Sprintf("/called%d", i)); s.ParentID != "" {
			t.Errorf("the back's span %d has the parent %s, which it cannot know", i, s.ParentID)
		}
	}
}

// TestCallsBeyondRequests: two calls of one request, and calls of none.
func TestCallsBeyondRequests(t *testing.T) {
	c := newChain(t)
	conn := servers.Dial(t, c.front.Addr())
	talk(t, conn, request("/twice"))
	talk(t, conn, request("/after"))
	twice := c.path(t, "front", "Server", "/twice")
	for _, path := range []string{"/first", "/second"} {
		if s := c.path(t, "front", "Client", path); s.ParentID != twice.SpanID {
			t.Errorf("%s has the parent %q, want %s", path, s.ParentID, twice.SpanID)
		}
	}
	if s := c.path(t, "front", "Client", "/late"); s.ParentID != "" {
		t.Errorf("a call after the answer has the parent %s", s.ParentID)
	}
}

// TestPropagation: traces that the services themselves carry on.
func TestPropagation(t *testing.T) {
	const trace, root = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	incoming := "traceparent: 00-" + trace + "-" + root + "-01"
	for _, x := range []struct {
		name, path, called string
		// wire is the parent that the front wrote on its call.
		wire string
		// call is the id of the front's span; empty for one of Sonde's.
		call string
	}{
		{"the front hands on what it got", "/pass", "/passed", root, ""},
		{"the front has a span of its own", "/own", "/owned", "00000000000000aa", "00000000000000aa"},
	} {
		t.Run(x.name, func(t *testing.T) {
			c := newChain(t)
			talk(t, servers.Dial(t, c.front.Addr()), request(x.path, incoming))
			served, call, back := c.path(t, "front", "Server", x.path), c.path(t, "front", "Client", x.called), c.path(t, "back", "Server", x.called)
			for _, s := range []harness.Span{served, call, back} {
				if s.TraceID != trace {
					t.Errorf("%s %s is in the trace %s", s.Service(), s.Kind, s.TraceID)
				}
			}
			if served.ParentID != root || call.ParentID != served.SpanID || back.ParentID != x.wire {
				t.Errorf("the parents are %q, %q and %q, want %s, %s and %s",
					served.ParentID, call.ParentID, back.ParentID, root, served.SpanID, x.wire)
			}
			// The id of a span that the caller has already must not be used again.
			if x.call == "" && (call.SpanID == root || call.SpanID == served.SpanID) || x.call != "" && call.SpanID != x.call {
				t.Errorf("the id of the call is %s, want %q", call.SpanID, x.call)
			}
		})
	}
}

// TestProxyPassesOn: nginx hands on every header, so that the caller's span is the
// parent on both sides of it.
func TestProxyPassesOn(t *testing.T) {
	back := servers.Go(t, programs(t).GoServer)
	proxy := servers.StartNginx(t, servers.NginxOptions{Upstream: back.Addr()})
	x := traced(t, map[string]*servers.Process{"proxy": proxy.Process, "back": back.Process}, sampler("parentbased_always_off", ""))
	talk(t, servers.Dial(t, proxy.Addr()), request("/up/hello", "traceparent: "+traceparent(7, "01")))
	ids := map[string]bool{"00f067aa0ba902b7": true}
	for _, filter := range []harness.SpanFilter{harness.Of("proxy", "Server"), harness.Of("proxy", "Client"), harness.Of("back", "Server")} {
		s := x.onlySpan(t, filter)
		if s.TraceID != fmt.Sprintf("%016x%016x", 21, 7) || s.ParentID == "" {
			t.Errorf("%s %s has the parent %q in the trace %s", s.Service(), s.Kind, s.ParentID, s.TraceID)
		}
		if ids[s.SpanID] {
			t.Errorf("the id %s is used twice", s.SpanID)
		}
		ids[s.SpanID] = true
	}
}

// TestPairs: where the caller wrote a traceparent, its call and the request that
// came of it are in that trace; where it did not, nothing says so. In Go nobody
// knows for whom a call is made, so that the header may only have been handed on,
// and its id may be another's.
func TestPairs(t *testing.T) {
	s := newStage(t)
	r := receiver(t, harness.ReceiverOptions{})
	x := tracing{receiver: r, Exporter: exporter(t, harness.Options{
		Config: peersOnly(t) + tracesBy["http"](r, sampler("parentbased_always_on", "")),
	})}
	for name, headers := range map[string][]string{"told": {"traceparent: " + traceparent(7, "01")}, "not told": nil} {
		t.Run(name, func(t *testing.T) {
			r.Reset(t)
			listener := s.server.Listen(t)
			c := conversation{client: s.client.Dial(t, listener.Addr), server: listener.Accept(t)}
			play(t, c, []step{client(request("/x", headers...)), pause(20 * time.Millisecond), server(answer("ok"))})
			call, request := x.onlySpan(t, harness.Of("peer", "Client")), x.onlySpan(t, harness.Of("peer", "Server"))
			if headers == nil {
				if request.ParentID != "" || call.ParentID != "" {
					t.Errorf("the parents are %q and %q, want none", call.ParentID, request.ParentID)
				}
				return
			}
			if request.TraceID != call.TraceID || request.ParentID != call.ParentID || request.ParentID != "00f067aa0ba902b7" {
				t.Errorf("the request has the parent %s in the trace %s, the call %s in %s", request.ParentID, request.TraceID, call.ParentID, call.TraceID)
			}
			if call.Start > request.Start || call.Duration() < 20*time.Millisecond {
				t.Errorf("the call began %d ns after its request, and lasted %v", call.Start-request.Start, call.Duration())
			}
		})
	}
}
