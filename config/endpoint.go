package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// portGRPC is the port of OTLP receivers for gRPC. Beyla guesses from the last
// four digits, so that 14317 is gRPC too.
const portGRPC = "4317"

// signal is what the sections for traces and metrics differ in.
type signal struct {
	name    string // as in GRAFANA_CLOUD_SUBMIT
	section string // its key in the file
	path    string // where an OTLP/HTTP receiver takes it
	// isBelow tells that in the file the path is below whatever path the
	// endpoint has, as Beyla reads the endpoint of traces.
	isBelow bool
}

func tracesSignal() signal {
	return signal{name: "traces", section: "otel_traces_export", path: "/v1/traces", isBelow: true}
}

func metricsSignal() signal {
	return signal{name: "metrics", section: "otel_metrics_export", path: "/v1/metrics"}
}

// endpointForm says how the path of an endpoint becomes that of the requests.
type endpointForm int

const (
	asInFile endpointForm = iota // see signal.pathInFile
	asBase                       // the path of the signal is always added
	asIs                         // used without any change
)

// pathInFile completes the path of an endpoint in the file, as Beyla does: the
// path of the signal is added where there is none, and to any other path of
// traces. Below /otlp it is added to that of metrics too, because no receiver
// takes them at /otlp itself.
func (s signal) pathInFile(path string) string {
	path = strings.TrimRight(path, "/")
	switch {
	case strings.HasSuffix(path, s.path):
		return path
	case path == "" || s.isBelow || strings.HasSuffix(path, "/otlp"):
		return path + s.path
	}
	return path
}

// complete is the path of the requests.
func (s signal) complete(path string, form endpointForm) string {
	switch form {
	case asBase:
		return strings.TrimRight(path, "/") + s.path
	case asIs:
		// The specification of the exporter: without a path, the root.
		if path == "" {
			return "/"
		}
		return path
	}
	return s.pathInFile(path)
}

// parseEndpoint reads a URL. An error does not repeat it, because a URL may
// hold a password.
func parseEndpoint(text string) (*url.URL, error) {
	const example = "write one such as http://localhost:4318"
	if !strings.Contains(text, "://") {
		return nil, errors.New("is not a URL with a scheme; " + example)
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("is not a URL; " + example)
	}
	u.Scheme = strings.ToLower(u.Scheme)
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("has the scheme %s; write http or https", quote(u.Scheme))
	case u.User != nil:
		return nil, errors.New("has a user name or a password within the URL; write them in basic_auth")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("has a part from ? or #, which OTLP does not use; remove it")
	case u.Hostname() == "":
		return nil, errors.New("has no host; " + example)
	case strings.HasSuffix(u.Host, ":"):
		return nil, errors.New("has a colon without a port; " + example)
	case u.Port() != "" && !isPort(u.Port()):
		return nil, fmt.Errorf("has the port %s, which does not exist; ports are 1 to 65535", shorten(u.Port()))
	}
	return u, nil
}

func isPort(digits string) bool {
	port, err := strconv.ParseUint(digits, 10, 16)
	return err == nil && port > 0
}

// guessProtocol is the protocol of an endpoint for which none is set.
func guessProtocol(u *url.URL) string {
	if strings.HasSuffix(u.Port(), portGRPC) {
		return ProtocolGRPC
	}
	return ProtocolHTTP
}

// forGRPC turns u into scheme, host and port.
func forGRPC(u *url.URL) error {
	if strings.Trim(u.Path, "/") != "" {
		return errors.New("has a path, which gRPC does not use; remove the path or set the protocol to http/protobuf")
	}
	u.Path, u.RawPath = "", ""
	if u.Port() != "" {
		return nil
	}
	if u.Scheme == "http" {
		return errors.New("has no port; gRPC receivers mostly use 4317")
	}
	u.Host = net.JoinHostPort(u.Hostname(), "443")
	return nil
}

// isLoopback tells that what is sent there does not leave the host.
func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && address.IsLoopback())
}
