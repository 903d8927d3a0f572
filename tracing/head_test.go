package tracing

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
)

func TestParseHead(t *testing.T) {
	tests := []struct {
		name, raw string
		want      head
	}{
		{"nothing", "", head{}},
		{"method only", "GET", head{method: "GET"}},
		{"lines end in LF", "GET / HTTP/1.1\nHost: a\n\n", head{method: "GET", target: "/", host: "a"}},
		{"empty lines first", "\r\n\r\nGET / HTTP/1.1\r\n\r\n", head{method: "GET", target: "/"}},
		{"any case, any space", "GET / HTTP/1.1\r\nhOST:\t a \r\n\r\n", head{method: "GET", target: "/", host: "a"}},
		{"the first host counts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", head{method: "GET", target: "/", host: "a"}},
		{"space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", head{method: "GET", target: "/"}},
		{"folded", "GET / HTTP/1.1\r\nX: a\r\n Host: b\r\n\r\n", head{method: "GET", target: "/"}},
		{"body", "POST / HTTP/1.1\r\n\r\nHost: a\r\n", head{method: "POST", target: "/"}},
		{"cut off", "GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: cur", head{method: "GET", target: "/", host: "a"}},
		{"trace state in two lines", "GET / HTTP/1.1\r\ntracestate: a=1\r\nTraceState: b=2\r\n\r\n",
			head{method: "GET", target: "/", traceState: "a=1,b=2"}},
		{"too many lines", "GET / HTTP/1.1\r\n" + strings.Repeat("A: b\r\n", maxHeaders) + "Host: a\r\n\r\n",
			head{method: "GET", target: "/"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := parseHead([]byte(test.raw), nil); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestTarget(t *testing.T) {
	tests := []struct {
		method, text string
		want         target
	}{
		{"GET", "/a/b?c=d?e#f", target{path: "/a/b", query: "c=d?e"}},
		{"GET", "/a#f?q", target{path: "/a"}},
		{"GET", "http://h:1/a?b", target{scheme: "http", authority: "h:1", path: "/a", query: "b"}},
		{"GET", "http://h?b", target{scheme: "http", authority: "h", query: "b"}},
		{"GET", "https://u@h", target{scheme: "https", user: redactedUser, authority: "h"}},
		{"GET", "ftp://u:p@h/a", target{path: "ftp://REDACTED:REDACTED@h/a"}},
		{"GET", "/fetch/http://u:p@h/a", target{path: "/fetch/http://REDACTED:REDACTED@h/a"}},
		{"GET", "/fetch/https:/u:p@h/a", target{path: "/fetch/https:/REDACTED:REDACTED@h/a"}},
		{"GET", "/fetch?u=http%3A%2F%2Fu%3Ap%40h", target{path: "/fetch", query: "u=http%3A%2F%2FREDACTED:REDACTED@h"}},
		{"GET", "/npm/@scope/name@1.0", target{path: "/npm/@scope/name@1.0"}},
		{"CONNECT", "h:443", target{authority: "h:443"}},
		{"OPTIONS", "*", target{path: "*"}},
	}
	for _, test := range tests {
		if got := parseTarget(test.method, test.text); got != test.want {
			t.Errorf("%s %s: got %+v, want %+v", test.method, test.text, got, test.want)
		}
	}
}

func TestSplitAuthority(t *testing.T) {
	tests := []struct {
		text, host string
		port       uint16
	}{
		{"Shop.Example", "shop.example", 0},
		{"shop:8080", "shop", 8080},
		{"[2001:db8::1]:80", "2001:db8::1", 80},
		{"[fe80::1%eth0]", "fe80::1", 0},
		{"shop:99999", "", 0},
		{"user:pass@shop", "", 0},
		{"a b", "", 0},
		{"a..b", "", 0},
		{strings.Repeat("a", maxHostName+1), "", 0},
		{"", "", 0},
	}
	for _, test := range tests {
		if host, port := splitAuthority(test.text); host != test.host || port != test.port {
			t.Errorf("splitAuthority(%q) = %q, %d, want %q, %d", test.text, host, port, test.host, test.port)
		}
	}
}

func TestTraceState(t *testing.T) {
	member := "k=" + strings.Repeat("v", 98) // 100 bytes
	tests := []struct{ name, headers, want string }{
		{"none", "", ""},
		{"two", "a=1, b@c=2", "a=1,b@c=2"},
		{"twice the same", "a=1,a=2", ""},
		{"key in upper case", "A=1", ""},
		{"hostile", "a=\x00\xff", ""},
		{"too many", strings.TrimSuffix(strings.Repeat("a=1,", 33), ","), ""},
		{"too long", "a" + member + ",b" + member + ",c" + member + ",d" + member + ",e" + member + ",f=1",
			"a" + member + ",b" + member + ",c" + member + ",d" + member + ",e" + member},
		{"one that is too long", "a=" + strings.Repeat("v", maxTraceState), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := traceState(test.headers); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// FuzzHead feeds a request with what no one would send. What becomes of it must
// be a message that every receiver can read.
func FuzzHead(f *testing.F) {
	f.Add([]byte(plainHead), uint8(1), false)
	f.Add([]byte("GET http://u:p@h/?a=%zz&&;= HTTP/1.1\r\nHost: [::\r\ntracestate: a=1,\r\n"), uint8(0), true)
	f.Add([]byte("CONNECT @ HTTP\n:\n:a\n"), uint8(6), true)
	o := options()
	o.Config.Query, o.Config.ScrubQuery, o.Config.RequestHeaders = true, []string{"a"}, []string{"x", ""}
	f.Fuzz(func(t *testing.T, raw []byte, method uint8, client bool) {
		span := served(string(raw))
		span.Method, span.Client, span.RemoteParent = method, client, true
		message := made(o, span)[0]
		if _, err := proto.Marshal(message); err != nil { // refuses text that is not UTF-8
			t.Error(err)
		}
		for key, value := range table(message.GetAttributes()) {
			if text, ok := value.(string); ok && (len(text) > (maxText+1)*maxHeaderValues || !utf8.ValidString(text)) {
				t.Errorf("%s is %q", key, text)
			}
		}
	})
}
