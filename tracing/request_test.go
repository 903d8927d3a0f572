package tracing

import (
	"maps"
	"net/netip"
	"strings"
	"testing"
	"unicode/utf8"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"sonde_exporter/bpf"
	"sonde_exporter/probe"
)

type attributesOf map[string]any

// with returns a copy with some values changed; nil removes one.
func (a attributesOf) with(changes attributesOf) attributesOf {
	changed := maps.Clone(a)
	for key, value := range changes {
		if value == nil {
			delete(changed, key)
			continue
		}
		changed[key] = value
	}
	return changed
}

func serverAttributes() attributesOf {
	return attributesOf{
		"http.request.method": "GET", "http.route": "/users/{id}", "http.response.status_code": int64(200),
		"url.scheme": "http", "url.path": "/users/7", "server.address": "shop.example", "server.port": int64(8080),
		"client.address": "10.0.0.2", "network.peer.address": "10.0.0.2", "network.peer.port": int64(40000),
		"network.protocol.version": "1.1",
	}
}

func clientAttributes() attributesOf {
	return attributesOf{
		"http.request.method": "GET", "url.template": "/users/{id}", "http.response.status_code": int64(200),
		"url.full": "http://shop.example:8080/users/7", "server.address": "shop.example", "server.port": int64(8080),
		"network.peer.address": "10.0.0.1", "network.peer.port": int64(8080), "network.protocol.version": "1.1",
		"peer.service": "shop.example",
	}
}

const plainHead = "GET /users/7?name=x HTTP/1.1\r\nHost: Shop.Example:8080\r\nUser-Agent: curl/8\r\nCookie: secret\r\n\r\n"

func TestServer(t *testing.T) {
	tests := []struct {
		name   string
		head   string
		change func(*probe.Span)
		as     string
		failed bool
		want   attributesOf // what differs from serverAttributes
	}{
		{"plain", plainHead, nil, "GET /users/{id}", false, nil},
		{"inside TLS, HTTP/1.0", plainHead, func(s *probe.Span) { s.OverTLS, s.Version = true, 0 }, "GET /users/{id}", false,
			attributesOf{"url.scheme": "https", "network.protocol.version": "1.0"}},
		{"not found", plainHead, func(s *probe.Span) { s.Status = 404 }, "GET /users/{id}", false,
			attributesOf{"http.response.status_code": int64(404)}},
		{"error", plainHead, func(s *probe.Span) { s.Status = 503 }, "GET /users/{id}", true,
			attributesOf{"http.response.status_code": int64(503), "error.type": "503"}},
		{"no answer", plainHead, func(s *probe.Span) {
			s.Status, s.Failure = 0, uint8(bpf.SondeFailureFAILURE_RESET)
		}, "GET /users/{id}", true, attributesOf{"http.response.status_code": nil, "error.type": "connection_reset"}},
		{"broken answer", plainHead, func(s *probe.Span) { s.Failure = uint8(bpf.SondeFailureFAILURE_TRUNCATED) },
			"GET /users/{id}", true, attributesOf{"error.type": "response_truncated"}},
		{"route not known", plainHead, func(s *probe.Span) { s.Operation = 0 }, "GET", false, attributesOf{"http.route": nil}},
		{"overflow", plainHead, func(s *probe.Span) { s.Operation = overflowing }, "GET", false, attributesOf{"http.route": nil}},
		{"method not known", strings.Replace(plainHead, "GET", "BREW", 1), func(s *probe.Span) { s.Method = 0 },
			"HTTP /users/{id}", false,
			attributesOf{"http.request.method": "_OTHER", "http.request.method_original": "BREW"}},
		{"no host, no agent", "GET /users/7 HTTP/1.0\r\n\r\n", nil, "GET /users/{id}", false,
			attributesOf{"server.address": "10.0.0.1"}},
		{"hostile host", "GET /users/7 HTTP/1.1\r\nHost: <script>\r\n\r\n", nil, "GET /users/{id}", false,
			attributesOf{"server.address": "10.0.0.1"}},
		{"IPv6", "GET /users/7 HTTP/1.1\r\nHost: [2001:DB8::1]:80\r\n\r\n", func(s *probe.Span) {
			s.Peer = netip.MustParseAddrPort("[::ffff:10.0.0.9]:1")
		}, "GET /users/{id}", false, attributesOf{
			"server.address": "2001:db8::1", "client.address": "10.0.0.9",
			"network.peer.address": "10.0.0.9", "network.peer.port": int64(1),
		}},
		{"cut off in the path", "GET /users/7", nil, "GET /users/{id}", false,
			attributesOf{"server.address": "10.0.0.1"}},
		{"cut off in a header", "GET /users/7 HTTP/1.1\r\nHost: shop.exa", nil, "GET /users/{id}", false,
			attributesOf{"server.address": "10.0.0.1"}},
		{"no head, no addresses", "", func(s *probe.Span) { s.Local, s.Peer = netip.AddrPort{}, netip.AddrPort{} },
			"GET /users/{id}", false, attributesOf{
				"server.address": nil, "server.port": nil, "client.address": nil, "network.peer.address": nil,
				"network.peer.port": nil, "url.path": nil,
			}},
		{"hostile bytes", "GET /users/7\xff\x00 HTTP/1.1\r\nUser-Agent: \x1b[31m\r\n\r\n", nil, "GET /users/{id}", false,
			attributesOf{"url.path": "/users/7\uFFFD\uFFFD", "server.address": "10.0.0.1"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			span := served(test.head)
			if test.change != nil {
				test.change(&span)
			}
			got := made(options(), span)[0]
			check(t, got, tracepb.Span_SPAN_KIND_SERVER, test.as, test.failed, serverAttributes().with(test.want))
		})
	}
}

