package otlp

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip" // so that the server can read it
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"sonde_exporter/config"
)

// receiver takes spans by either protocol and remembers them.
type receiver struct {
	coltracepb.UnimplementedTraceServiceServer

	url string

	mu       sync.Mutex
	attempts int
	spans    []string
	headers  map[string][]string // of the last request
}

func (r *receiver) take(headers map[string][]string, request *coltracepb.ExportTraceServiceRequest) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempts++
	r.headers = headers
	for _, resource := range request.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				r.spans = append(r.spans, span.GetName())
			}
		}
	}
	return r.attempts
}

func (r *receiver) header(name string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, value := range append(r.headers[name], r.headers[http.CanonicalHeaderKey(name)]...) {
		return value
	}
	return ""
}

func (r *receiver) seen() (attempts int, spans []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.attempts, r.spans
}

// answer writes the answer to an attempt; the first is 1.
type answer func(attempt int, w http.ResponseWriter, request *http.Request)

// serveHTTP starts a receiver of OTLP/HTTP. A nil answer is an empty success.
func serveHTTP(t *testing.T, tlsConfig *tls.Config, reply answer) *receiver {
	t.Helper()
	r := &receiver{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		var body io.Reader = request.Body
		headers := map[string][]string(request.Header)
		if request.Header.Get("Content-Encoding") == "gzip" {
			unzipped, err := gzip.NewReader(body)
			if err != nil {
				t.Errorf("the body is not gzip: %s", err)
				return
			}
			body = unzipped
		}
		raw, err := io.ReadAll(body)
		var message coltracepb.ExportTraceServiceRequest
		if err != nil || proto.Unmarshal(raw, &message) != nil {
			t.Errorf("the body is no request of OTLP")
		}
		headers[":path"] = []string{request.URL.Path}
		attempt := r.take(headers, &message)
		if reply != nil {
			reply(attempt, w, request)
		}
	}))
	server.TLS = tlsConfig
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // failing handshakes are expected
	if tlsConfig != nil {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

// verdict decides about an attempt by gRPC; the first is 1.
type verdict func(ctx context.Context, attempt int) (*coltracepb.ExportTraceServiceResponse, error)

type grpcReceiver struct {
	coltracepb.UnimplementedTraceServiceServer
	*receiver
	decide verdict
}

func (g grpcReceiver) Export(ctx context.Context, request *coltracepb.ExportTraceServiceRequest) (*coltracepb.ExportTraceServiceResponse, error) {
	headers, _ := metadata.FromIncomingContext(ctx)
	attempt := g.take(headers, request)
	if g.decide != nil {
		return g.decide(ctx, attempt)
	}
	return &coltracepb.ExportTraceServiceResponse{}, nil
}

// serveGRPC starts a receiver of OTLP/gRPC. A nil verdict accepts all.
func serveGRPC(t *testing.T, tlsConfig *tls.Config, decide verdict) *receiver {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{url: "http://" + listener.Addr().String()}
	var options []grpc.ServerOption
	if tlsConfig != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(tlsConfig)))
		r.url = "https://" + listener.Addr().String()
	}
	server := grpc.NewServer(options...)
	coltracepb.RegisterTraceServiceServer(server, grpcReceiver{receiver: r, decide: decide})
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return r
}

// batchOf returns spans with these names.
func batchOf(names ...string) []*tracepb.ResourceSpans {
	var spans []*tracepb.Span
	for _, name := range names {
		spans = append(spans, &tracepb.Span{Name: name})
	}
	return []*tracepb.ResourceSpans{{ScopeSpans: []*tracepb.ScopeSpans{{Spans: spans}}}}
}

func newClient(t *testing.T, target config.Target, retry Retry) *TraceClient {
	t.Helper()
	client, err := NewTraceClient(target, "1.2.3", retry)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Errorf("close: %s", err)
		}
	})
	return client
}
