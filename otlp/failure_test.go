package otlp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"golang.org/x/sys/unix"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"sonde_exporter/config"
)

func failureOf(t *testing.T, err error) *Failure {
	t.Helper()
	var failure *Failure
	if !errors.As(err, &failure) {
		t.Fatalf("error is %v, want a failure", err)
	}
	return failure
}

// silence is the URL of a server that takes connections and never says a word.
func silence(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return "http://" + listener.Addr().String()
}

// nobody is the URL of a port on which nobody listens.
func nobody(t *testing.T) string {
	t.Helper()
	// A socket that does not listen keeps away from its port who wants any, but not
	// who wants this one.
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(socket) })
	if err := unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(socket, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	address, err := unix.Getsockname(socket)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("http://127.0.0.1:%d", address.(*unix.SockaddrInet4).Port)
}

func always(code int, headers ...string) answer {
	return func(_ int, w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
		fmt.Fprint(w, "the <b>reason</b>\n")
	}
}

func TestHTTPFailures(t *testing.T) {
	tests := []struct {
		name    string
		reply   answer
		kind    Kind
		detail  string
		retried bool
	}{
		{"wrong credentials", always(401), Unauthorized, "401 Unauthorized: the <b>reason</b>", false},
		{"not allowed", always(403), Unauthorized, "403", false},
		{"wrong path", always(404), Other, "404", false},
		{"too large", always(413), Other, "413", false},
		{"broken", always(500), Other, "500", false},
		{"elsewhere", always(307, "Location", "/"), Other, "307", false},
		{"too many", always(429), Unavailable, "429", true},
		{"too many, for an hour", always(429, "Retry-After", "3600"), Unavailable, "429", false},
		{"overloaded", always(503), Unavailable, "503", true},
		{"bad gateway", always(502), Unavailable, "502", true},
		{"slow gateway", always(504), Timeout, "504", true},
		{"status of Google", func(_ int, w http.ResponseWriter, _ *http.Request) {
			body, _ := proto.Marshal(&statuspb.Status{Message: "no such tenant"})
			w.Header().Set("Content-Type", "application/x-protobuf")
			w.WriteHeader(http.StatusBadRequest)
			w.Write(body)
		}, Other, "400 Bad Request: no such tenant", false},
		{"hangs up", func(int, http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, Unavailable, "EOF", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := serveHTTP(t, nil, test.reply)
			_, err := newClient(t, targetOf(config.ProtocolHTTP, r.url), quick()).Upload(t.Context(), batchOf("a"), nil)
			failure := failureOf(t, err)
			if failure.Kind != test.kind || !strings.Contains(failure.Detail, test.detail) {
				t.Errorf("failure is %q: %s, want %q with %q", failure.Kind, failure, test.kind, test.detail)
			}
			if attempts, _ := r.seen(); attempts > 1 != test.retried {
				t.Errorf("%d attempts, want several to be %t", attempts, test.retried)
			}
		})
	}
}