func TestClient(t *testing.T) {
	tests := []struct {
		name   string
		head   string
		change func(*probe.Span)
		failed bool
		want   attributesOf // what differs from clientAttributes
	}{
		{"plain", plainHead, nil, false, nil},
		{"not found", plainHead, func(s *probe.Span) { s.Status = 404 }, true,
			attributesOf{"http.response.status_code": int64(404), "error.type": "404"}},
		{"usual port", "GET /users/7 HTTP/1.1\r\nHost: shop.example\r\n\r\n", func(s *probe.Span) {
			s.OverTLS, s.Peer = true, netip.MustParseAddrPort("10.0.0.1:443")
		}, false, attributesOf{
			"url.full": "https://shop.example/users/7", "server.port": int64(443), "network.peer.port": int64(443),
		}},
		{"port of the connection", "GET /users/7 HTTP/1.1\r\nHost: shop.example\r\n\r\n", nil, false, nil},
		{"address only", "GET /users/7 HTTP/1.1\r\n\r\n", nil, false, attributesOf{
			"url.full": "http://10.0.0.1:8080/users/7", "server.address": "10.0.0.1", "peer.service": "10.0.0.1",
		}},
		{"IPv6", "GET /users/7 HTTP/1.1\r\nHost: [::1]:9\r\n\r\n", nil, false, attributesOf{
			"url.full": "http://[::1]:9/users/7", "server.address": "::1", "server.port": int64(9), "peer.service": "::1",
		}},
		{"by a proxy, with credentials", "GET HTTPS://me:geheim@Bank.example/users/7 HTTP/1.1\r\nHost: other\r\n\r\n", nil, false,
			attributesOf{
				"url.full":       "https://REDACTED:REDACTED@bank.example/users/7",
				"server.address": "bank.example", "server.port": int64(443), "peer.service": "bank.example",
			}},
		{"tunnel", "CONNECT me:geheim@bank.example:444 HTTP/1.1\r\n\r\n", func(s *probe.Span) {
			s.Method, s.Operation = uint8(bpf.SondeMethodMETHOD_CONNECT), userByID
		}, false, attributesOf{
			"http.request.method": "CONNECT", "url.full": "http://REDACTED:REDACTED@bank.example:444",
			"server.address": "bank.example", "server.port": int64(444), "peer.service": "bank.example",
		}},
		{"asterisk", "OPTIONS * HTTP/1.1\r\nHost: shop.example:8080\r\n\r\n", func(s *probe.Span) {
			s.Method = uint8(bpf.SondeMethodMETHOD_OPTIONS)
		}, false, attributesOf{"http.request.method": "OPTIONS", "url.full": "http://shop.example:8080"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			span := called(test.head)
			if test.change != nil {
				test.change(&span)
			}
			got := made(options(), span)[0]
			want := clientAttributes().with(test.want)
			check(t, got, tracepb.Span_SPAN_KIND_CLIENT, want["http.request.method"].(string)+" /users/{id}", test.failed, want)
		})
	}
}

