package tracing

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.38.0"

	"sonde_exporter/bpf"
	"sonde_exporter/probe"
	"sonde_exporter/series"
)

// request is a span of the kernel with all that is known about it.
type request struct {
	probe.Span
	head   head
	target target
	route  string // "" if not known
	labels series.Labels
}

// method is as in http.request.method: _OTHER for one that is not well known.
func (r *request) method() string {
	switch bpf.SondeMethod(r.Method) {
	case bpf.SondeMethodMETHOD_GET:
		return "GET"
	case bpf.SondeMethodMETHOD_HEAD:
		return "HEAD"
	case bpf.SondeMethodMETHOD_POST:
		return "POST"
	case bpf.SondeMethodMETHOD_PUT:
		return "PUT"
	case bpf.SondeMethodMETHOD_DELETE:
		return "DELETE"
	case bpf.SondeMethodMETHOD_CONNECT:
		return "CONNECT"
	case bpf.SondeMethodMETHOD_OPTIONS:
		return "OPTIONS"
	case bpf.SondeMethodMETHOD_TRACE:
		return "TRACE"
	case bpf.SondeMethodMETHOD_PATCH:
		return "PATCH"
	default:
		return series.OtherMethod
	}
}

// name is that of the span: of low cardinality, as
// https://opentelemetry.io/docs/specs/semconv/http/http-spans/#name asks.
func (r *request) name() string {
	method := r.method()
	if method == series.OtherMethod {
		method = "HTTP"
	}
	if r.route == "" {
		return method
	}
	return clean(method+" "+r.route, maxText)
}

// attributes are those of the HTTP conventions,
// https://opentelemetry.io/docs/specs/semconv/http/http-spans/.
func (b *builder) attributes(r *request) attributes {
	a := make(attributes, 0, usualAttributes)
	a.text(semconv.HTTPRequestMethodKey, r.method())
	if r.method() == series.OtherMethod {
		a.text(semconv.HTTPRequestMethodOriginalKey, clean(r.head.method, maxMethod))
	}
	if r.Client {
		b.describeCall(r, &a)
	} else {
		b.describeServing(r, &a)
	}
	if peer := address(r.Peer); peer != "" {
		a.text(semconv.NetworkPeerAddressKey, peer)
		a.number(semconv.NetworkPeerPortKey, int64(r.Peer.Port()))
	}
	a.text(semconv.NetworkProtocolVersionKey, r.labels.ProtocolVersion)
	a.number(semconv.HTTPResponseStatusCodeKey, int64(r.Status))
	a.text(semconv.ErrorTypeKey, r.labels.ErrorType)
	for _, name := range b.headers {
		a.texts(attribute.Key("http.request.header."+name), r.head.headers[name])
	}
	return a
}

// describeServing adds what only the span of a server has. Its port is the one
// that it listens on, as in the metrics, also behind a proxy with another.
func (b *builder) describeServing(r *request, a *attributes) {
	host, _ := splitAuthority(r.authority())
	if host == "" {
		host = address(r.Local)
	}
	a.text(semconv.HTTPRouteKey, r.route)
	a.text(semconv.URLSchemeKey, r.labels.Scheme)
	a.text(semconv.URLPathKey, r.target.path)
	a.text(semconv.URLQueryKey, b.query(r))
	a.text(semconv.ServerAddressKey, host)
	a.number(semconv.ServerPortKey, int64(r.Local.Port()))
	a.text(semconv.ClientAddressKey, address(r.Peer))
	if slices.Contains(b.headers, "user-agent") { // as for all headers, if it is asked for
		a.text(semconv.UserAgentOriginalKey, r.head.userAgent)
	}
}

// describeCall adds what only the span of a client has. By peer.service Alloy and
// Tempo draw services that send no spans of their own.
func (b *builder) describeCall(r *request, a *attributes) {
	scheme := r.labels.Scheme
	if r.target.scheme != "" { // what a proxy is asked to fetch
		scheme = r.target.scheme
	}
	host, port := splitAuthority(r.authority())
	switch {
	case host == "":
		host, port = address(r.Peer), r.Peer.Port()
	case port == 0 && r.target.authority == "":
		port = r.Peer.Port()
	case port == 0:
		port = usualPort(scheme)
	}
	full := scheme + "://" + r.target.user + urlHost(host, port, scheme)
	if strings.HasPrefix(r.target.path, "/") { // OPTIONS may have an asterisk
		full += r.target.path
	}
	if query := b.query(r); query != "" {
		full += "?" + query
	}
	a.text(semconv.URLTemplateKey, r.route)
	a.text(semconv.URLFullKey, full)
	a.text(semconv.ServerAddressKey, host)
	a.number(semconv.ServerPortKey, int64(port))
	a.text(semconv.PeerServiceKey, host)
}

// authority is whom the request is for, in its own words.
func (r *request) authority() string {
	if r.target.authority != "" {
		return r.target.authority
	}
	return r.head.host
}

// query is the query as far as the configuration lets it be seen.
func (b *builder) query(r *request) string {
	if !b.options.Config.Query {
		return ""
	}
	return scrubQuery(r.target.query, b.scrub)
}

// urlHost writes host and port as a URL does.
func urlHost(host string, port uint16, scheme string) string {
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is6() {
		host = "[" + host + "]"
	}
	if port == 0 || port == usualPort(scheme) {
		return host
	}
	return host + ":" + strconv.Itoa(int(port))
}

func usualPort(scheme string) uint16 {
	if scheme == "https" {
		return 443
	}
	return 80
}

// address is that of one end of a connection, "" if it is not known.
func address(end netip.AddrPort) string {
	if !end.IsValid() {
		return ""
	}
	return end.Addr().Unmap().WithZone("").String()
}
