package otlpmetrics

import (
	"context"
	"fmt"
	"net/url"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"

	"sonde_exporter/config"
)

// client is one of the two protocols of OTLP.
type client interface {
	// prepare encodes a request once for all attempts to send it.
	prepare(request *collectorpb.ExportMetricsServiceRequest) (attempt, error)
	Close() error
}

// attempt sends a request once. Its error is a *transientError if another
// attempt may succeed.
type attempt func(context.Context) (rejection, error)

func newClient(target config.Target, endpoint *url.URL, version string) (client, error) {
	agent := "sonde_exporter/" + version
	switch target.Protocol {
	case config.ProtocolGRPC:
		return newGRPCClient(target, endpoint, agent)
	case config.ProtocolHTTP:
		return newHTTPClient(target, agent)
	}
	return nil, fmt.Errorf("protocol %q is not known: use %q or %q", target.Protocol, config.ProtocolGRPC, config.ProtocolHTTP)
}

// rejection is what the endpoint did not take of a request that it accepted.
type rejection struct {
	points int64
	reason string // of the first, in the words of the endpoint
}

func rejectionOf(response *collectorpb.ExportMetricsServiceResponse) rejection {
	partial := response.GetPartialSuccess()
	return rejection{max(0, partial.GetRejectedDataPoints()), partial.GetErrorMessage()}
}

func (r *rejection) add(other rejection) {
	if r.points == 0 {
		r.reason = other.reason
	}
	r.points += other.points
}
