package otlpmetrics

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"

	"sonde_exporter/config"
	"sonde_exporter/otlp"
)

const (
	protobufType = "application/x-protobuf"

	// longestAnswer bounds what is read of an answer, which is a short message.
	longestAnswer = 64 << 10

	// idleTime is how long a connection waits for the next interval.
	idleTime = 2 * time.Minute
)

// httpClient speaks OTLP/HTTP with protobuf.
type httpClient struct {
	client   *http.Client
	endpoint string
	headers  http.Header
	compress bool
}

func newHTTPClient(target config.Target, agent string) (*httpClient, error) {
	tlsConfig, err := otlp.TLSConfig(target.TLS)
	if err != nil {
		return nil, err
	}
	c := &httpClient{
		client: &http.Client{
			Transport: &http.Transport{
				Proxy: http.ProxyFromEnvironment, TLSClientConfig: tlsConfig, ForceAttemptHTTP2: true, IdleConnTimeout: idleTime,
			},
			// Headers may hold secrets, which are for the endpoint alone.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		endpoint: target.Endpoint,
		headers:  http.Header{"User-Agent": {agent}},
		compress: target.Compression == config.CompressionGzip,
	}
	for name, value := range otlp.Headers(target) {
		c.headers.Set(name, value)
	}
	c.headers.Set("Content-Type", protobufType)
	if c.compress {
		c.headers.Set("Content-Encoding", "gzip")
	}
	return c, nil
}

func (c *httpClient) prepare(request *collectorpb.ExportMetricsServiceRequest) (attempt, error) {
	body, err := proto.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("metrics cannot be encoded: %w", err)
	}
	if c.compress {
		if body, err = compressed(body); err != nil {
			return nil, fmt.Errorf("metrics cannot be compressed: %w", err)
		}
	}
	return func(ctx context.Context) (rejection, error) { return c.post(ctx, body) }, nil
}

func compressed(body []byte) ([]byte, error) {
	var out bytes.Buffer
	writer := gzip.NewWriter(&out)
	if _, err := writer.Write(body); err != nil {
		return nil, err
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func (c *httpClient) post(ctx context.Context, body []byte) (rejection, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint, bytes.NewReader(body))
	if err != nil {
		return rejection{}, withoutURL(err)
	}
	request.Header = c.headers.Clone()
	response, err := c.client.Do(request)
	if err != nil {
		return rejection{}, &transientError{cause: withoutURL(err)}
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, longestAnswer))
	if err != nil {
		return rejection{}, &transientError{cause: fmt.Errorf("the answer %s breaks off: %w", response.Status, err)}
	}
	if response.StatusCode/100 == 2 {
		return acceptance(response, answer), nil
	}
	return rejection{}, refusal(response, answer)
}

// withoutURL drops the URL that net/http puts before an error: the log has it
// already, and without the credentials that may be in it.
func withoutURL(err error) error {
	var inURL *url.Error
	if errors.As(err, &inURL) {
		return inURL.Err
	}
	return err
}

// acceptance reads what a successful answer says of single points. One that
// cannot be read says nothing: proxies answer in their own ways.
func acceptance(response *http.Response, answer []byte) rejection {
	var message collectorpb.ExportMetricsServiceResponse
	if !isProtobuf(response) || proto.Unmarshal(answer, &message) != nil {
		return rejection{}
	}
	return rejectionOf(&message)
}

// refusal is the error of an answer that is not a success. Which ones may be
// tried again is a list in https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes.
func refusal(response *http.Response, answer []byte) error {
	text := string(answer)
	var status spb.Status
	if isProtobuf(response) && proto.Unmarshal(answer, &status) == nil {
		text = status.GetMessage()
	}
	err := errors.New("the endpoint answers " + response.Status)
	if text != "" {
		err = fmt.Errorf("%w: %s", err, text)
	}
	switch response.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return &transientError{cause: err, wait: retryAfter(response.Header.Get("Retry-After"), time.Now())}
	}
	return err
}

// isProtobuf allows for parameters of the media type.
func isProtobuf(response *http.Response) bool {
	return strings.HasPrefix(response.Header.Get("Content-Type"), protobufType)
}

// retryAfter reads the header of RFC 9110, section 10.2.3: seconds, or a date.
// It returns 0 if there is nothing to wait for.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if date, err := http.ParseTime(header); err == nil {
		return max(0, date.Sub(now))
	}
	return 0
}

func (c *httpClient) Close() error {
	c.client.CloseIdleConnections()
	return nil
}
