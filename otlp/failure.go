package otlp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
)

// Kind groups failures by what can be done about them. The value is meant for
// labels.
type Kind string

// Kinds of failures.
const (
	Unauthorized Kind = "unauthorized"
	Unavailable  Kind = "unavailable"
	Timeout      Kind = "timeout"
	Refused      Kind = "refused"
	Rejected     Kind = "rejected"
	Other        Kind = "other"
)

// Kinds returns all kinds.
func Kinds() []Kind {
	return []Kind{Unauthorized, Unavailable, Timeout, Refused, Rejected, Other}
}

// Meaning says in words what went wrong.
func (k Kind) Meaning() string {
	switch k {
	case Unauthorized:
		return "credentials are wrong, missing, or not enough"
	case Unavailable:
		return "the receiver is too busy, out of service, or not to be reached"
	case Timeout:
		return "no answer came in time"
	case Refused:
		return "nobody listens there"
	case Rejected:
		return "the receiver took the batch, but not all of its spans"
	}
	return "a wrong path, a wrong protocol, TLS that fails, and the like"
}

// Failure tells why an upload, or an attempt of one, failed. Its text is one
// sentence for the operator: where, what is wrong, and what to do. It holds no
// credentials.
type Failure struct {
	Kind     Kind
	Endpoint string // without credentials
	Detail   string // what receiver or network say

	cause error
}

// Error implements error.
func (f *Failure) Error() string {
	return fmt.Sprintf("%s %s (%s): %s", f.Endpoint, f.problem(), f.Detail, f.remedy())
}

// Unwrap returns the error of the exporter, whose text may hold more than one
// wants to read.
func (f *Failure) Unwrap() error { return f.cause }

func (f *Failure) problem() string {
	switch f.Kind {
	case Unauthorized:
		return "refuses the credentials"
	case Unavailable:
		return "cannot be reached or is too busy"
	case Timeout:
		return "does not answer in time"
	case Refused:
		return "is an address on which nobody listens"
	case Rejected:
		return "rejects spans"
	default:
		return "does not take spans"
	}
}

func (f *Failure) remedy() string {
	switch f.Kind {
	case Unauthorized:
		return "correct the headers, or user name and password, of this endpoint"
	case Unavailable:
		return "check the endpoint, and the log and the limits of the receiver"
	case Timeout:
		return "check that a receiver of OTLP runs there and that no firewall is in between, or raise the timeout"
	case Refused:
		return "start the receiver or correct the endpoint"
	case Rejected:
		return "look into the log and the limits of the receiver"
	default:
		if isTLS(f.cause) {
			return "check scheme, CA file, server name and client certificate of this endpoint"
		}
		return "check the path, and that the port speaks the protocol that is set: 4317 is usually gRPC and 4318 HTTP"
	}
}

// kindOf judges an error of the network.
func kindOf(err error) Kind {
	var timeout interface{ Timeout() bool }
	var network *net.OpError
	var unresolved *net.DNSError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return Refused
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled),
		errors.As(err, &timeout) && timeout.Timeout():
		return Timeout
	case isTLS(err):
		return Other
	case errors.As(err, &unresolved), errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return Unavailable
	default:
		return Other
	}
}

// isTLS tells whether TLS is what fails. gRPC and net/http keep some of its
// errors as text only.
func isTLS(err error) bool {
	var verification *tls.CertificateVerificationError
	var alert tls.AlertError
	var record tls.RecordHeaderError
	if errors.As(err, &verification) || errors.As(err, &alert) || errors.As(err, &record) {
		return true
	}
	return err != nil && (strings.Contains(err.Error(), "tls: ") || strings.Contains(err.Error(), "x509: ") ||
		strings.Contains(err.Error(), "HTTP response to HTTPS client"))
}
