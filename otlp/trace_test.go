package otlp

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"sonde_exporter/config"
)

// quick keeps tests short.
func quick() Retry {
	return Retry{Initial: 10 * time.Millisecond, Max: 20 * time.Millisecond, Elapsed: 300 * time.Millisecond}
}

// patient is for receivers that recover.
func patient() Retry {
	return Retry{Initial: 10 * time.Millisecond, Max: 20 * time.Millisecond, Elapsed: 10 * time.Second}
}

func targetOf(protocol, url string) config.Target {
	if protocol == config.ProtocolHTTP {
		url += "/v1/traces"
	}
	return config.Target{
		Endpoint: url, Protocol: protocol, Insecure: strings.HasPrefix(url, "http:"),
		Compression: config.CompressionNone, Timeout: 5 * time.Second,
	}
}

func protocols() []string { return []string{config.ProtocolGRPC, config.ProtocolHTTP} }

func TestSpansArrive(t *testing.T) {
	tests := []struct {
		name    string
		adapt   func(*config.Target)
		headers map[string]string // that the receiver gets
	}{
		{"plain", func(*config.Target) {}, map[string]string{"User-Agent": "sonde_exporter/1.2.3", "Authorization": "", "Content-Encoding": "", "grpc-encoding": ""}},
		{"gzip", func(t *config.Target) { t.Compression = config.CompressionGzip }, nil},
		{"basic auth", func(t *config.Target) { t.BasicAuth = config.BasicAuth{Username: "me", Password: "pass:word"} },
			map[string]string{"Authorization": "Basic bWU6cGFzczp3b3Jk"}},
		{"headers", func(t *config.Target) { t.Headers = config.Headers{"X-Scope-OrgID": "7", "authorization": "Bearer b"} },
			map[string]string{"X-Scope-OrgID": "7", "Authorization": "Bearer b"}},
	}
	for _, protocol := range protocols() {
		for _, test := range tests {
			t.Run(protocol+" "+test.name, func(t *testing.T) {
				r := serve(t, protocol)
				target := targetOf(protocol, r.url)
				test.adapt(&target)
				receipt, err := newClient(t, target, quick()).Upload(t.Context(), batchOf("a", "b"), nil)
				if err != nil || receipt != (Receipt{}) {
					t.Fatalf("Upload() = %+v, %v", receipt, err)
				}
				if _, spans := r.seen(); !slices.Equal(spans, []string{"a", "b"}) {
					t.Errorf("spans %q arrived", spans)
				}
				for name, want := range test.headers {
					if got := r.header(name) + r.header(strings.ToLower(name)); !strings.HasPrefix(got, want) || (want == "") != (got == "") {
						t.Errorf("header %s is %q, want %q", name, got, want)
					}
				}
				if path := r.header(":path"); protocol == config.ProtocolHTTP && path != "/v1/traces" {
					t.Errorf("path is %q", path)
				}
			})
		}
	}
}

func serve(t *testing.T, protocol string) *receiver {
	t.Helper()
	if protocol == config.ProtocolGRPC {
		return serveGRPC(t, nil, nil)
	}
	return serveHTTP(t, nil, nil)
}

func TestCompression(t *testing.T) {
	r := serveHTTP(t, nil, nil)
	target := targetOf(config.ProtocolHTTP, r.url)
	target.Compression = config.CompressionGzip
	if _, err := newClient(t, target, quick()).Upload(t.Context(), batchOf("a"), nil); err != nil {
		t.Fatal(err)
	}
	if got := r.header("Content-Encoding"); got != "gzip" {
		t.Errorf("Content-Encoding is %q", got)
	}
}