func TestGRPCFailures(t *testing.T) {
	tests := []struct {
		code    codes.Code
		kind    Kind
		retried bool
	}{
		{codes.Unauthenticated, Unauthorized, false},
		{codes.PermissionDenied, Unauthorized, false},
		{codes.Unavailable, Unavailable, true},
		{codes.ResourceExhausted, Unavailable, false},
		{codes.InvalidArgument, Other, false},
		{codes.Unimplemented, Other, false},
		{codes.Internal, Other, false},
		{codes.DeadlineExceeded, Timeout, true},
	}
	for _, test := range tests {
		t.Run(test.code.String(), func(t *testing.T) {
			r := serveGRPC(t, nil, func(context.Context, int) (*coltracepb.ExportTraceServiceResponse, error) {
				return nil, status.Error(test.code, "the reason")
			})
			_, err := newClient(t, targetOf(config.ProtocolGRPC, r.url), quick()).Upload(t.Context(), batchOf("a"), nil)
			failure := failureOf(t, err)
			if failure.Kind != test.kind || !strings.Contains(failure.Detail, test.code.String()+": the reason") {
				t.Errorf("failure is %q: %s, want %q", failure.Kind, failure, test.kind)
			}
			if attempts, _ := r.seen(); attempts > 1 != test.retried {
				t.Errorf("%d attempts, want several to be %t", attempts, test.retried)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	for _, protocol := range protocols() {
		other := config.ProtocolHTTP
		if protocol == other {
			other = config.ProtocolGRPC
		}
		tests := []struct {
			name    string
			url     string
			timeout time.Duration
			want    []Kind
		}{
			{"nobody listens", nobody(t), 5 * time.Second, []Kind{Refused}},
			{"nobody answers", silence(t), 100 * time.Millisecond, []Kind{Timeout}},
			{"no such host", "http://none.invalid:4317", 100 * time.Millisecond, []Kind{Unavailable, Timeout}},
			{"another protocol", serve(t, other).url, 5 * time.Second, []Kind{Other}},
		}
		for _, test := range tests {
			t.Run(protocol+" "+test.name, func(t *testing.T) {
				target := targetOf(protocol, test.url)
				target.Timeout = test.timeout
				_, err := newClient(t, target, quick()).Upload(t.Context(), batchOf("a"), nil)
				failure := failureOf(t, err)
				if slices.Contains(test.want, failure.Kind) {
					return
				}
				t.Errorf("failure is %q: %s, want %q", failure.Kind, failure, test.want)
			})
		}
	}
}

// TestRecovery has a receiver that is busy at first.
func TestRecovery(t *testing.T) {
	const busy = 2
	receivers := map[string]*receiver{
		config.ProtocolHTTP: serveHTTP(t, nil, func(attempt int, w http.ResponseWriter, _ *http.Request) {
			if attempt <= busy {
				w.Header().Set("Retry-After", "0")
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}),
		config.ProtocolGRPC: serveGRPC(t, nil, func(_ context.Context, attempt int) (*coltracepb.ExportTraceServiceResponse, error) {
			if attempt > busy {
				return &coltracepb.ExportTraceServiceResponse{}, nil
			}
			s, err := status.New(codes.ResourceExhausted, "later").
				WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(time.Millisecond)})
			return nil, errors.Join(s.Err(), err)
		}),
	}
	for protocol, r := range receivers {
		t.Run(protocol, func(t *testing.T) {
			var told []Kind
			receipt, err := newClient(t, targetOf(protocol, r.url), patient()).
				Upload(t.Context(), batchOf("a"), func(failure *Failure) { told = append(told, failure.Kind) })
			if err != nil || receipt != (Receipt{}) {
				t.Fatalf("Upload() = %+v, %v", receipt, err)
			}
			if len(told) != busy || told[0] != Unavailable {
				t.Errorf("told of %q, want %d times %q", told, busy, Unavailable)
			}
		})
	}
}

// TestComesBack has a receiver that is started while an upload is tried.
func TestComesBack(t *testing.T) {
	address := strings.TrimPrefix(nobody(t), "http://")
	client := newClient(t, targetOf(config.ProtocolHTTP, "http://"+address), patient())
	started := make(chan error, 1)
	_, err := client.Upload(t.Context(), batchOf("a"), func(failure *Failure) {
		if failure.Kind != Refused || len(started) > 0 {
			return
		}
		listener, err := net.Listen("tcp", address)
		started <- err
		handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
		server := &http.Server{ReadHeaderTimeout: time.Second, Handler: handler}
		t.Cleanup(func() { server.Close() })
		go func() { _ = server.Serve(listener) }()
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-started; err != nil {
		t.Fatal(err)
	}
}

func TestPartialSuccess(t *testing.T) {
	tests := []struct {
		name    string
		partial *coltracepb.ExportTracePartialSuccess
		want    int64
		text    string
		warning string
	}{
		{"some", &coltracepb.ExportTracePartialSuccess{RejectedSpans: 2, ErrorMessage: "too\nold"}, 2, "too old", ""},
		{"some, without a reason", &coltracepb.ExportTracePartialSuccess{RejectedSpans: 1}, 1, "without saying why", ""},
		{"a warning", &coltracepb.ExportTracePartialSuccess{ErrorMessage: "you are near your limit"}, 0, "", "you are near your limit"},
		{"empty", &coltracepb.ExportTracePartialSuccess{}, 0, "", ""},
		{"nonsense", &coltracepb.ExportTracePartialSuccess{RejectedSpans: -5}, 0, "", ""},
	}
	for _, test := range tests {
		response := &coltracepb.ExportTraceServiceResponse{PartialSuccess: test.partial}
		inHTTP := func(contentType string, marshal func(proto.Message) ([]byte, error)) *receiver {
			return serveHTTP(t, nil, func(_ int, w http.ResponseWriter, _ *http.Request) {
				body, err := marshal(response)
				if err != nil {
					t.Error(err)
				}
				w.Header().Set("Content-Type", contentType)
				w.Write(body)
			})
		}
		targets := map[string]config.Target{
			"http": targetOf(config.ProtocolHTTP, inHTTP("application/x-protobuf", proto.Marshal).url),
			"json": targetOf(config.ProtocolHTTP, inHTTP("application/json; charset=utf-8", protojson.Marshal).url),
			"grpc": targetOf(config.ProtocolGRPC, serveGRPC(t, nil,
				func(context.Context, int) (*coltracepb.ExportTraceServiceResponse, error) { return response, nil }).url),
		}
		for protocol, target := range targets {
			t.Run(protocol+" "+test.name, func(t *testing.T) {
				receipt, err := newClient(t, target, quick()).Upload(t.Context(), batchOf("a", "b", "c"), nil)
				if err != nil {
					t.Fatal(err)
				}
				if receipt.Rejected != test.want || receipt.Warning != test.warning {
					t.Errorf("receipt is %+v", receipt)
				}
				if (receipt.Failure == nil) != (test.text == "") || (test.text != "" && receipt.Failure.Detail != test.text) {
					t.Errorf("failure is %v, want %q", receipt.Failure, test.text)
				}
			})
		}
	}
}

// TestUnreadableSuccess has a proxy that answers in its own way: the status says
// that the spans were taken.
func TestUnreadableSuccess(t *testing.T) {
	for _, contentType := range []string{"application/x-protobuf", "application/json", "text/html", ""} {
		r := serveHTTP(t, nil, always(200, "Content-Type", contentType))
		receipt, err := newClient(t, targetOf(config.ProtocolHTTP, r.url), quick()).Upload(t.Context(), batchOf("a"), nil)
		if err != nil || receipt != (Receipt{}) {
			t.Errorf("%q: Upload() = %+v, %v", contentType, receipt, err)
		}
		if attempts, _ := r.seen(); attempts != 1 {
			t.Errorf("%q: %d attempts", contentType, attempts)
		}
	}
}

// TestSecretsStaySecret has receivers that echo what they are sent.
func TestSecretsStaySecret(t *testing.T) {
	echo := func(_ int, w http.ResponseWriter, request *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_ = request.Header.Write(w)
		fmt.Fprint(w, "also hunter2, and \x00\xff"+strings.Repeat("long ", 1000))
	}
	r := serveHTTP(t, nil, echo)
	target := targetOf(config.ProtocolHTTP, strings.Replace(r.url, "http://", "http://user:inurl@", 1))
	target.Headers = config.Headers{"X-Token": "geheim", "X-Other": "Bearer abcdef"}
	target.BasicAuth = config.BasicAuth{Username: "me", Password: "hunter2"}
	_, err := newClient(t, target, quick()).Upload(t.Context(), batchOf("a"), nil)
	text := failureOf(t, err).Error()
	for _, secret := range []string{"geheim", "abcdef", "hunter2", "inurl", "bWU6aHVudGVyMg", "\x00", "\xff", "\n"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in: %s", secret, text)
		}
	}
	if len(text) > 600 || !strings.Contains(text, r.url+"/v1/traces refuses the credentials") {
		t.Errorf("text is %s", text)
	}
}

// TestRedirect has a receiver that sends its clients, and their secrets, away.
func TestRedirect(t *testing.T) {
	thief := serveHTTP(t, nil, nil)
	r := serveHTTP(t, nil, always(308, "Location", thief.url))
	target := targetOf(config.ProtocolHTTP, r.url)
	target.Headers = config.Headers{"X-Token": "geheim"}
	if _, err := newClient(t, target, quick()).Upload(t.Context(), batchOf("a"), nil); err == nil {
		t.Error("the redirect was followed")
	}
	if attempts, _ := thief.seen(); attempts != 0 {
		t.Error("another host was sent spans and headers")
	}
}
