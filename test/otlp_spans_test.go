package e2e

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// secret is what no span may show.
const secret = "swordfish"

// TestServerSpan: the span of an ordinary request, by
// https://opentelemetry.io/docs/specs/semconv/http/http-spans/.
func TestServerSpan(t *testing.T) {
	web := servers.Go(t, programs(t).GoServer)
	r := receiver(t, harness.ReceiverOptions{})
	x := tracing{receiver: r, Exporter: exporter(t, harness.Options{
		Config: selection(map[string]*servers.Process{"web": web.Process}) + tracesBy["http"](r, everything()) +
			"routes:\n  patterns: [\"/users/{id}\"]\n",
	})}
	before := time.Now()
	talk(t, servers.Dial(t, web.Addr()), head("GET /users/alice?token="+secret+" HTTP/1.1", "Host: "+web.Addr(),
		"Authorization: Bearer "+secret, "Cookie: session="+secret, "X-Api-Key: "+secret, "User-Agent: "+secret, "tracestate: a=1,b=2",
		"traceparent: "+traceparent(7, "01")))
	after := time.Now()
	s := x.onlySpan(t, harness.Of("web", "Server"))
	if s.Name != "GET /users/{id}" || s.Status != "Unset" || s.TraceState != "a=1,b=2" || s.Scope == "" {
		t.Errorf("the span is %+v", s)
	}
	expectAttributes(t, s.Attributes, map[string]any{
		"http.request.method":       "GET",
		"http.response.status_code": 200.0,
		"http.route":                "/users/{id}",
		"url.path":                  "/users/alice",
		"url.scheme":                "http",
		"url.query":                 nil,
		"url.full":                  nil,
		"server.address":            "127.0.0.1",
		"server.port":               float64(web.Port),
		"client.address":            "127.0.0.1",
		"network.protocol.version":  "1.1",
		"error.type":                nil,
	})
	if text := fmt.Sprintf("%+v", s); strings.Contains(text, secret) {
		t.Errorf("the span tells the secret: %s", text)
	}
	// The kernel's clock and the wall clock are not read at the same moment.
	const slack = 10 * time.Millisecond
	if start, end := time.Unix(0, int64(s.Start)), time.Unix(0, int64(s.End)); start.Before(before.Add(-slack)) || end.After(after.Add(slack)) || !start.Before(end) {
		t.Errorf("the span lasts from %v to %v, the request did from %v to %v", start, end, before, after)
	}
}

// TestClientSpan: the same for a call.
func TestClientSpan(t *testing.T) {
	web, caller := servers.Go(t, programs(t).GoServer), servers.StartPeer(t, programs(t).Peer)
	r := receiver(t, harness.ReceiverOptions{})
	x := tracing{receiver: r, Exporter: exporter(t, harness.Options{
		Config: peersOnly(t) + tracesBy["http"](r, everything()),
	})}
	caller.Fetch(t, servers.Fetch{URL: strings.Replace(web.URL("/status/404?token="+secret), "http://", "http://user:"+secret+"@", 1), Requests: 1, Connections: 1})
	s := x.onlySpan(t, harness.Of("peer", "Client"))
	if s.Status != "Error" {
		t.Errorf("the status is %s: to a client, 404 is an error", s.Status)
	}
	expectAttributes(t, s.Attributes, map[string]any{
		"http.request.method":       "GET",
		"http.response.status_code": 404.0,
		"error.type":                "404",
		"server.address":            "127.0.0.1",
		"server.port":               float64(web.Port),
		"url.full":                  web.URL("/status/404"),
		"network.protocol.version":  "1.1",
		"http.route":                nil,
	})
	if s.Attributes["peer.service"] == nil {
		t.Errorf("there is no peer.service, which service graphs need: %v", s.Attributes)
	}
	if text := fmt.Sprintf("%+v", s); strings.Contains(text, secret) {
		t.Errorf("the span tells the secret: %s", text)
	}
}

