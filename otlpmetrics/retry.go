package otlpmetrics

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
)

// The waits between attempts, unless the endpoint asks for another.
const (
	firstWait   = time.Second
	longestWait = 30 * time.Second
)

// transientError is a failure that may pass: the endpoint is away or overloaded.
type transientError struct {
	cause error
	wait  time.Duration // what the endpoint asked for; 0: it did not say
}

func (t *transientError) Error() string { return t.cause.Error() }
func (t *transientError) Unwrap() error { return t.cause }

// send sends a request until it arrives, it fails for good, or the deadline
// of ctx is nearer than the next attempt.
func (e *Exporter) send(ctx context.Context, request *collectorpb.ExportMetricsServiceRequest) (rejection, error) {
	attempt, err := e.client.prepare(request)
	if err != nil {
		return rejection{}, err
	}
	waits := backoff.NewExponentialBackOff()
	waits.InitialInterval, waits.MaxInterval = firstWait, longestWait
	for {
		rejected, err := e.once(ctx, attempt)
		var transient *transientError
		if !errors.As(err, &transient) {
			return rejected, err
		}
		wait := waits.NextBackOff()
		if transient.wait > 0 {
			wait = transient.wait
		}
		if !sleep(ctx, wait) {
			return rejected, err
		}
	}
}

func (e *Exporter) once(ctx context.Context, attempt attempt) (rejection, error) {
	if e.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, e.timeout)
		defer cancel()
	}
	return attempt(ctx)
}

// sleep returns false, at once, if ctx ends before the time is over.
func sleep(ctx context.Context, wait time.Duration) bool {
	if deadline, set := ctx.Deadline(); set && time.Until(deadline) <= wait {
		return false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
