package config

import (
	"strconv"
	"time"
)

// Values of Target.Protocol.
const (
	ProtocolGRPC = "grpc"
	ProtocolHTTP = "http/protobuf"
)

// Values of Target.Compression.
const (
	CompressionGzip = "gzip"
	CompressionNone = "none"
)

// Values of Traces.Sampler, those of OTEL_TRACES_SAMPLER that need no server.
const (
	SamplerAlwaysOn          = "always_on"
	SamplerAlwaysOff         = "always_off"
	SamplerRatio             = "traceidratio"
	SamplerParentOrAlwaysOn  = "parentbased_always_on"
	SamplerParentOrAlwaysOff = "parentbased_always_off"
	SamplerParentOrRatio     = "parentbased_traceidratio"
)

// Values of MetricsExport.Histogram.
const (
	HistogramExplicit    = "explicit"    // the classic buckets
	HistogramExponential = "exponential" // base 2, as native histograms
)

// Target is where telemetry is sent by OTLP.
type Target struct {
	// Endpoint is a URL with the scheme http or https. By HTTP its path is used
	// as it is: /v1/traces or /v1/metrics was added where it is due. By gRPC it
	// has a port and no path. Empty means that nothing is sent.
	Endpoint string `yaml:"endpoint"`
	// Protocol is ProtocolGRPC or ProtocolHTTP, also where Endpoint is empty.
	Protocol string `yaml:"protocol"`
	// Headers go along with each request; as metadata by gRPC.
	Headers Headers `yaml:"headers,omitempty"`
	// BasicAuth is one more header, Authorization, if it is not zero.
	BasicAuth BasicAuth `yaml:"basic_auth,omitempty"`
	// TLS is of use for https only.
	TLS ClientTLS `yaml:"tls,omitempty"`
	// Insecure tells that the scheme of Endpoint is http: no TLS.
	Insecure bool `yaml:"-"`
	// Compression is CompressionGzip or CompressionNone.
	Compression string `yaml:"compression"`
	// Timeout bounds one attempt to send.
	Timeout time.Duration `yaml:"timeout"`
}

// BasicAuth is a user name with its password; both are set or none. It prints
// without the password.
type BasicAuth struct {
	Username string
	Password string // also that of password_file
}

// ClientTLS says how a server proves itself to Sonde and Sonde to a server.
// Files were readable PEM when the configuration was loaded.
type ClientTLS struct {
	CAFile             string `yaml:"ca_file,omitempty"`     // empty: the authorities that the host trusts
	CertFile           string `yaml:"cert_file,omitempty"`   // set together with KeyFile or not at all
	KeyFile            string `yaml:"key_file,omitempty"`    // private, not encrypted
	ServerName         string `yaml:"server_name,omitempty"` // empty: the host of the endpoint
	InsecureSkipVerify bool   `yaml:"insecure_skip_verify,omitempty"`
}

// Traces says which requests become spans, and where these are sent.
type Traces struct {
	Target `yaml:",inline"`
	// Sampler is one of the Sampler constants.
	Sampler string `yaml:"-"`
	// Ratio is the share of traces that Sampler takes where no parent decides,
	// 0 to 1. It is 1 or 0 for the samplers without a ratio.
	Ratio float64 `yaml:"-"`
	// KeepErrors takes every request that failed, whatever Sampler says.
	KeepErrors bool `yaml:"keep_errors"`
	// KeepSlowerThan takes every request that lasted longer; 0 takes none.
	KeepSlowerThan time.Duration `yaml:"keep_slower_than"`
	// QueueSize is the most spans that wait; what is beyond is dropped.
	QueueSize int `yaml:"queue_size"`
	// BatchSize is the most spans in one request, at most QueueSize.
	BatchSize int `yaml:"batch_size"`
	// BatchTimeout is the longest time that a span waits for others.
	BatchTimeout time.Duration `yaml:"batch_timeout"`
	// Query says whether spans have the query string, url.query.
	Query bool `yaml:"query"`
	// ScrubQuery names the parameters of a query whose values are left out.
	ScrubQuery []string `yaml:"scrub_query,flow"`
	// RequestHeaders names, in lower case, the headers whose values become
	// attributes of spans.
	RequestHeaders []string `yaml:"request_headers,flow"`
}

// MetricsExport says where metrics are sent, and how.
type MetricsExport struct {
	Target `yaml:",inline"`
	// Interval is the time from one export to the next, at least a second.
	Interval time.Duration `yaml:"interval"`
	// Histogram is HistogramExplicit or HistogramExponential.
	Histogram string `yaml:"histogram"`
}

func defaultTarget() Target {
	// The timeout is that of the OTLP exporter specification.
	return Target{Protocol: ProtocolHTTP, Compression: CompressionGzip, Timeout: 10 * time.Second}
}

func defaultTraces() Traces {
	return Traces{
		Target:    defaultTarget(),
		Sampler:   SamplerParentOrAlwaysOn,
		Ratio:     1,
		QueueSize: 4096,
		BatchSize: 512,
		// Alloy's servicegraph connector pairs spans that come within 2 s.
		BatchTimeout: 500 * time.Millisecond,
		// The first four are those that the conventions for url.query name.
		ScrubQuery: []string{
			"AWSAccessKeyId", "Signature", "sig", "X-Goog-Signature",
			"access_token", "api_key", "apikey", "auth", "code", "key", "password", "secret", "token",
		},
	}
}

func defaultMetricsExport() MetricsExport {
	return MetricsExport{Target: defaultTarget(), Interval: time.Minute, Histogram: HistogramExplicit}
}

// MarshalYAML prints the sampler as it is written in a file.
func (t Traces) MarshalYAML() (any, error) {
	type plain Traces // without this method
	type sampler struct {
		Name string `yaml:"name"`
		Arg  string `yaml:"arg,omitempty"`
	}
	printed := struct {
		plain   `yaml:",inline"`
		Sampler sampler `yaml:"sampler"`
	}{plain(t), sampler{Name: t.Sampler}}
	if takesRatio(t.Sampler) {
		printed.Sampler.Arg = strconv.FormatFloat(t.Ratio, 'g', -1, 64)
	}
	return printed, nil
}

func takesRatio(sampler string) bool {
	return sampler == SamplerRatio || sampler == SamplerParentOrRatio
}