// TestSpanStatus: what is an error to whom, and names without a route.
func TestSpanStatus(t *testing.T) {
	s := newStage(t)
	listener := s.server.Listen(t)
	r := receiver(t, harness.ReceiverOptions{})
	x := tracing{receiver: r, Exporter: exporter(t, harness.Options{
		Config: peersOnly(t) + tracesBy["http"](r, everything()),
	})}
	for _, c := range []struct {
		name           string
		steps          []step
		spanName       string
		server, client string
		attributes     map[string]any
		serverError    any
		clientError    any
	}{
		{
			"answered with 200", []step{client(request("/a")), server(answer("ok"))}, "GET /a", "Unset", "Unset",
			map[string]any{"http.request.method": "GET", "http.request.method_original": nil}, nil, nil,
		},
		{"answered with 404", []step{client(request("/b")), server(sized("HTTP/1.1 404 Not Found", ""))}, "GET /b", "Unset", "Error", nil, nil, "404"},
		{"answered with 500", []step{client(request("/c")), server(sized("HTTP/1.1 500 Oops", ""))}, "GET /c", "Error", "Error", nil, "500", "500"},
		{
			"an unknown method", []step{client(head("PROPFIND /d HTTP/1.1", "Host: test")), server(answer("ok"))}, "HTTP /d", "Unset", "Unset",
			map[string]any{"http.request.method": "_OTHER", "http.request.method_original": "PROPFIND"}, nil, nil,
		},
		{
			"not answered", []step{client(request("/e")), serverCloses}, "GET /e", "Error", "Error",
			map[string]any{"http.response.status_code": nil}, "connection_closed", "connection_closed",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r.Reset(t)
			play(t, conversation{client: s.client.Dial(t, listener.Addr), server: listener.Accept(t)}, c.steps)
			for kind, want := range map[string]struct {
				status    string
				errorType any
			}{"Server": {c.server, c.serverError}, "Client": {c.client, c.clientError}} {
				span := x.onlySpan(t, harness.Of("peer", kind))
				if span.Status != want.status || kind == "Server" && span.Name != c.spanName {
					t.Errorf("%s: the span %q has the status %s, want %q and %s", kind, span.Name, span.Status, c.spanName, want.status)
				}
				expectAttributes(t, span.Attributes, c.attributes)
				expectAttributes(t, span.Attributes, map[string]any{"error.type": want.errorType})
			}
		})
	}
}

// TestQueryAndHeaders: what an operator may ask for.
func TestQueryAndHeaders(t *testing.T) {
	web := servers.Go(t, programs(t).GoServer)
	x := traced(t, map[string]*servers.Process{"web": web.Process}, everything(),
		"query: true", "scrub_query: [token]", "request_headers: [X-Tenant]")
	talk(t, servers.Dial(t, web.Addr()), request("/hello?token="+secret+"&page=2", "X-TENANT: acme", "X-Other: "+secret))
	s := x.onlySpan(t, harness.Of("web", "Server"))
	expectAttributes(t, s.Attributes, map[string]any{
		"url.query":                    "token=REDACTED&page=2",
		"http.request.header.x-tenant": []any{"acme"},
		"http.request.header.x-other":  nil,
	})
	if text := fmt.Sprintf("%+v", s); strings.Contains(text, secret) {
		t.Errorf("the span tells the secret: %s", text)
	}
}

// TestHostileHead: bytes that are no text do not make an export fail.
func TestHostileHead(t *testing.T) {
	web := servers.Go(t, programs(t).GoServer)
	x := traced(t, map[string]*servers.Process{"web": web.Process}, everything(), "query: true", "request_headers: [X-Tenant]")
	conn := servers.Dial(t, web.Addr())
	talk(t, conn, request("/%ff%00?q=%ff", "X-Tenant: \xff\xfe"))
	talk(t, conn, request("/"+strings.Repeat("long/", 2000), "X-Tenant: "+strings.Repeat("x", 8000)))
	for _, s := range x.receiver.WaitSpans(t, 2, harness.Of("web", "Server")) {
		for name, value := range s.Attributes {
			if text := fmt.Sprint(value); strings.ToValidUTF8(text, "") != text || len(text) > 8<<10 {
				t.Errorf("%s is %.40q, of %d bytes", name, text, len(text))
			}
		}
	}
	if a := x.waitAccount(t, 2); a.exported != 2 {
		t.Errorf("%+v, want both exported", a)
	}
}

