package otlp

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"sonde_exporter/config"
)

// newHTTP returns a client for OTLP/HTTP, and what ends its connections.
//
// Every option is set, empty ones too: what is not set, the exporter takes from
// the environment, which the configuration has taken into account already.
func newHTTP(address *url.URL, target config.Target, agent string, retry Retry) (otlptrace.Client, func(), error) {
	var tlsConfig *tls.Config
	if address.Scheme == "https" {
		var err error
		if tlsConfig, err = TLSConfig(target.TLS); err != nil {
			return nil, nil, err
		}
	}
	compression := otlptracehttp.NoCompression
	if target.Compression == config.CompressionGzip {
		compression = otlptracehttp.GzipCompression
	}
	headers := Headers(target)
	if headers["User-Agent"] == "" {
		headers["User-Agent"] = agent
	}
	client := &http.Client{
		Transport: watchedTransport{newTransport(tlsConfig), target.Timeout},
		// Another host must not be handed the headers, which may be secrets.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return otlptracehttp.NewClient(
		otlptracehttp.WithEndpointURL(target.Endpoint),
		otlptracehttp.WithEncoding(otlptracehttp.EncodingProtobuf),
		otlptracehttp.WithHeaders(headers),
		otlptracehttp.WithCompression(compression),
		otlptracehttp.WithTLSClientConfig(tlsConfig),
		otlptracehttp.WithHTTPClient(client),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{
			Enabled: true, InitialInterval: retry.Initial, MaxInterval: retry.Max, MaxElapsedTime: retry.Elapsed,
		}),
	), client.CloseIdleConnections, nil
}

func newTransport(tlsConfig *tls.Config) *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:       tlsConfig,
		TLSHandshakeTimeout:   10 * time.Second,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   8, // more than there are uploads at once
		IdleConnTimeout:       90 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}

// watchedTransport notes what becomes of every attempt, and bounds its time.
type watchedTransport struct {
	http.RoundTripper
	timeout time.Duration
}

// CloseIdleConnections lets http.Client reach the transport inside.
func (t watchedTransport) CloseIdleConnections() {
	if inner, ok := t.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		inner.CloseIdleConnections()
	}
}

// maxAnswer caps what is read of an answer, in bytes.
const maxAnswer = 64 << 10

// RoundTrip implements http.RoundTripper.
func (t watchedTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx, cancel := withTimeout(request.Context(), t.timeout)
	defer cancel() // the body is read by then
	upload := uploadOf(ctx)
	upload.begin()
	response, err := t.RoundTripper.RoundTrip(request.WithContext(ctx))
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err() // package http has several words for it
		}
		kind := kindOf(err)
		upload.fail(kind, err)
		if kind == Refused || kind == Unavailable || kind == Timeout {
			err = passing{err}
		}
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	response.Body = readBody{bytes.NewReader(body), response.Body}
	switch {
	case response.StatusCode >= 200 && response.StatusCode <= 299:
		upload.accept(partialSuccess(response.Header.Get("Content-Type"), body))
	case err != nil:
		upload.fail(kindOfStatus(response.StatusCode), fmt.Errorf("%s, and then %w", response.Status, err))
	case len(body) == 0:
		upload.fail(kindOfStatus(response.StatusCode), errors.New(response.Status))
	default:
		upload.fail(kindOfStatus(response.StatusCode), fmt.Errorf("%s: %s", response.Status, text(response.Header, body)))
	}
	return response, nil
}

// readBody is a body that was read already, with the connection that it holds.
type readBody struct {
	io.Reader
	io.Closer
}

// passing is an error of the network that may pass. The exporter tries again
// only after what calls itself temporary, which net does not do if nobody
// listens; the specification of OTLP/HTTP asks for it
// (https://opentelemetry.io/docs/specs/otlp/#otlphttp-connection).
type passing struct{ error }

// Temporary is what net/url asks.
func (passing) Temporary() bool { return true }

// Unwrap returns the error of the network.
func (p passing) Unwrap() error { return p.error }

func kindOfStatus(status int) Kind {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		return Unauthorized
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable:
		return Unavailable
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return Timeout
	default:
		return Other
	}
}

// partialSuccess reads how many spans the receiver rejected, and why. An answer
// that cannot be read rejects none: its status says that they were accepted.
func partialSuccess(contentType string, body []byte) (rejected int64, message string) {
	var answer coltracepb.ExportTraceServiceResponse
	var err error
	switch mediaType(contentType) {
	case "application/x-protobuf":
		err = proto.Unmarshal(body, &answer)
	case "application/json":
		err = protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(body, &answer)
	}
	if err != nil {
		return 0, ""
	}
	return answer.GetPartialSuccess().GetRejectedSpans(), answer.GetPartialSuccess().GetErrorMessage()
}

func mediaType(contentType string) string {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return ""
	}
	return media
}
