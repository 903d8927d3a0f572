package otlpmetrics

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"sonde_exporter/config"
)

// grpcReceiver is an OTLP/gRPC endpoint. It answers as the test wants, and by
// default with success.
type grpcReceiver struct {
	collectorpb.UnimplementedMetricsServiceServer
	answer  func(attempt int) (*collectorpb.ExportMetricsServiceResponse, error)
	address string

	mu          sync.Mutex
	requests    []*collectorpb.ExportMetricsServiceRequest
	headers     []metadata.MD
	compression string
}

func startGRPCReceiver(t testing.TB, answer func(attempt int) (*collectorpb.ExportMetricsServiceResponse, error), options ...grpc.ServerOption) *grpcReceiver {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &grpcReceiver{answer: answer, address: listener.Addr().String()}
	server := grpc.NewServer(append(options, grpc.StatsHandler(compressionOf{r}))...)
	collectorpb.RegisterMetricsServiceServer(server, r)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return r
}

func (r *grpcReceiver) Export(ctx context.Context, request *collectorpb.ExportMetricsServiceRequest) (*collectorpb.ExportMetricsServiceResponse, error) {
	headers, _ := metadata.FromIncomingContext(ctx)
	r.mu.Lock()
	r.requests = append(r.requests, request)
	r.headers = append(r.headers, headers)
	attempt := len(r.requests)
	r.mu.Unlock()
	if r.answer != nil {
		return r.answer(attempt)
	}
	return &collectorpb.ExportMetricsServiceResponse{}, nil
}

func (r *grpcReceiver) received() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.requests)
}

// compressionOf notes how calls are compressed, which their metadata does not show.
type compressionOf struct{ *grpcReceiver }

func (compressionOf) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

func (c compressionOf) HandleRPC(_ context.Context, event stats.RPCStats) {
	if header, ok := event.(*stats.InHeader); ok {
		c.mu.Lock()
		c.compression = header.Compression
		c.mu.Unlock()
	}
}

func (compressionOf) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (compressionOf) HandleConn(context.Context, stats.ConnStats)                       {}

func grpcTarget(address string) config.Target {
	return config.Target{
		Endpoint: "http://" + address, Protocol: config.ProtocolGRPC, Insecure: true,
		Compression: config.CompressionGzip, Timeout: 5 * time.Second,
	}
}

func TestGRPCRequest(t *testing.T) {
	for compression, encoding := range map[string]string{config.CompressionGzip: "gzip", config.CompressionNone: ""} {
		t.Run(compression, func(t *testing.T) {
			r := startGRPCReceiver(t, nil)
			target := grpcTarget(r.address)
			target.Compression = compression
			target.Headers = config.Headers{"X-Scope-OrgID": "team"}
			target.BasicAuth = config.BasicAuth{Username: "user", Password: "pass:word"}
			e, log := newExporter(t, target, time.Minute)
			e.exportWithin(t.Context(), 5*time.Second)
			wantCounts(t, e, 1, 0, 0)
			if r.received() != 1 || log.String() != "" {
				t.Fatalf("%d requests, want 1; log: %s", r.received(), log)
			}
			want := map[string]string{"x-scope-orgid": "team", "authorization": "Basic dXNlcjpwYXNzOndvcmQ="}
			for name, value := range want {
				if got := strings.Join(r.headers[0].Get(name), "|"); got != value {
					t.Errorf("%s is %q, want %q", name, got, value)
				}
			}
			if got := r.headers[0].Get("user-agent"); len(got) != 1 || !strings.HasPrefix(got[0], "sonde_exporter/1.2.3 ") {
				t.Errorf("user-agent is %q", got)
			}
			if r.compression != encoding {
				t.Errorf("compression is %q, want %q", r.compression, encoding)
			}
			if got := anyPoint(t, r.requests[0].ResourceMetrics[0].ScopeMetrics[0].Metrics[0]); got.GetCount() != 1 {
				t.Errorf("%d observations arrive, want 1", got.GetCount())
			}
		})
	}
}

func TestGRPCWithTLS(t *testing.T) {
	https := newReceiver(t, nil) // for its certificate
	https.StartTLS()
	server := credentials.NewTLS(&tls.Config{Certificates: https.TLS.Certificates})
	r := startGRPCReceiver(t, nil, grpc.Creds(server))
	target := grpcTarget(r.address)
	target.Endpoint, target.Insecure = "https://"+r.address, false

	e, log := newExporter(t, target, time.Minute)
	e.exportWithin(t.Context(), 500*time.Millisecond)
	wantCounts(t, e, 0, 1, 0)
	if !strings.Contains(log.String(), "unknown authority") {
		t.Errorf("the log does not say that the server is not trusted: %s", log)
	}
	target.TLS.CAFile = https.caFile(t)
	e, _ = newExporter(t, target, time.Minute)
	e.exportWithin(t.Context(), 5*time.Second)
	wantCounts(t, e, 1, 0, 0)
}