// TestSpanResource: what is told about the service.
func TestSpanResource(t *testing.T) {
	port := servers.FreePort(t)
	env := []string{"OTEL_SERVICE_NAME=checkout", "OTEL_RESOURCE_ATTRIBUTES=service.namespace=shop,deployment.environment.name=staging,service.version=1.2"}
	cmd := servers.NewCommand(programs(t).GoServer, env, "-addr", fmt.Sprintf("127.0.0.1:%d", port))
	web := servers.Start(t, "goserver", port, cmd)
	r := receiver(t, harness.ReceiverOptions{})
	x := tracing{receiver: r, Exporter: exporter(t, harness.Options{
		Config: fmt.Sprintf("open_port: %d\n", port) + tracesBy["http"](r, everything()),
		Env:    []string{"OTEL_RESOURCE_ATTRIBUTES=k8s.cluster.name=one"},
	})}
	talk(t, servers.Dial(t, web.Addr()), request("/hello"))
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	s := x.onlySpan(t, harness.Of("checkout", "Server"))
	expectAttributes(t, s.Resource, map[string]any{
		"service.namespace":           "shop",
		"service.version":             "1.2",
		"deployment.environment.name": "staging",
		"k8s.cluster.name":            "one",
		"host.name":                   host,
		"process.pid":                 float64(web.PID),
		"telemetry.sdk.language":      "go",
	})
	for _, name := range []string{"service.instance.id", "telemetry.distro.name", "telemetry.sdk.name"} {
		if s.Resource[name] == nil {
			t.Errorf("the resource has no %s: %v", name, s.Resource)
		}
	}
}

// TestQueueTime: a request that waits for its server has a span for the wait and
// one for the work, as with Beyla.
func TestQueueTime(t *testing.T) {
	const wait = 200 * time.Millisecond
	s := newStage(t)
	listener := s.server.Listen(t)
	r := receiver(t, harness.ReceiverOptions{})
	x := tracing{receiver: r, Exporter: exporter(t, harness.Options{
		Config: peersOnly(t) + tracesBy["http"](r, everything()),
	})}
	c := conversation{client: s.client.Dial(t, listener.Addr), server: listener.Accept(t)}
	c.client.Write(t, request("/x"))
	time.Sleep(wait)
	c.server.Read(t, len(request("/x")))
	time.Sleep(wait)
	server(answer("ok"))(t, c)
	whole := x.onlySpan(t, harness.Of("peer", "Server"))
	for _, name := range []string{"in queue", "processing"} {
		part := x.onlySpan(t, func(s harness.Span) bool { return s.Kind == "Internal" && s.Name == name })
		if part.ParentID != whole.SpanID || part.TraceID != whole.TraceID {
			t.Errorf("%q is no child of the request", name)
		}
		if d := part.Duration(); d < wait || d > whole.Duration()-wait {
			t.Errorf("%q lasts %v of %v, want at least %v and less than the rest", name, d, whole.Duration(), wait)
		}
	}
	if a := x.waitAccount(t, 2); a.exported != 2 {
		t.Errorf("%+v, want the server's and the client's span exported; parts do not count", a)
	}
}

// TestOwnExports: that Sonde sends spans makes no spans, although the endpoint is
// a service of this host.
func TestOwnExports(t *testing.T) {
	web := servers.Go(t, programs(t).GoServer)
	r := receiver(t, harness.ReceiverOptions{})
	x := tracing{receiver: r, Exporter: exporter(t, harness.Options{
		Config: selection(map[string]*servers.Process{"web": web.Process, "otlp": r.Process}) +
			tracesBy["http"](r, everything(), "batch_timeout: 100ms"),
	})}
	talk(t, servers.Dial(t, web.Addr()), request("/hello"))
	x.receiver.WaitSpans(t, 1, harness.Of("web", "Server"))
	time.Sleep(time.Second)
	for _, s := range r.Spans(t) {
		if s.Service() == "otlp" {
			t.Fatalf("an export has made a span: %+v", s)
		}
	}
	if c := r.Counts(t); c.Requests > 2 {
		t.Errorf("%d exports for one request", c.Requests)
	}
	// It is a service all the same, for others.
	resp, err := http.Get(r.HTTPURL() + "/v1/traces")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	x.receiver.WaitSpans(t, 1, harness.Of("otlp", "Server"))
}
