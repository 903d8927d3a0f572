package config

import (
	"bytes"
	"reflect"
	"testing"
)

func TestDefaultIsValid(t *testing.T) {
	c, err := newDraft().finish(&problems{})
	if err != nil || !reflect.DeepEqual(c, Default()) {
		t.Errorf("got %+v and %v, want the default", c, err)
	}
}

func TestDefaultIsNotShared(t *testing.T) {
	Default().Histogram.Buckets[0] = 99
	if got := Default().Histogram.Buckets[0]; got != 0.005 {
		t.Errorf("a change of one default shows in the next: %v", got)
	}
}

func TestYAML(t *testing.T) {
	text, err := parsed(t, "open_port: 443\nservice_name: \"yes\"\nhistogram: {buckets: [0.1, 10]}\n"+
		"discovery: {exclude: [{open_port: [80, 8000-8999], executable_name: '^/bin/\\w+$'}]}").YAML()
	if err != nil {
		t.Fatal(err)
	}
	want := `discovery:
  services:
    - open_port: 443
      service_name: "yes"
  exclude:
    - open_port: 80,8000-8999
      executable_name: ^/bin/\w+$
routes:
  patterns: []
  ignored_patterns: []
  unmatched: heuristic
histogram:
  buckets: [0.1, 10]
series:
  limit: 10000
  limit_per_service: 1000
  retention: 5m0s
otel_traces_export:
  endpoint: ""
  protocol: http/protobuf
  compression: gzip
  timeout: 10s
  keep_errors: false
  keep_slower_than: 0s
  queue_size: 4096
  batch_size: 512
  batch_timeout: 500ms
  query: false
  scrub_query: [AWSAccessKeyId, Signature, sig, X-Goog-Signature, access_token, api_key, apikey, auth, code, key, password, secret, token]
  request_headers: []
  sampler:
    name: parentbased_always_on
otel_metrics_export:
  endpoint: ""
  protocol: http/protobuf
  compression: gzip
  timeout: 10s
  interval: 1m0s
  histogram: explicit
`
	if string(text) != want {
		t.Errorf("got:\n%s\nwant:\n%s", text, want)
	}
}

// checkRoundTrip prints a configuration and reads it back.
func checkRoundTrip(t *testing.T, c *Config) {
	t.Helper()
	text, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse("printed.yml", text)
	if err != nil {
		t.Fatalf("%v\nin:\n%s", err, text)
	}
	want := *c
	want.Warnings = again.Warnings // those of the printed file are fewer
	if !reflect.DeepEqual(again, &want) {
		t.Errorf("got  %+v\nwant %+v\nfrom:\n%s", again, c, text)
	}
}

// hasSecrets tells that a printed configuration cannot be read back.
func hasSecrets(c *Config) bool {
	text, err := c.YAML()
	return err != nil || bytes.Contains(text, []byte(redacted))
}

// seeds are files of every kind, good and bad.
func seeds() []string {
	return []string{
		"", "null", "---\n---\n", "open_port: 443\n",
		"open_port: [80, \"8000-8999\"]\nexecutable_name: nginx\nservice_name: '443'\nservice_namespace: a b\n",
		"discovery:\n  services:\n    - &r {exe_path: 'a|b', name: \"yes\"}\n  exclude: [{open_port: 1-65535, exe_path: c}]\n",
		"routes: {patterns: ['/users/{id}', '/a/*'], ignored_patterns: [/health], unmatched: path}",
		"histogram: {buckets: [1e-9, 0.1, 3600.5]}\nseries: {limit: 7, retention: 1h2m3.5s}",
		"otel_traces_export: {endpoint: http://localhost:4317, sampler: {name: traceidratio, arg: 0.25}, keep_errors: true}",
		"otel_metrics_export: {endpoint: 'https://[::1]:1/a//?', protocol: grpc, interval: 5s}\nresource: {a: 1}",
		"otel_metrics_export: {endpoint: 'https://a%20b/%2f/otlp//', compression: none, histogram_aggregation: explicit_bucket_histogram}",
		"otel_traces_export: {headers: {a: b}, basic_auth: {username: a, password: b}, scrub_query: [], request_headers: [Accept]}",
		"ebpf: {wakeup_len: 1}\nlog_level: debug\ngrafana: {otlp: {cloud_submit: [traces]}}",
		"a: &a [*a]", "open_port: &a [*a]", "discovery: &d {services: *d}", "? {a: b}\n: c", "<<: *x", "!!binary a: b",
		"executable_name: '(((('", "\xff\xfe", "\t", "{", "service_name: \"\\x00\"",
	}
}

func TestRoundTrip(t *testing.T) {
	checkRoundTrip(t, Default())
	good := 0
	for _, seed := range seeds() {
		if c, err := Parse("seed.yml", []byte(seed)); err == nil {
			checkRoundTrip(t, c)
			good++
		}
	}
	if good < 10 {
		t.Errorf("only %d seeds are valid", good)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range seeds() {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		c, err := Parse("fuzz.yml", file)
		if (c == nil) == (err == nil) {
			t.Fatalf("got both or neither: %v, %v", c, err)
		}
		if c != nil && !hasSecrets(c) {
			checkRoundTrip(t, c)
		}
	})
}
