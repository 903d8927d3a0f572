package otlp

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"syscall"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"sonde_exporter/config"
)

// newGRPC returns a client for OTLP/gRPC. As in newHTTP, every option is set.
func newGRPC(address *url.URL, target config.Target, agent string, retry Retry) (otlptrace.Client, error) {
	transport := insecure.NewCredentials()
	if !target.Insecure {
		tlsConfig, err := TLSConfig(target.TLS)
		if err != nil {
			return nil, err
		}
		transport = credentials.NewTLS(tlsConfig)
	}
	dial := []grpc.DialOption{
		grpc.WithUserAgent(agent),
		grpc.WithUnaryInterceptor(watch(target.Timeout)),
		grpc.WithConnectParams(connectParams(retry)),
	}
	if target.Compression != config.CompressionGzip {
		// After the exporter's own option, which may come from the environment.
		dial = append(dial, grpc.WithDefaultCallOptions(grpc.UseCompressor("identity")))
	}
	options := []otlptracegrpc.Option{
		otlptracegrpc.WithEndpoint(hostPort(address)),
		otlptracegrpc.WithHeaders(Headers(target)),
		otlptracegrpc.WithTLSCredentials(transport),
		// The exporter's timeout spans all attempts; each has its own in watch.
		otlptracegrpc.WithTimeout(0),
		otlptracegrpc.WithDialOption(dial...),
		otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{
			Enabled: true, InitialInterval: retry.Initial, MaxInterval: retry.Max, MaxElapsedTime: retry.Elapsed,
		}),
	}
	if target.Compression == config.CompressionGzip {
		options = append(options, otlptracegrpc.WithCompressor("gzip"))
	}
	return otlptracegrpc.NewClient(options...), nil
}

// connectParams make gRPC look for a receiver that was gone as often as uploads
// are tried again; its own back-off grows to two minutes.
func connectParams(retry Retry) grpc.ConnectParams {
	params := grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: 10 * time.Second}
	params.Backoff.BaseDelay = retry.Initial
	params.Backoff.MaxDelay = retry.Max
	return params
}

// hostPort is where gRPC connects. A URL without a port means the usual one of
// its scheme, while gRPC itself would always take 443.
func hostPort(address *url.URL) string {
	if address.Port() != "" {
		return address.Host
	}
	if address.Scheme == "http" {
		return net.JoinHostPort(address.Hostname(), "80")
	}
	return net.JoinHostPort(address.Hostname(), "443")
}

// watch notes what becomes of every attempt, and bounds its time.
func watch(timeout time.Duration) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, request, reply any, connection *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
		ctx, cancel := withTimeout(ctx, timeout)
		defer cancel()
		upload := uploadOf(ctx)
		upload.begin()
		err := invoke(ctx, method, request, reply, connection, options...)
		if err != nil {
			upload.fail(kindOfCode(err), errorOf(err))
			return err
		}
		if answer, ok := reply.(*coltracepb.ExportTraceServiceResponse); ok {
			upload.accept(answer.GetPartialSuccess().GetRejectedSpans(), answer.GetPartialSuccess().GetErrorMessage())
		}
		return nil
	}
}

// errorOf is what gRPC says, in the words of a person.
func errorOf(err error) error {
	s := status.Convert(err)
	return errors.New(s.Code().String() + ": " + s.Message())
}

func kindOfCode(err error) Kind {
	s := status.Convert(err)
	switch s.Code() {
	case codes.Unauthenticated, codes.PermissionDenied:
		return Unauthorized
	case codes.DeadlineExceeded, codes.Canceled:
		return Timeout
	case codes.ResourceExhausted, codes.Aborted:
		return Unavailable
	case codes.Unavailable:
		// gRPC keeps only the text of what happened below it.
		switch {
		case strings.Contains(s.Message(), syscall.ECONNREFUSED.Error()):
			return Refused
		case isTLS(err), strings.Contains(s.Message(), "HTTP/1.1 header"):
			return Other
		}
		return Unavailable
	default:
		return Other
	}
}