// TestClientCertificates has a receiver that lets nobody in without one.
func TestClientCertificates(t *testing.T) {
	a := newAuthority(t)
	a.issue("client")
	full := config.ClientTLS{CAFile: a.path("ca.pem"), CertFile: a.path("client.pem"), KeyFile: a.path("client.key")}
	anonymous, distrustful, misled := full, full, full
	anonymous.CertFile, anonymous.KeyFile = "", ""
	distrustful.CAFile = ""
	misled.ServerName = "elsewhere"
	careless := distrustful
	careless.InsecureSkipVerify = true
	tests := []struct {
		name string
		tls  config.ClientTLS
		ok   bool
	}{
		{"both sides prove themselves", full, true},
		{"no client certificate", anonymous, false},
		{"the authority is not known", distrustful, false},
		{"the name is another", misled, false},
		{"nothing is verified", careless, true},
	}
	for _, protocol := range protocols() {
		for _, test := range tests {
			t.Run(protocol+" "+test.name, func(t *testing.T) {
				r := serveTLS(t, protocol, a)
				target := targetOf(protocol, r.url)
				target.TLS = test.tls
				_, err := newClient(t, target, quick()).Upload(t.Context(), batchOf("a"), nil)
				if (err == nil) != test.ok {
					t.Fatalf("Upload() = %v", err)
				}
				if test.ok {
					return
				}
				// With TLS 1.3 a client is told that its certificate is missing when it
				// has begun to write, which may fail first.
				failure := failureOf(t, err)
				cutOff := failure.Kind == Unavailable && test.tls.CertFile == ""
				if told := failure.Kind == Other && strings.Contains(err.Error(), "client certificate"); !told && !cutOff {
					t.Errorf("failure is %q: %s", failure.Kind, failure)
				}
			})
		}
	}
}

func serveTLS(t *testing.T, protocol string, a *authority) *receiver {
	t.Helper()
	if protocol == config.ProtocolGRPC {
		return serveGRPC(t, a.server(), nil)
	}
	return serveHTTP(t, a.server(), nil)
}

// TestEnvironment has variables that the configuration has overruled.
func TestEnvironment(t *testing.T) {
	a := newAuthority(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "https://127.0.0.1:1/")
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "X-From=environment")
	t.Setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
	t.Setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", a.path("ca.pem"))
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
	for _, protocol := range protocols() {
		t.Run(protocol, func(t *testing.T) {
			r := serve(t, protocol)
			if _, err := newClient(t, targetOf(protocol, r.url), quick()).Upload(t.Context(), batchOf("a"), nil); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"X-From", "x-from", "Content-Encoding", "grpc-encoding"} {
				if got := r.header(name); got != "" && got != "identity" {
					t.Errorf("%s is %q", name, got)
				}
			}
		})
	}
}

func TestUnusableTargets(t *testing.T) {
	tests := []struct {
		name, want string
		target     config.Target
	}{
		{"no host", "no URL", config.Target{Endpoint: "localhost:4318", Protocol: config.ProtocolHTTP}},
		{"no URL", "no URL", config.Target{Endpoint: "http://me:secret@host:port", Protocol: config.ProtocolHTTP}},
		{"protocol", `"http/json"`, config.Target{Endpoint: "http://localhost", Protocol: "http/json"}},
		{"file", "none.pem", config.Target{
			Endpoint: "https://localhost", Protocol: config.ProtocolHTTP, TLS: config.ClientTLS{CAFile: "none.pem"},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := NewTraceClient(test.target, "1.2.3", quick())
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("NewTraceClient() = %v, want %q in it", err, test.want)
			}
		})
	}
}

func TestCloseEndsUploads(t *testing.T) {
	for _, protocol := range protocols() {
		t.Run(protocol, func(t *testing.T) {
			target := targetOf(protocol, silence(t))
			client, err := NewTraceClient(target, "1.2.3", quick())
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() {
				_, err := client.Upload(context.Background(), batchOf("a"), nil)
				ended <- err
			}()
			time.Sleep(50 * time.Millisecond)
			if err := client.Close(); err != nil {
				t.Errorf("Close() = %s", err)
			}
			select {
			case err := <-ended:
				failureOf(t, err)
			case <-time.After(3 * time.Second):
				t.Error("the upload goes on")
			}
		})
	}
}
