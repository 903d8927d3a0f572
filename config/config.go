// Package config turns file, environment and flags into one validated Config.
//
// A value is taken from the first of these that sets it: flag, environment
// variable, file, default. Every mistake that can be found is reported, one
// sentence each, with the place where it was made.
//
// # File
//
// The file is YAML. A key that Sonde does not know is an error, so a spelling
// mistake cannot silently measure the wrong thing. An empty value counts as
// not set.
//
//	open_port: 8080                # shorthands: one more discovery rule
//	executable_name: shop
//	service_name: shop
//	service_namespace: web
//	discovery:
//	  services:
//	    - open_port: [80, 443, "8000-8999"]
//	      executable_name: nginx
//	      service_name: front
//	  exclude:
//	    - executable_name: /sshd$
//	routes:
//	  patterns: ["/users/{id}", "/assets/*"]
//	  ignored_patterns: [/health]
//	  unmatched: heuristic
//	histogram:
//	  buckets: [0.01, 0.1, 1, 10]
//	series:
//	  limit: 10000
//	  limit_per_service: 1000
//	  retention: 5m
//	otel_traces_export:            # nothing is sent without an endpoint
//	  endpoint: http://localhost:4318
//	  protocol: http/protobuf      # or grpc; guessed from the port
//	  headers: {X-Scope-OrgID: shop}   # or headers_file, name: value a line
//	  basic_auth: {username: sonde, password_file: password}
//	  tls: {ca_file: ca.pem, cert_file: cert.pem, key_file: key.pem}
//	  compression: gzip            # or none
//	  timeout: 10s
//	  sampler: {name: parentbased_traceidratio, arg: "0.1"}
//	  keep_errors: true
//	  keep_slower_than: 2s
//	  queue_size: 4096
//	  batch_size: 512
//	  batch_timeout: 500ms
//	  query: false
//	  scrub_query: [token]
//	  request_headers: [X-Request-Id]
//	otel_metrics_export:           # as above up to timeout, and:
//	  interval: 1m
//	  histogram: explicit          # or exponential
//	grafana:
//	  otlp:
//	    cloud_zone: prod-eu-west-0
//	    cloud_submit: [traces, metrics]
//	    cloud_instance_id: "123456"
//	    cloud_api_key_file: key    # or cloud_api_key
//	resource: {deployment.environment.name: production}
//
// Names of files are relative to the file that has them.
//
// Files of Grafana Beyla can be used as far as they speak of the same things:
// in a rule, open_ports, exe_path, exe_path_regexp, name and namespace are
// understood, and exclude_services beside services. The rules of instrument and
// exclude_instrument, whose exe_path is a glob, become rules of services and
// exclude. prometheus_export says where the metrics are, see [Prometheus]. A key
// of Beyla that Sonde does not have is an error if something else would be
// measured or exported without it, and a warning otherwise, see Config.Warnings.
//
// # Endpoints
//
// To an endpoint in the file, in a flag or in its SONDE_ variable, /v1/traces
// is added unless its path ends so; /v1/metrics is added where there is no
// path, and below /otlp. These are the rules of Beyla. The variables of the
// OpenTelemetry specification follow that specification: to
// OTEL_EXPORTER_OTLP_ENDPOINT the path is always added, while
// OTEL_EXPORTER_OTLP_TRACES_ENDPOINT and OTEL_EXPORTER_OTLP_METRICS_ENDPOINT
// are used as they are. By gRPC, http:// means without TLS. A port that ends in
// 4317 means gRPC where no protocol is set; everything else is HTTP.
//
// # Environment
//
// Each flag has an environment variable, see [EnvName]. The shorthands have a
// short spelling besides: SONDE_OPEN_PORT, SONDE_EXECUTABLE_NAME,
// SONDE_SERVICE_NAME and SONDE_SERVICE_NAMESPACE.
//
// Secrets have variables but no flags, because command lines are visible:
// SONDE_OTEL_TRACES_EXPORT_HEADERS (name=value,name=value, percent-encoded),
// SONDE_OTEL_TRACES_EXPORT_BASIC_AUTH_PASSWORD, the same two for metrics, and
// SONDE_GRAFANA_OTLP_CLOUD_API_KEY. The variables of Grafana Cloud are
// understood as well: GRAFANA_CLOUD_ZONE, GRAFANA_CLOUD_SUBMIT,
// GRAFANA_CLOUD_INSTANCE_ID and GRAFANA_CLOUD_API_KEY.
//
// # Standard variables
//
// Where something is sent, the variables of the OpenTelemetry specification
// count too. Those of one signal outrank the file, like any variable:
// OTEL_EXPORTER_OTLP_TRACES_ and OTEL_EXPORTER_OTLP_METRICS_ with ENDPOINT,
// HEADERS, PROTOCOL, TIMEOUT, COMPRESSION, CERTIFICATE, CLIENT_CERTIFICATE,
// CLIENT_KEY and INSECURE; OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG,
// OTEL_METRIC_EXPORT_INTERVAL and
// OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION. Those for all
// signals, OTEL_EXPORTER_OTLP_ with the same endings and
// OTEL_RESOURCE_ATTRIBUTES, fill in what the file leaves open, so that a host
// can set them once and a file still has its way. OTEL_TRACES_EXPORTER=none and
// OTEL_METRICS_EXPORTER=none keep a signal from OTEL_EXPORTER_OTLP_ENDPOINT.
// SONDE_ variables and flags outrank them all. Grafana Cloud comes last: it
// gives an endpoint to signals that have none, and its credentials to those in
// cloud_submit that are sent over https without credentials of their own.
//
// # The shorthand rule
//
// The environment overrides the shorthands of the file key by key. A selector
// on the command line (--discovery.open-port, --discovery.executable-name)
// starts the rule afresh: nothing of environment or file remains in it. A name
// alone on the command line renames the rule.
package config

