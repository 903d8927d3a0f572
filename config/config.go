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
//
// Files of Grafana Beyla can be used as far as they speak of the same things:
// in a rule, open_ports, exe_path, exe_path_regexp, name and namespace are
// understood, and exclude_services beside services.
//
// # Environment
//
// Each flag has an environment variable, see [EnvName]. The shorthands have a
// short spelling besides: SONDE_OPEN_PORT, SONDE_EXECUTABLE_NAME,
// SONDE_SERVICE_NAME and SONDE_SERVICE_NAMESPACE.
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
)

// Config is the configuration in force. It is complete and validated, and is
// never modified after it was returned: a reload makes a new one.
type Config struct {
	Discovery Discovery `yaml:"discovery"`
	Routes    Routes    `yaml:"routes"`
	Histogram Histogram `yaml:"histogram"`
	Series    Series    `yaml:"series"`
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

// Values of Routes.Unmatched: the route of a path that no pattern matches.
const (
	UnmatchedHeuristic = "heuristic" // derived from the path, ids replaced
	UnmatchedUnset     = "unset"     // no route
	UnmatchedWildcard  = "wildcard"  // one route for all
	UnmatchedPath      = "path"      // the raw path
)

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
		Routes: Routes{Unmatched: UnmatchedHeuristic},
		// The advice of the OpenTelemetry semantic conventions for
		// http.server.request.duration.
		Histogram: Histogram{Buckets: []float64{
			0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
		}},
		Series: Series{Limit: 10_000, LimitPerService: 1_000, Retention: 5 * time.Minute},
	}
}

// YAML prints the configuration as a file that [Parse] reads back to the same
// configuration. The shorthand rule appears among discovery.services.
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
