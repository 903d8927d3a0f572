package tracing

import (
	"strings"

	"go.opentelemetry.io/otel/trace"
)

// maxTraceState is what the W3C recommendation asks to carry at least
// (https://www.w3.org/TR/trace-context/#tracestate-limits), in bytes.
const maxTraceState = 512

// traceState returns the members of tracestate headers that are carried on: all
// of them if that is valid and short enough, else as many of the first as fit,
// else none.
func traceState(headers string) string {
	for len(headers) > maxTraceState {
		last := strings.LastIndexByte(headers, ',')
		if last < 0 {
			return ""
		}
		headers = headers[:last]
	}
	state, err := trace.ParseTraceState(headers)
	if err != nil {
		return "" // as W3C asks: what cannot be read is discarded whole
	}
	return state.String()
}
