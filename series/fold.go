package series

import (
	"slices"
	"strconv"

	"sonde_exporter/bpf"
	"sonde_exporter/probe"
)

// OtherRoute is the route of overflow series: requests that were counted, but
// for which a limit left no series of their own.
const OtherRoute = "_other"

// Labels are all labels of a series, before they become text.
type Labels struct {
	ServiceName, ServiceNamespace string
	Role                          Role
	ServerPort                    uint16 // 0: not known
	ServerAddress                 string // clients only
	Method, Route                 string
	Status                        uint16 // 0: no answer
	ErrorType                     string
	ProtocolVersion               string
	Scheme                        string
}

// Failure is a value of error.type for an answer that is missing or broken.
type Failure struct{ Name, Meaning string }

var failureTypes = [...]Failure{
	bpf.SondeFailureFAILURE_NONE:      {},
	bpf.SondeFailureFAILURE_CLOSED:    {"connection_closed", "the connection was closed in order, without an answer"},
	bpf.SondeFailureFAILURE_RESET:     {"connection_reset", "the connection was reset before the answer was complete"},
	bpf.SondeFailureFAILURE_TIMEOUT:   {"timeout", "TCP gave up, as the other side was silent"},
	bpf.SondeFailureFAILURE_TRUNCATED: {"response_truncated", "the answer began, but did not reach its end"},
	bpf.SondeFailureFAILURE_MALFORMED: {"malformed_response", "the answer is not HTTP/1"},
	bpf.SondeFailureFAILURE_OTHER:     {"_OTHER", "any failure, in an overflow series"},
}

// Failures are all values of error.type that are no status codes.
func Failures() []Failure { return slices.Clone(failureTypes[bpf.SondeFailureFAILURE_NONE+1:]) }

// errorType follows the HTTP conventions: what broke if something did, else the
// status code if it tells an error (5xx for servers, 4xx as well for clients).
func errorType(role Role, status uint16, failure uint8) string {
	if int(failure) < len(failureTypes) && failure != 0 {
		return failureTypes[failure].Name
	}
	if status >= 500 || (role == Client && status >= 400) {
		return strconv.Itoa(int(status))
	}
	return ""
}

// LabelsOf completes an operation with what the answer decides.
func LabelsOf(operation Operation, key probe.SeriesKey) Labels {
	return Labels{
		Role: operation.Role, ServerPort: operation.ServerPort, ServerAddress: operation.ServerAddress,
		Method: operation.Method, Route: operation.Route,
		Status: key.Status, ErrorType: errorType(operation.Role, key.Status, key.Failure),
		ProtocolVersion: "1." + strconv.Itoa(int(key.Version)), Scheme: scheme(operation),
	}
}

func scheme(operation Operation) string {
	if operation.OverTLS {
		return "https"
	}
	return "http"
}

// OtherLabels are those of an overflow series.
func OtherLabels(role Role, key probe.SeriesKey) Labels {
	return Labels{
		Role: role, Method: OtherMethod, Route: OtherRoute, ErrorType: errorType(role, 0, key.Failure),
	}
}

// Fold sums histograms by their labels: several instances, and both sides of the
// kernel's border, may count the same series.
type Fold map[Labels]*Histogram

// Add takes the histogram over if it is the first with these labels; the caller
// must not use it any more.
func (f Fold) Add(labels Labels, histogram *Histogram) {
	if sum, exists := f[labels]; exists {
		sum.Add(histogram)
		return
	}
	f[labels] = histogram
}