func check(t *testing.T, span *tracepb.Span, kind tracepb.Span_SpanKind, name string, failed bool, want attributesOf) {
	t.Helper()
	if span.GetKind() != kind || span.GetName() != name {
		t.Errorf("span is %s %q, want %s %q", span.GetKind(), span.GetName(), kind, name)
	}
	if got := span.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR; got != failed {
		t.Errorf("status is %s", span.GetStatus())
	}
	compare(t, table(span.GetAttributes()), want)
}

func TestQueryAndHeadersAsConfigured(t *testing.T) {
	head := "GET /a?Token=geheim&x=1;%73ig=geheim&token HTTP/1.1\r\nHost: h\r\nX-Tenant: a\r\nx-tenant: b\r\nCookie: geheim\r\n\r\n"
	tests := []struct {
		name           string
		query          bool
		headers        []string
		wantQuery      any
		wantFull       string
		wantTenant     any
		wantAttributes int
	}{
		{"by default", false, nil, nil, "http://h:8080/a", nil, 0},
		{"query", true, nil, "Token=REDACTED&x=1&%73ig=REDACTED&token", "http://h:8080/a?Token=REDACTED&x=1&%73ig=REDACTED&token", nil, 1},
		{"header", false, []string{"X-Tenant", "x-tenant", "x-none"}, nil, "http://h:8080/a", "a|b", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := options()
			o.Config.Query, o.Config.RequestHeaders = test.query, test.headers
			o.Config.ScrubQuery = []string{"sig", "TOKEN"}
			server, client := table(made(o, served(head))[0].GetAttributes()), table(made(o, called(head))[0].GetAttributes())
			if got := server["url.query"]; got != test.wantQuery {
				t.Errorf("url.query is %q, want %q", got, test.wantQuery)
			}
			if got := client["url.full"]; got != test.wantFull {
				t.Errorf("url.full is %q, want %q", got, test.wantFull)
			}
			for _, span := range []map[string]any{server, client} {
				if got := span["http.request.header.x-tenant"]; got != test.wantTenant {
					t.Errorf("header is %q, want %q", got, test.wantTenant)
				}
				for key, value := range span {
					if text, ok := value.(string); ok && strings.Contains(text, "geheim") {
						t.Errorf("%s tells a secret: %q", key, text)
					}
				}
			}
		})
	}
}

// TestCaps has a sender that writes as much as it can.
func TestCaps(t *testing.T) {
	long := strings.Repeat("é\xff", 5000)
	o := options()
	o.Config.Query, o.Config.RequestHeaders = true, []string{"x-a"}
	head := long + " /" + long + "?" + long + " HTTP/1.1\r\nUser-Agent: " + long + "\r\n" + strings.Repeat("X-A: "+long+"\r\n", 200) + "\r\n"
	for _, span := range []probe.Span{served(head), called(head)} {
		span.Method = 0
		for _, attribute := range made(o, span)[0].GetAttributes() {
			value := attribute.GetValue()
			texts := []string{value.GetStringValue()}
			for _, text := range value.GetArrayValue().GetValues() {
				texts = append(texts, text.GetStringValue())
			}
			if len(texts) > 1+maxHeaderValues {
				t.Errorf("%s has %d values", attribute.GetKey(), len(texts))
			}
			for _, text := range texts {
				if len(text) > maxText || !utf8.ValidString(text) {
					t.Errorf("%s has %d bytes, valid: %t", attribute.GetKey(), len(text), utf8.ValidString(text))
				}
			}
		}
	}
}