import (
	"bytes"
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"

	"sonde_exporter/routes"
)

// Config is the configuration in force. It is complete and validated, and is
// never modified after it was returned: a reload makes a new one.
type Config struct {
	Discovery Discovery `yaml:"discovery"`
	Routes    Routes    `yaml:"routes"`
	Histogram Histogram `yaml:"histogram"`
	Series    Series    `yaml:"series"`

	Traces        Traces        `yaml:"otel_traces_export"`
	MetricsExport MetricsExport `yaml:"otel_metrics_export"`
	Prometheus    Prometheus    `yaml:"prometheus_export,omitempty"`
	// Resource holds the attributes that every exported resource gets.
	Resource map[string]string `yaml:"resource,omitempty"`

	// Warnings are sentences about what was written but has no effect, or an
	// effect that is hardly wanted. They are for the log.
	Warnings []string `yaml:"-"`
}

// Discovery says which processes are services.
type Discovery struct {
	// Services are the rules in order of precedence: the first rule that
	// matches a process selects and names it. The rule made of the top-level
	// shorthands comes last, as in Beyla. No rule at all means that every
	// process that listens is a service.
	Services []Rule `yaml:"services"`
	// Exclude names processes that are never measured, whatever Services says.
	Exclude []Rule `yaml:"exclude"`
}

// Rule selects processes. Every selector that is set must match; at least one
// is set.
type Rule struct {
	// OpenPort matches a process that listens on one of these ports.
	OpenPort Ports `yaml:"open_port,omitempty"`
	// ExecutableName matches the path of the executable.
	ExecutableName Regexp `yaml:"executable_name,omitempty"`
	// ServiceName is the name of all services that the rule selects; empty
	// lets discovery find one. Always empty in an exclude rule.
	ServiceName string `yaml:"service_name,omitempty"`
	// ServiceNamespace is their namespace; empty means none.
	// Always empty in an exclude rule.
	ServiceNamespace string `yaml:"service_namespace,omitempty"`
}

// Routes says how a request's path becomes a route. In a pattern, {name}
// stands for one segment and * as the last segment for any rest.
type Routes struct {
	Patterns        []string `yaml:"patterns"`
	IgnoredPatterns []string `yaml:"ignored_patterns"`
	Unmatched       string   `yaml:"unmatched"`
}

// Histogram sets the classic histograms.
type Histogram struct {
	// Buckets are the upper bounds in seconds, ascending, without +Inf.
	Buckets []float64 `yaml:"buckets,flow"`
}

// Series bounds the memory of the series.
type Series struct {
	Limit           int           `yaml:"limit"`             // series in all
	LimitPerService int           `yaml:"limit_per_service"` // series of one service
	Retention       time.Duration `yaml:"retention"`         // how long series outlive their service
}

// Default returns the configuration without file, environment and flags.
func Default() *Config {
	return &Config{
		Routes: Routes{Unmatched: routes.UnmatchedHeuristic},
		// The advice of the OpenTelemetry semantic conventions for
		// http.server.request.duration.
		Histogram: Histogram{Buckets: []float64{
			0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
		}},
		Series: Series{Limit: 10_000, LimitPerService: 1_000, Retention: 5 * time.Minute},

		Traces:        defaultTraces(),
		MetricsExport: defaultMetricsExport(),
	}
}

// YAML prints the configuration as a file that [Parse] reads back to the same
// configuration, with two exceptions: a secret is printed as <secret>, which
// Parse refuses, and an endpoint that a variable says to use as it is may be
// completed. The shorthand rule appears among discovery.services, and Grafana
// Cloud among the endpoints.
func (c *Config) YAML() ([]byte, error) {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(c); err != nil {
		return nil, fmt.Errorf("configuration cannot be printed: %w", err)
	}
	if err := encoder.Close(); err != nil {
		return nil, fmt.Errorf("configuration cannot be printed: %w", err)
	}
	return out.Bytes(), nil
}
