package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"

	colmetric "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/stats"
	"google.golang.org/protobuf/proto"
)

// The signals, as they are called in paths and methods.
const (
	traces  = "traces"
	metrics = "metrics"
)

func signalOf(pathOrMethod string) string {
	if strings.Contains(strings.ToLower(pathOrMethod), "metrics") {
		return metrics
	}
	return traces
}

// partialSuccess is the answer to a request of which some items were rejected.
func partialSuccess(signal string, rejected int) proto.Message {
	const why = "the test wants it so"
	if signal == metrics {
		return &colmetric.ExportMetricsServiceResponse{PartialSuccess: &colmetric.ExportMetricsPartialSuccess{
			RejectedDataPoints: int64(rejected), ErrorMessage: why,
		}}
	}
	return &coltrace.ExportTraceServiceResponse{PartialSuccess: &coltrace.ExportTracePartialSuccess{
		RejectedSpans: int64(rejected), ErrorMessage: why,
	}}
}

// GetHTTPHandler makes the gate a middleware of the receiver's HTTP server.
func (g *gate) GetHTTPHandler(context.Context) (func(context.Context, http.Handler) (http.Handler, error), error) {
	return func(_ context.Context, next http.Handler) (http.Handler, error) {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.serveHTTP(w, r, next) }), nil
	}, nil
}

func (g *gate) serveHTTP(w http.ResponseWriter, r *http.Request, next http.Handler) {
	seen := request{
		Signal: signalOf(r.URL.Path), Protocol: "http", Path: r.URL.Path,
		Compression: compressionOf(r.Context()), Headers: flatten(r.Header), Status: http.StatusOK,
	}
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		seen.Certificate = r.TLS.PeerCertificates[0].Subject.CommonName
	}
	fault := g.nextFault()
	// net/http only notices that a client has gone when it has read the body.
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = fault.wait(r.Context())
	}
	if err != nil {
		seen.Status = 0
		g.store.countRequest(seen)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if fault.Status != 0 {
		seen.Status = fault.Status
		g.store.countRequest(seen)
		if fault.RetryAfterSeconds > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(fault.RetryAfterSeconds))
		}
		w.WriteHeader(fault.Status)
		return
	}
	verdict := &verdict{reject: fault.Reject}
	answer := httptest.NewRecorder()
	next.ServeHTTP(answer, r.WithContext(withVerdict(r.Context(), verdict)))
	seen.Status = answer.Code
	g.store.countRequest(seen)
	body = answer.Body.Bytes()
	if verdict.rejected > 0 {
		if body, err = proto.Marshal(partialSuccess(seen.Signal, verdict.rejected)); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	w.Header().Set("Content-Type", answer.Header().Get("Content-Type"))
	w.WriteHeader(answer.Code)
	w.Write(body)
}

// GetGRPCServerOptions makes the gate a middleware of the receiver's gRPC server.
func (g *gate) GetGRPCServerOptions(context.Context) ([]grpc.ServerOption, error) {
	return []grpc.ServerOption{grpc.ChainUnaryInterceptor(g.intercept), grpc.StatsHandler(compressionSpy{})}, nil
}

func (g *gate) intercept(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	headers, _ := metadata.FromIncomingContext(ctx) // gRPC always has some
	seen := request{
		Signal: signalOf(info.FullMethod), Protocol: "grpc", Path: info.FullMethod,
		Compression: compressionOf(ctx), Headers: flatten(headers), Status: http.StatusOK,
	}
	if from, ok := peer.FromContext(ctx); ok {
		if tls, ok := from.AuthInfo.(credentials.TLSInfo); ok && len(tls.State.PeerCertificates) > 0 {
			seen.Certificate = tls.State.PeerCertificates[0].Subject.CommonName
		}
	}
	fault := g.nextFault()
	if err := fault.wait(ctx); err != nil {
		seen.Status = 0
		g.store.countRequest(seen)
		return nil, err
	}
	if fault.Status != 0 {
		seen.Status = fault.Status
		g.store.countRequest(seen)
		answer, err := fault.grpcStatus()
		if err != nil {
			return nil, fmt.Errorf("encode the answer: %w", err)
		}
		return nil, answer.Err()
	}
	verdict := &verdict{reject: fault.Reject}
	answer, err := next(withVerdict(ctx, verdict), req)
	if err != nil {
		seen.Status = http.StatusInternalServerError
	} else if verdict.rejected > 0 {
		// The receiver's own type of answer is internal to the collector, but
		// gRPC encodes any message of protobuf.
		answer = partialSuccess(seen.Signal, verdict.rejected)
	}
	g.store.countRequest(seen)
	return answer, err
}

// flatten joins the values of each header and writes its name in lower case.
func flatten(headers map[string][]string) map[string]string {
	flat := make(map[string]string, len(headers))
	for name, values := range headers {
		flat[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	return flat
}

// compressionSpy notes the compression of a request: gRPC tells it to nobody else.
type compressionSpy struct{}

// TagRPC makes room in the context of a request.
func (compressionSpy) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	return context.WithValue(ctx, compressionKey{}, new(string))
}

// HandleRPC sees the head of a request before any interceptor does.
func (compressionSpy) HandleRPC(ctx context.Context, event stats.RPCStats) {
	if head, ok := event.(*stats.InHeader); ok {
		if name, ok := ctx.Value(compressionKey{}).(*string); ok {
			*name = head.Compression
		}
	}
}

// TagConn has nothing to say about connections.
func (compressionSpy) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn has nothing to do with connections.
func (compressionSpy) HandleConn(context.Context, stats.ConnStats) {}
