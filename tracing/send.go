package tracing

import (
	"context"
	"errors"
	"time"

	"sonde_exporter/otlp"
	"sonde_exporter/probe"
)

// send uploads batches until there are no more. Uploads end with the context that
// is theirs; after that, batches are only counted.
func (t *Tracer) send(ctx, uploads context.Context) {
	for batch := range t.batches {
		if uploads.Err() != nil {
			t.counts.drop(droppedShutdown, uint64(len(batch)))
			continue
		}
		if !t.upload(uploads, batch) {
			t.rest(ctx)
		}
	}
}

// upload sends one batch, and counts each of its spans. It is false if the
// receiver gave no answer or a bad one.
func (t *Tracer) upload(ctx context.Context, spans []probe.Span) bool {
	batch := t.builder.build(spans)
	t.counts.drop(droppedUnknownService, batch.unknown)
	t.counts.drop(droppedIgnoredRoute, batch.ignored)
	if batch.requests == 0 {
		return true
	}
	receipt, err := t.options.Client.Upload(ctx, batch.resources, t.health.attemptFailed)
	if err != nil {
		kind := otlp.Other
		var failure *otlp.Failure
		if errors.As(err, &failure) {
			kind = failure.Kind
		}
		t.counts.fail(kind, batch.requests)
		t.health.failed(err, batch.requests)
		return false
	}
	rejected := batch.requestsOf(receipt.Rejected)
	t.counts.fail(otlp.Rejected, rejected)
	t.counts.exported.Add(batch.requests - rejected)
	if rejected > 0 {
		t.health.failed(receipt.Failure, rejected)
		return true
	}
	if receipt.Warning != "" {
		t.options.Logger.Debug("the receiver of spans warns", "message", receipt.Warning)
	}
	t.health.worked()
	return true
}

// rest lets a receiver recover, unless Sonde is about to end.
func (t *Tracer) rest(ctx context.Context) {
	pause := time.NewTimer(t.pause)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-ctx.Done():
	}
}