// retryIn is an error that asks to wait.
func retryIn(t testing.TB, code codes.Code, wait time.Duration) error {
	t.Helper()
	s, err := status.New(code, "busy").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(wait)})
	if err != nil {
		t.Fatal(err)
	}
	return s.Err()
}

func TestRetryInfoIsKept(t *testing.T) {
	var answered []time.Time
	busy := retryIn(t, codes.ResourceExhausted, 1700*time.Millisecond)
	r := startGRPCReceiver(t, func(attempt int) (*collectorpb.ExportMetricsServiceResponse, error) {
		answered = append(answered, time.Now())
		if attempt == 1 {
			return nil, busy
		}
		return &collectorpb.ExportMetricsServiceResponse{
			PartialSuccess: &collectorpb.ExportMetricsPartialSuccess{RejectedDataPoints: 1, ErrorMessage: "late"},
		}, nil
	})
	e, log := newExporter(t, grpcTarget(r.address), time.Minute)
	e.exportWithin(t.Context(), 10*time.Second)
	wantCounts(t, e, 1, 0, 1)
	if len(answered) != 2 || answered[1].Sub(answered[0]) < 1700*time.Millisecond {
		t.Errorf("attempts at %v, want two with 1.7 s between them; log: %s", answered, log)
	}
	if !strings.Contains(log.String(), "reason=late") {
		t.Errorf("the log lacks why a point was rejected: %s", log)
	}
}

func TestGRPCFailures(t *testing.T) {
	tests := []struct {
		err       error
		transient bool
		wait      time.Duration
	}{
		{status.Error(codes.Canceled, ""), true, 0},
		{status.Error(codes.DeadlineExceeded, ""), true, 0},
		{status.Error(codes.Aborted, ""), true, 0},
		{status.Error(codes.OutOfRange, ""), true, 0},
		{status.Error(codes.Unavailable, ""), true, 0},
		{status.Error(codes.DataLoss, ""), true, 0},
		{retryIn(t, codes.Unavailable, 3*time.Second), true, 3 * time.Second},
		{retryIn(t, codes.Unavailable, -time.Second), true, 0},
		{retryIn(t, codes.ResourceExhausted, 4*time.Second), true, 4 * time.Second},
		{status.Error(codes.ResourceExhausted, ""), false, 0},
		{retryIn(t, codes.PermissionDenied, time.Second), false, 0},
		{status.Error(codes.InvalidArgument, ""), false, 0},
		{status.Error(codes.Unauthenticated, ""), false, 0},
		{status.Error(codes.Unimplemented, ""), false, 0},
		{status.Error(codes.Internal, ""), false, 0},
	}
	for _, test := range tests {
		err := failure(status.Convert(test.err))
		wait := time.Duration(0)
		if transient, ok := err.(*transientError); ok {
			wait = transient.wait
		}
		if isTransient(err) != test.transient || wait != test.wait {
			t.Errorf("%v may pass: %t, after %s; want %t, %s", test.err, isTransient(err), wait, test.transient, test.wait)
		}
	}
	if err := failure(status.New(codes.Unauthenticated, "no token")); err.Error() != "the call ends with Unauthenticated: no token" {
		t.Errorf("error %q", err)
	}
}

// TestGRPCOutage: a new connection is tried with the next export.
func TestGRPCOutage(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	e, log := newExporter(t, grpcTarget(address), time.Minute)
	e.exportWithin(t.Context(), 300*time.Millisecond)
	wantCounts(t, e, 0, 1, 0)
	if !strings.Contains(log.String(), "Unavailable") {
		t.Errorf("the log lacks the reason: %s", log)
	}
	if listener, err = net.Listen("tcp", address); err != nil {
		t.Fatal(err)
	}
	r := &grpcReceiver{address: address}
	server := grpc.NewServer()
	collectorpb.RegisterMetricsServiceServer(server, r)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	e.exportWithin(t.Context(), 10*time.Second)
	wantCounts(t, e, 1, 1, 0)
	if got := anyPoint(t, r.requests[0].ResourceMetrics[0].ScopeMetrics[0].Metrics[0]).GetCount(); got != 2 {
		t.Errorf("%d observations arrive after a failed export, want both", got)
	}
}
