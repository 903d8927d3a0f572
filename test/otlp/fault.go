package main

import (
	"context"
	"net/http"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// fault is how the endpoint fails. The zero value is an endpoint that works.
type fault struct {
	// Delay is how long a request waits before anything else happens to it.
	DelayMillis int `json:"delay_ms"`
	// Status is the answer, as a status of HTTP; 0 takes the request in. Over
	// gRPC the answer is the code that OTLP has for it.
	Status int `json:"status"`
	// RetryAfter goes with Status: when the client may come back; 0 says nothing.
	RetryAfterSeconds int `json:"retry_after_s"`
	// Reject is how many spans, or data points, of each request are thrown away,
	// and reported as a partial success.
	Reject int `json:"reject"`
	// Requests is how many requests fail before the endpoint works again; 0 means
	// all of them.
	Requests int `json:"requests"`
}

// wait holds a request back. An error means that its client has given up.
func (f fault) wait(ctx context.Context) error {
	if f.DelayMillis == 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Duration(f.DelayMillis) * time.Millisecond):
		return nil
	}
}

// grpcStatus is the answer in terms of gRPC. OTLP: a client may only repeat what
// was answered with ResourceExhausted if there is a RetryInfo.
func (f fault) grpcStatus() (*status.Status, error) {
	s := status.New(grpcCode(f.Status), "the test wants it so")
	if f.RetryAfterSeconds == 0 {
		return s, nil
	}
	delay := time.Duration(f.RetryAfterSeconds) * time.Second
	return s.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(delay)})
}

func grpcCode(status int) codes.Code {
	switch status {
	case http.StatusBadRequest:
		return codes.InvalidArgument
	case http.StatusUnauthorized:
		return codes.Unauthenticated
	case http.StatusForbidden:
		return codes.PermissionDenied
	case http.StatusTooManyRequests:
		return codes.ResourceExhausted
	case http.StatusServiceUnavailable:
		return codes.Unavailable
	default:
		return codes.Internal
	}
}

// verdict travels with a request to the consumer, which takes it in.
type verdict struct {
	// reject is how many items the consumer has to throw away.
	reject int
	// rejected is how many it had.
	rejected int
}

// verdictKey is the key of the context for a *verdict.
type verdictKey struct{}

func withVerdict(ctx context.Context, v *verdict) context.Context {
	return context.WithValue(ctx, verdictKey{}, v)
}

// isRejected says whether the next item is to be thrown away, and notes it.
func (v *verdict) isRejected() bool {
	if v.rejected >= v.reject {
		return false
	}
	v.rejected++
	return true
}

func verdictOf(ctx context.Context) *verdict {
	if v, ok := ctx.Value(verdictKey{}).(*verdict); ok {
		return v
	}
	return &verdict{}
}
