package otlpmetrics

import (
	"context"
	"fmt"
	"net/url"
	"time"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"sonde_exporter/config"
	"sonde_exporter/otlp"
)

// grpcClient speaks OTLP/gRPC.
type grpcClient struct {
	connection *grpc.ClientConn
	service    collectorpb.MetricsServiceClient
	headers    metadata.MD
}

func newGRPCClient(target config.Target, endpoint *url.URL, agent string) (*grpcClient, error) {
	transport := insecure.NewCredentials()
	if !target.Insecure {
		tlsConfig, err := otlp.TLSConfig(target.TLS)
		if err != nil {
			return nil, err
		}
		transport = credentials.NewTLS(tlsConfig)
	}
	// By default, gRPC would wait up to two minutes before it connects again.
	reconnect := grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: target.Timeout}
	reconnect.Backoff.MaxDelay = longestWait
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(transport), grpc.WithConnectParams(reconnect), grpc.WithUserAgent(agent),
	}
	if target.Compression == config.CompressionGzip {
		options = append(options, grpc.WithDefaultCallOptions(grpc.UseCompressor(gzip.Name)))
	}
	connection, err := grpc.NewClient(endpoint.Host, options...)
	if err != nil {
		return nil, fmt.Errorf("the endpoint cannot be used with gRPC: %w", err)
	}
	return &grpcClient{
		connection: connection, service: collectorpb.NewMetricsServiceClient(connection), headers: metadata.New(otlp.Headers(target)),
	}, nil
}

func (c *grpcClient) prepare(request *collectorpb.ExportMetricsServiceRequest) (attempt, error) {
	return func(ctx context.Context) (rejection, error) {
		response, err := c.service.Export(metadata.NewOutgoingContext(ctx, c.headers), request)
		if err != nil {
			return rejection{}, failure(status.Convert(err))
		}
		return rejectionOf(response), nil
	}, nil
}

// failure is the error of a call that failed. Which codes may be tried again is a
// list in https://opentelemetry.io/docs/specs/otlp/#failures: an exhausted
// resource only if the server says when.
func failure(s *status.Status) error {
	err := fmt.Errorf("the call ends with %s: %s", s.Code(), s.Message())
	wait, told := retryInfo(s)
	switch s.Code() {
	case codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.OutOfRange, codes.Unavailable, codes.DataLoss:
		return &transientError{cause: err, wait: wait}
	case codes.ResourceExhausted:
		if told {
			return &transientError{cause: err, wait: wait}
		}
	}
	return err
}

func retryInfo(s *status.Status) (wait time.Duration, told bool) {
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return max(0, info.GetRetryDelay().AsDuration()), true
		}
	}
	return 0, false
}

func (c *grpcClient) Close() error { return c.connection.Close() }
