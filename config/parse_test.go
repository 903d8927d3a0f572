package config

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"sonde_exporter/routes"
)

func TestParseAcceptsEveryKey(t *testing.T) {
	c := parsed(t, `
open_port: 8080
executable_name: shop
service_name: shop
service_namespace: web
discovery:
  services:
    - open_port: [80, 443, "8000-8999"]
      executable_name: nginx
      service_name: front
      service_namespace: web
    - {executable_name: "^/usr/bin/node$"}
  exclude:
    - executable_name: /sshd$
      open_port: 22
routes:
  patterns: ["/users/{id}", "/assets/*", "/"]
  ignored_patterns: [/health]
  unmatched: wildcard
histogram:
  buckets: [0.01, 1, 10]
series:
  limit: 500
  limit_per_service: 100
  retention: 1h30m
`)
	want := &Config{
		Discovery: Discovery{
			Services: []Rule{
				{ports(t, "80,443,8000-8999"), expression(t, "nginx"), "front", "web"},
				{ExecutableName: expression(t, "^/usr/bin/node$")},
				{ports(t, "8080"), expression(t, "shop"), "shop", "web"},
			},
			Exclude: []Rule{{OpenPort: ports(t, "22"), ExecutableName: expression(t, "/sshd$")}},
		},
		Routes: Routes{
			Patterns:        []string{"/users/{id}", "/assets/*", "/"},
			IgnoredPatterns: []string{"/health"},
			Unmatched:       routes.UnmatchedWildcard,
		},
		Histogram: Histogram{Buckets: []float64{0.01, 1, 10}},
		Series:    Series{Limit: 500, LimitPerService: 100, Retention: 90 * time.Minute},

		Traces:        defaultTraces(),
		MetricsExport: defaultMetricsExport(),
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
}

func TestParseReadsBeylaFiles(t *testing.T) {
	for name, test := range map[string]struct {
		file string
		want Discovery
	}{
		"shorthand": {
			"open_port: 443\n",
			Discovery{Services: []Rule{{OpenPort: ports(t, "443")}}},
		},
		"list of ports in one text": {
			"open_port: 80,443,8000-8999\nservice_name: my-instrumented-service\n",
			Discovery{Services: []Rule{{OpenPort: ports(t, "80,443,8000-8999"), ServiceName: "my-instrumented-service"}}},
		},
		"services": {
			"discovery:\n  services:\n    - exe_path: (pingclient)|(testserver)\n      name: a\n      namespace: b\n" +
				"    - open_ports: 30000-32767\n",
			Discovery{Services: []Rule{
				{ExecutableName: expression(t, "(pingclient)|(testserver)"), ServiceName: "a", ServiceNamespace: "b"},
				{OpenPort: ports(t, "30000-32767")},
			}},
		},
		"spelling of Beyla 1.0": {
			"discovery: {services: [{exe_path_regexp: nginx}]}",
			Discovery{Services: []Rule{{ExecutableName: expression(t, "nginx")}}},
		},
		"exclude_services": {
			"discovery: {exclude_services: [{exe_path: 'alloy$'}]}",
			Discovery{Exclude: []Rule{{ExecutableName: expression(t, "alloy$")}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := parsed(t, test.file).Discovery; !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestParseOfNothingIsDefault(t *testing.T) {
	for _, file := range []string{"", "\n", "# only a comment\n", "---\n", "null", "routes:\nopen_port:\nseries: {limit: }\n"} {
		if c := parsed(t, file); !reflect.DeepEqual(c, Default()) {
			t.Errorf("%q: got %+v, want the default", file, c)
		}
	}
}

func TestParseFollowsAliases(t *testing.T) {
	c := parsed(t, "discovery:\n  services:\n    - open_port: &p [80, 443]\n      executable_name: a\n"+
		"    - open_port: *p\n      executable_name: b\n")
	if got := c.Discovery.Services[1].OpenPort.String(); got != "80,443" {
		t.Errorf("got ports %q, want those of the anchor", got)
	}
}

func TestDefaultPerServiceLimitFollowsSmallerLimit(t *testing.T) {
	if got := parsed(t, "series: {limit: 50}").Series.LimitPerService; got != 50 {
		t.Errorf("got %d, want 50", got)
	}
}

func TestParseReportsAllProblemsInOrderOfLines(t *testing.T) {
	_, err := Parse("sonde.yml", []byte("series: {limit: -1}\nroutes:\n  patterns: [users]\nopen_prot: 80\n"))
	want := `config file sonde.yml, line 1: series.limit must be above zero, not -1
config file sonde.yml, line 3: routes.patterns[0]: pattern "users" must begin with /
config file sonde.yml, line 4: unknown key "open_prot"; did you mean "open_port"?`
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}

// TestParseErrors holds the one sentence that each mistake leads to. All of
// them begin with "config file sonde.yml".
func TestParseErrors(t *testing.T) {
	many := strings.Repeat("x", 300)
	for _, test := range []struct{ file, want string }{
		// The file as a whole.
		{"open_port: 80\n---\nopen_port: 81", ", line 2: a second document begins; keep one and remove the --- between them"},
		{"- open_port", ", line 1: the file must consist of keys and values, such as open_port: 443"},
		{"open_port: 80: 90", ": not valid YAML: mapping values are not allowed in this context"},
		{"\n\nopen_port: 80: 90", ", line 3: not valid YAML: mapping values are not allowed in this context"},
		{"routes:\n\tpatterns: []", ", line 2: not valid YAML: found character that cannot start any token; indent with spaces, not tabs, and put special characters in quotes"},
		{"routes: *nowhere", ": not valid YAML: unknown anchor 'nowhere' referenced"},
		{strings.Repeat("#", maxFileBytes+1), " is larger than 1 MiB; check that it is the right file"},

		// Keys.
		{"\n\nopen_prot: 80", `, line 3: unknown key "open_prot"; did you mean "open_port"?`},
		{"Open-Port: 80", `, line 1: unknown key "Open-Port"; did you mean "open_port"?`},
		{"port: 80", `, line 1: unknown key "port"; did you mean "open_port"?`},
		{"zzz: {}", `, line 1: unknown key "zzz"; known keys are discovery, executable_name, grafana, histogram, open_port, otel_metrics_export, otel_traces_export, prometheus_export, resource, routes, series, service_name, service_namespace`},
		{"patterns: [/a]", `, line 1: unknown key "patterns"; it belongs in routes`},
		{"routes: {pattern: [/a]}", `, line 1: unknown key "pattern" in routes; did you mean "patterns"?`},
		{"discovery: {services: [{exe_pth: a}]}", `, line 1: unknown key "exe_pth" in discovery.services[0]; did you mean "exe_path"?`},
		{"? [a]\n: 1", ", line 1: a key must be a plain word"},
		{"a: &a {open_port: 1}\n", `, line 1: unknown key "a"; known keys are discovery, executable_name, grafana, histogram, open_port, otel_metrics_export, otel_traces_export, prometheus_export, resource, routes, series, service_name, service_namespace`},
		{"<<: {open_port: 1}", `, line 1: merging with "<<" is not supported; write the keys out`},
		{"open_port: 80\nopen_port: 81", ", line 2: open_port is set already in line 1; keep one of the two"},
		{"series:\n  limit: 80\n  limit: 81", ", line 3: series.limit is set already in line 2; keep one of the two"},
		{"discovery:\n  services:\n  - open_port: 80\n    open_ports: 81", ", line 4: discovery.services[0].open_ports means the same as open_port in line 3; keep one of the two"},
		{"discovery: {services: [{exe_path: a, exe_path_regexp: b}]}", ", line 1: discovery.services[0].exe_path_regexp means the same as exe_path in line 1; keep one of the two"},

		// Types.
		{"routes:\n\n\n  patterns: /a", ", line 4: routes.patterns must be a list of strings"},
		{"routes: {patterns: [[/a]]}", ", line 1: routes.patterns must be a list of strings"},
		{"routes: {patterns: [/a, 1]}", ", line 1: routes.patterns[1] must be a string; write '1' in quotes"},
		{"routes: /a", ", line 1: routes must be a mapping, such as unmatched: heuristic"},
		{"discovery: [80]", ", line 1: discovery must be a mapping, such as services: [{open_port: 443}]"},
		{"histogram: [1]", ", line 1: histogram must be a mapping, such as buckets: [0.1, 1]"},
		{"series: 1", ", line 1: series must be a mapping, such as limit: 10000"},
		{"discovery: {services: {open_port: 80}}", ", line 1: discovery.services must be a list of rules, such as - open_port: 443"},
		{"discovery: {services: [80]}", ", line 1: discovery.services[0] must be a mapping, such as open_port: 443"},
		{"discovery: {services: [~]}", ", line 1: discovery.services[0] must be a mapping, such as open_port: 443"},
		{"service_name: 2024-01-01\nopen_port: 1", ", line 1: service_name must be a string; write '2024-01-01' in quotes"},
		{"service_name: [a]\nopen_port: 1", ", line 1: service_name must be a string"},
		{"executable_name: true", ", line 1: executable_name must be a string; write 'true' in quotes"},
		{"series: {limit: many}", ", line 1: series.limit must be a whole number, such as 10000"},
		{"series: {limit: 1.5}", ", line 1: series.limit must be a whole number, such as 10000"},
		{"series: {limit: 10_000}", `, line 1: series.limit: "10_000" is not a whole number; write one such as 10000`},
		{"series: {retention: [5m]}", ", line 1: series.retention must be a duration, such as 5m"},
		{"histogram: {buckets: 0.1}", ", line 1: histogram.buckets must be a list of numbers, such as [0.1, 0.5, 1]"},
		{"histogram: {buckets: [[0.1]]}", ", line 1: histogram.buckets must be a list of numbers, such as [0.1, 0.5, 1]"},
		{"routes: {patterns: [" + strings.Repeat("/a,", maxItems+1) + "]}", ", line 1: routes.patterns has 1001 items; at most 1000 are allowed"},

		// Ports and expressions.
		{"open_port: 0", ", line 1: open_port: port 0 does not exist; ports are 1 to 65535"},
		{"open_port: [80,\n 70000]", ", line 2: open_port: port 70000 does not exist; ports are 1 to 65535"},
		{"open_port: []", ", line 1: open_port is an empty list; write a port such as 443"},
		{"open_port: {a: 1}", ", line 1: open_port must be a list of ports, or one port, such as 443"},
		{"open_port: [[80]]", ", line 1: open_port must be a list of ports, or one port, such as 443"},
		{"executable_name: 'a(b'", `, line 1: executable_name: regular expression "a(b" is not valid at position 2: missing closing )`},
		{"executable_name: ''", ", line 1: executable_name: regular expression is empty; leave it out, or write .* to match everything"},

		// Rules.
		{"service_name: shop", ", line 1: service_name selects no process by itself; set open_port or executable_name too"},
		{"discovery:\n  services:\n  - name: shop", ", line 3: discovery.services[0] selects no process by itself; set open_port or executable_name too"},
		{"discovery: {exclude: [{}]}", ", line 1: discovery.exclude[0] selects no process by itself; set open_port or executable_name too"},
		{"discovery:\n  services:\n  - {open_port: 80, name: a}\n  - {open_port: 80, name: b}", ", line 4: discovery.services[1] selects the same processes as discovery.services[0] (line 3) but names them otherwise; keep one of the two"},
		{"discovery:\n  services:\n  - {open_port: 80}\n  - {open_port: [80]}", ", line 4: discovery.services[1] repeats discovery.services[0] (line 3); remove one of the two"},
		{"discovery:\n  services:\n  - {open_port: 1-100}\n  - {open_port: 80, executable_name: a}", ", line 4: discovery.services[1] never applies, because discovery.services[0] (line 3) comes first and selects all its processes; put the narrower rule first"},
		{"discovery:\n  services:\n  - {open_port: 80}\nopen_port: 80\nservice_name: a", ", line 4: open_port selects the same processes as discovery.services[0] (line 3) but names them otherwise; keep one of the two"},
		{"discovery:\n  services:\n  - {open_port: 80}\n  exclude:\n  - {open_port: 80}", ", line 3: discovery.services[0] selects only processes that discovery.exclude[0] (line 5) excludes; remove one of the two"},
		{"open_port: 80\ndiscovery:\n  exclude:\n  - {open_port: 1-1024}", ", line 1: open_port selects only processes that discovery.exclude[0] (line 4) excludes; remove one of the two"},
		{"discovery: {exclude: [{open_port: 80, name: a}]}", ", line 1: discovery.exclude[0] names a service, but excluded processes have no name; remove service_name and service_namespace"},
		{"discovery:\n  exclude:\n  - {exe_path: a}\n  - {exe_path: a}", ", line 4: discovery.exclude[1] repeats discovery.exclude[0] (line 3); remove one of the two"},
		{"open_port: 80\nservice_name: " + many, ", line 2: service_name has 300 bytes; at most 256 are allowed"},
		{"open_port: 80\nservice_name: \"a\\nb\"", ", line 2: service_name contains a control character; remove it"},
		{"open_port: 80\nservice_namespace: ' a'", ", line 2: service_namespace begins or ends with a space; remove it"},

		// Routes.
		{"routes: {unmatched: guess}", `, line 1: routes.unmatched must be heuristic, unset, wildcard or path, not "guess"`},
		{"routes: {patterns: [/a, /a]}", `, line 1: routes.patterns[1] "/a" is listed twice; remove one of the two`},
		{"routes: {patterns: ['/a/{b}', '/a/{c}']}", `, line 1: routes.patterns[1] "/a/{c}" matches the same paths as "/a/{b}"; remove one of the two`},
		{"routes:\n  patterns: ['/a/{b}']\n  ignored_patterns: ['/a/{c}']", `, line 2: routes.patterns[0] "/a/{b}" is also ignored by routes.ignored_patterns[0] (line 3); keep one of the two`},
		{"routes: {ignored_patterns: [a]}", `, line 1: routes.ignored_patterns[0]: pattern "a" must begin with /`},

		// Buckets.
		{"histogram: {buckets: []}", ", line 1: histogram.buckets must have at least one bound, such as 0.1"},
		{"histogram: {buckets: [" + numbers(31) + "]}", ", line 1: histogram.buckets has 31 bounds; at most 30 are allowed"},
		{"histogram: {buckets: [0, 1]}", ", line 1: histogram.buckets must be above zero, but has 0"},
		{"histogram: {buckets: [-1]}", ", line 1: histogram.buckets must be above zero, but has -1"},
		{"histogram: {buckets: [1, 0.5]}", ", line 1: histogram.buckets must ascend, but 0.5 comes after 1"},
		{"histogram: {buckets: [1, 1.0]}", ", line 1: histogram.buckets has 1 twice; remove one of the two"},
		{"histogram: {buckets: [1e-12]}", ", line 1: histogram.buckets has 1e-12; the smallest bound is 1e-09, a nanosecond"},
		{"histogram: {buckets: [1, 1.0000000001]}", ", line 1: histogram.buckets has 1 and 1.0000000001, which are less than a nanosecond apart; remove one of the two"},
		{"histogram: {buckets: [1e9]}", ", line 1: histogram.buckets has 1e+09; the largest bound is 86400 seconds, a day"},
		{"histogram: {buckets: [1, .inf]}", ", line 1: histogram.buckets: the +Inf bucket is always there; leave it out"},
		{"histogram: {buckets: [1, +Inf]}", ", line 1: histogram.buckets: the +Inf bucket is always there; leave it out"},
		{"histogram: {buckets: [.nan]}", `, line 1: histogram.buckets: ".nan" is not a number of seconds; write one such as 0.25`},
		{"histogram: {buckets: [NaN]}", `, line 1: histogram.buckets: "NaN" is not a number of seconds; write one such as 0.25`},
		{"histogram: {buckets: [10ms]}", `, line 1: histogram.buckets: "10ms" is not a number of seconds; write one such as 0.25`},

		// Series.
		{"series: {limit: 0}", ", line 1: series.limit must be above zero, not 0"},
		{"series: {limit: 1000001}", ", line 1: series.limit must be at most 1000000, not 1000001"},
		{"series: {limit_per_service: -5}", ", line 1: series.limit_per_service must be above zero, not -5"},
		{"series: {limit: 10, limit_per_service: 11}", ", line 1: series.limit_per_service is 11, more than the limit of all series, 10; lower it or raise series.limit"},
		{"series: {limit_per_service: 20000}", ", line 1: series.limit_per_service is 20000, more than the limit of all series, 10000; lower it or raise series.limit"},
		{"series: {retention: 0s}", ", line 1: series.retention must be above zero, not 0s"},
		{"series: {retention: 5}", `, line 1: series.retention: "5" is not a duration; write a number and a unit such as 90s, 5m or 1h30m`},
	} {
		t.Run(test.want, func(t *testing.T) {
			c, err := Parse("sonde.yml", []byte(test.file))
			if err == nil {
				t.Fatalf("%q is accepted", shorten(test.file))
			}
			if got, want := err.Error(), "config file sonde.yml"+test.want; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if c != nil {
				t.Error("a configuration comes with the error")
			}
		})
	}
}

func numbers(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprint(i+1))
	}
	return strings.Join(list, ",")
}

func parsed(t *testing.T, file string) *Config {
	t.Helper()
	c, err := Parse("sonde.yml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func ports(t *testing.T, text string) Ports {
	t.Helper()
	p, err := ParsePorts(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func expression(t *testing.T, pattern string) Regexp {
	t.Helper()
	r, err := ParseRegexp(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
