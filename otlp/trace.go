// Package otlp speaks to a receiver of OTLP, over HTTP or gRPC. It leaves
// encoding, compression and retries to the exporters of OpenTelemetry, and
// watches every attempt, because their errors do not tell all: which status the
// receiver gave, and how many spans of a batch it rejected.
package otlp

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"sonde_exporter/config"
)

// Retry says how an upload is tried again when the receiver cannot be reached or
// is too busy. A pause begins at Initial and grows to Max; the receiver may ask
// for a longer one. An upload ends for good after Elapsed.
type Retry struct {
	Initial, Max, Elapsed time.Duration
}

// DefaultRetry outlasts a restart of the receiver.
func DefaultRetry() Retry {
	return Retry{Initial: 500 * time.Millisecond, Max: 5 * time.Second, Elapsed: 30 * time.Second}
}

// TraceClient uploads spans to one target. It is safe for concurrent use.
type TraceClient struct {
	client   otlptrace.Client
	limit    time.Duration // of one upload with all its attempts
	endpoint endpoint
	release  func()
}

// NewTraceClient returns a client for the target, to which it tells the version of
// Sonde. It does not connect yet; the error says which part of the target cannot
// be used.
func NewTraceClient(target config.Target, version string, retry Retry) (*TraceClient, error) {
	address, err := url.Parse(target.Endpoint)
	if err != nil || address.Host == "" {
		// The text of the URL may hold a password, and so may the error.
		return nil, errors.New("the endpoint of OTLP is no URL such as http://localhost:4318: correct it")
	}
	c := &TraceClient{endpoint: newEndpoint(address, target), limit: retry.Elapsed + target.Timeout, release: func() {}}
	switch target.Protocol {
	case config.ProtocolGRPC:
		c.client, err = newGRPC(address, target, userAgent(version), retry)
	case config.ProtocolHTTP:
		c.client, c.release, err = newHTTP(address, target, userAgent(version), retry)
	default:
		return nil, fmt.Errorf("the protocol %q of OTLP is not known: write %q or %q",
			target.Protocol, config.ProtocolGRPC, config.ProtocolHTTP)
	}
	if err != nil {
		return nil, err
	}
	// Neither client connects here, so there is nothing to wait for.
	if err := c.client.Start(context.Background()); err != nil {
		return nil, fmt.Errorf("OTLP to %s cannot be set up: %w", c.endpoint, err)
	}
	return c, nil
}

// Agent begins the User-Agent of all that Sonde sends.
const Agent = "sonde_exporter"

// userAgent is how Sonde calls itself in requests.
func userAgent(version string) string { return Agent + "/" + version }

// Close ends all connections. Uploads that still run fail.
func (c *TraceClient) Close() error {
	defer c.release()
	// A context that has ended makes the gRPC client cancel uploads instead of
	// waiting for them; it then returns the error of that context.
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if err := c.client.Stop(ended); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("OTLP to %s does not end cleanly: %w", c.endpoint, err)
	}
	return nil
}

// Receipt is the answer to an upload that the receiver accepted.
type Receipt struct {
	Rejected int64    // spans that it did not take all the same (partial success)
	Failure  *Failure // why it did not; nil if it took them all
	Warning  string   // what it says about spans that it did take
}

// Upload sends spans, and sends them again while that may help. An error is a
// *Failure: the receiver has taken none of them, as far as can be known. For an
// attempt that failed and will be followed by another, failed is called.
func (c *TraceClient) Upload(ctx context.Context, spans []*tracepb.ResourceSpans, failed func(*Failure)) (Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	upload := &upload{endpoint: c.endpoint, failed: failed, isOver: func() bool { return ctx.Err() != nil }}
	err := c.client.UploadTraces(context.WithValue(ctx, uploadKey{}, upload), spans)
	if upload.accepted {
		// The error, if any, is a partial success, or an answer that cannot be read.
		return upload.receipt, nil
	}
	if upload.failure != nil {
		return Receipt{}, upload.failure
	}
	if err == nil {
		err = errors.New("no attempt was made")
	}
	return Receipt{}, c.endpoint.failure(kindOf(err), err)
}
