package otlp

import (
	"context"
	"errors"
	"time"
)

// upload is what its attempts have come to so far. It travels in the context, as
// that is what the exporters hand through to transport and interceptor.
type upload struct {
	endpoint endpoint
	failed   func(*Failure) // told of failed attempts but the last; may be nil
	isOver   func() bool    // whether its time is up

	failure  *Failure // of the last attempt that was not cut off
	accepted bool
	receipt  Receipt
}

type uploadKey struct{}

// uploadOf returns the upload that an attempt belongs to.
func uploadOf(ctx context.Context) *upload {
	if u, ok := ctx.Value(uploadKey{}).(*upload); ok {
		return u
	}
	return &upload{isOver: func() bool { return false }}
}

// withTimeout bounds the time of an attempt; 0 is no bound.
func withTimeout(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, timeout)
}

// begin is called before every attempt.
func (u *upload) begin() {
	if u.failure != nil && u.failed != nil {
		u.failed(u.failure)
	}
}

// fail notes why an attempt failed. One that was cut off because the time for the
// whole upload is up says less than the one before.
func (u *upload) fail(kind Kind, cause error) {
	if u.failure == nil || !u.isOver() {
		u.failure = u.endpoint.failure(kind, cause)
	}
}

func (u *upload) accept(rejected int64, message string) {
	u.accepted = true
	if rejected <= 0 {
		u.receipt = Receipt{Warning: u.endpoint.redactor.Line(message)}
		return
	}
	if message == "" {
		message = "without saying why"
	}
	u.receipt = Receipt{Rejected: rejected, Failure: u.endpoint.failure(Rejected, errors.New(message))}
}
