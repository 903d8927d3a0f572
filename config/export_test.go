package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// traces makes the traces of a file with one section, and checks that there is
// no mistake in it.
func tracesOf(t *testing.T, section string) Traces {
	t.Helper()
	return parsed(t, "otel_traces_export: "+section).Traces
}

func TestExportSectionsAcceptEveryKey(t *testing.T) {
	files := newCertificate(t)
	put(t, files.dir, "password", "s3cret\n")
	put(t, files.dir, "headers", "# of the tenant\nX-Scope-OrgID: shop\n\nX-Note: a: b\n")
	put(t, files.dir, "sonde.yml", `
otel_traces_export:
  endpoint: https://tempo:4318/base
  protocol: http/protobuf
  headers_file: headers
  basic_auth: {username: 1234, password_file: password}
  tls: {ca_file: cert.pem, cert_file: cert.pem, key_file: key.pem, server_name: tempo.internal, insecure_skip_verify: true}
  compression: none
  timeout: 5s
  sampler: {name: parentbased_traceidratio, arg: "0.25"}
  keep_errors: true
  keep_slower_than: 2s
  queue_size: 100
  batch_size: 10
  batch_timeout: 1s
  query: true
  scrub_query: [token]
  request_headers: [X-Request-Id, accept]
otel_metrics_export:
  endpoint: http://localhost:4317
  headers: {X-Scope-OrgID: shop, x-n: 7}
  interval: 15s
  histogram: exponential
resource:
  deployment.environment.name: production
  shard: 3
`)
	cert, key := filepath.Join(files.dir, "cert.pem"), filepath.Join(files.dir, "key.pem")
	got, err := load(t, "--config.file="+filepath.Join(files.dir, "sonde.yml"))
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Traces = Traces{
		Target: Target{
			Endpoint: "https://tempo:4318/base/v1/traces", Protocol: ProtocolHTTP,
			Headers:   Headers{"X-Scope-OrgID": "shop", "X-Note": "a: b"},
			BasicAuth: BasicAuth{Username: "1234", Password: "s3cret"},
			TLS: ClientTLS{
				CAFile: cert, CertFile: cert, KeyFile: key, ServerName: "tempo.internal", InsecureSkipVerify: true,
			},
			Compression: CompressionNone, Timeout: 5 * time.Second,
		},
		Sampler: SamplerParentOrRatio, Ratio: 0.25, KeepErrors: true, KeepSlowerThan: 2 * time.Second,
		QueueSize: 100, BatchSize: 10, BatchTimeout: time.Second,
		Query: true, ScrubQuery: []string{"token"}, RequestHeaders: []string{"x-request-id", "accept"},
	}
	want.MetricsExport = MetricsExport{
		Target: Target{
			Endpoint: "http://localhost:4317", Protocol: ProtocolGRPC, Insecure: true,
			Headers: Headers{"X-Scope-OrgID": "shop", "x-n": "7"}, Compression: CompressionGzip, Timeout: 10 * time.Second,
		},
		Interval: 15 * time.Second, Histogram: HistogramExponential,
	}
	want.Resource = map[string]string{"deployment.environment.name": "production", "shard": "3"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestEndpoints shows what becomes of an endpoint in the file.
func TestEndpoints(t *testing.T) {
	for _, test := range []struct {
		endpoint, protocol, traces, metrics string
	}{
		{"http://localhost:4318", ProtocolHTTP, "http://localhost:4318/v1/traces", "http://localhost:4318/v1/metrics"},
		{"http://localhost:4318/", ProtocolHTTP, "http://localhost:4318/v1/traces", "http://localhost:4318/v1/metrics"},
		{"http://localhost", ProtocolHTTP, "http://localhost/v1/traces", "http://localhost/v1/metrics"},
		{"HTTP://[::1]:24318", ProtocolHTTP, "http://[::1]:24318/v1/traces", "http://[::1]:24318/v1/metrics"},
		{"https://a/otlp/", ProtocolHTTP, "https://a/otlp/v1/traces", "https://a/otlp/v1/metrics"},
		{"https://a/v1/traces", ProtocolHTTP, "https://a/v1/traces", "https://a/v1/traces"},
		{"https://a/v1/metrics/", ProtocolHTTP, "https://a/v1/metrics/v1/traces", "https://a/v1/metrics"},
		{"http://a/api/v1/push", ProtocolHTTP, "http://a/api/v1/push/v1/traces", "http://a/api/v1/push"},
		{"http://a/b%2Fc", ProtocolHTTP, "http://a/b%2Fc/v1/traces", "http://a/b%2Fc"},
		{"http://alloy:4317", ProtocolGRPC, "http://alloy:4317", "http://alloy:4317"},
		{"http://alloy:14317/", ProtocolGRPC, "http://alloy:14317", "http://alloy:14317"},
	} {
		t.Run(test.endpoint, func(t *testing.T) {
			c := parsed(t, "otel_traces_export: {endpoint: '"+test.endpoint+"'}\notel_metrics_export: {endpoint: '"+test.endpoint+"'}")
			if c.Traces.Endpoint != test.traces || c.MetricsExport.Endpoint != test.metrics {
				t.Errorf("got %s and %s, want %s and %s", c.Traces.Endpoint, c.MetricsExport.Endpoint, test.traces, test.metrics)
			}
			if c.Traces.Protocol != test.protocol || c.Traces.Insecure != !strings.HasPrefix(test.endpoint, "https") {
				t.Errorf("got protocol %s, insecure %v", c.Traces.Protocol, c.Traces.Insecure)
			}
		})
	}
}

func TestProtocolOutranksPort(t *testing.T) {
	if got := tracesOf(t, "{endpoint: http://a:4317/x, protocol: http/protobuf}").Endpoint; got != "http://a:4317/x/v1/traces" {
		t.Errorf("got %s", got)
	}
	if got := tracesOf(t, "{endpoint: https://tempo.example, protocol: grpc}").Endpoint; got != "https://tempo.example:443" {
		t.Errorf("got %s", got)
	}
}

func TestSamplers(t *testing.T) {
	for section, want := range map[string]Traces{
		"{}":                            {Sampler: SamplerParentOrAlwaysOn, Ratio: 1},
		"{sampler: {name: always_on}}":  {Sampler: SamplerAlwaysOn, Ratio: 1},
		"{sampler: {name: always_off}}": {Sampler: SamplerAlwaysOff},
		"{sampler: {name: parentbased_always_off}}":              {Sampler: SamplerParentOrAlwaysOff},
		"{sampler: {name: traceidratio}}":                        {Sampler: SamplerRatio, Ratio: 1},
		`{sampler: {name: "traceidratio", arg: "0.1"}}`:          {Sampler: SamplerRatio, Ratio: 0.1},
		"{sampler: {name: traceidratio, arg: 0.1}}":              {Sampler: SamplerRatio, Ratio: 0.1},
		"{sampler: {name: parentbased_traceidratio, arg: '0'}}":  {Sampler: SamplerParentOrRatio},
		"{sampler: {name: parentbased_traceidratio, arg: '1'}}":  {Sampler: SamplerParentOrRatio, Ratio: 1},
		"{sampler: {name: parentbased_traceidratio, arg: 1e-3}}": {Sampler: SamplerParentOrRatio, Ratio: 0.001},
	} {
		if got := tracesOf(t, section); got.Sampler != want.Sampler || got.Ratio != want.Ratio {
			t.Errorf("%s: got %s %v", section, got.Sampler, got.Ratio)
		}
	}
}

func TestDefaultBatchFollowsSmallerQueue(t *testing.T) {
	if got := tracesOf(t, "{queue_size: 100}").BatchSize; got != 100 {
		t.Errorf("got %d, want 100", got)
	}
}

// TestExportErrors holds the one sentence that each mistake leads to. KEY is
// the section, and all sentences begin with file and line.
func TestExportErrors(t *testing.T) {
	const url = "endpoint: http://localhost:4318"
	for _, test := range []struct{ section, want string }{
		// Endpoints.
		{"{endpoint: 'localhost:4318'}", "KEY.endpoint is not a URL with a scheme; write one such as http://localhost:4318"},
		{"{endpoint: 'grpc://localhost:4317'}", `KEY.endpoint has the scheme "grpc"; write http or https`},
		{"{endpoint: 'http://'}", "KEY.endpoint has no host; write one such as http://localhost:4318"},
		{"{endpoint: 'http://:4318'}", "KEY.endpoint has no host; write one such as http://localhost:4318"},
		{"{endpoint: 'http://a:b'}", "KEY.endpoint is not a URL; write one such as http://localhost:4318"},
		{"{endpoint: 'http://a:'}", "KEY.endpoint has a colon without a port; write one such as http://localhost:4318"},
		{"{endpoint: 'http://a:70000'}", "KEY.endpoint has the port 70000, which does not exist; ports are 1 to 65535"},
		{"{endpoint: 'https://me:s3cret@a'}", "KEY.endpoint has a user name or a password within the URL; write them in basic_auth"},
		{"{endpoint: 'https://a?key=s3cret'}", "KEY.endpoint has a part from ? or #, which OTLP does not use; remove it"},
		{"{endpoint: 'http://a:4317/x'}", "KEY.endpoint has a path, which gRPC does not use; remove the path or set the protocol to http/protobuf"},
		{"{endpoint: 'http://a', protocol: grpc}", "KEY.endpoint has no port; gRPC receivers mostly use 4317"},
		{"{endpoint: [a]}", "KEY.endpoint must be a single value"},
		{"http://localhost:4318", "KEY must be a mapping, such as endpoint: http://localhost:4318"},

		// Plain values.
		{"{protocol: http/json}", `KEY.protocol must be grpc or http/protobuf, not "http/json"`},
		{"{compression: zstd}", `KEY.compression must be gzip or none, not "zstd"`},
		{"{timeout: 10}", `KEY.timeout: "10" is not a duration; write a number and a unit such as 90s, 5m or 1h30m`},
		{"{timeout: 0s}", "KEY.timeout must be at least 1ms, not 0s"},
		{"{timeout: 2h}", "KEY.timeout must be at most 1h0m0s, not 2h0m0s"},
		{"{queue_size: 0, batch_size: 1}", "KEY.queue_size must be above zero, not 0"},
		{"{queue_size: 1000001}", "KEY.queue_size must be at most 1000000, not 1000001"},
		{"{max_queue_size: 10, max_export_batch_size: 11}", "KEY.max_export_batch_size is 11, more than the queue holds, 10; lower it or raise queue_size"},
		{"{batch_size: many}", `KEY.batch_size: "many" is not a whole number; write one such as 10000`},
		{"{batch_timeout: -1s}", "KEY.batch_timeout must be at least 1ms, not -1s"},
		{"{keep_slower_than: -1s}", "KEY.keep_slower_than must not be below zero, but is -1s; write 0s to keep none"},
		{"{keep_errors: yes}", `KEY.keep_errors: "yes" is neither true nor false`},
		{"{request_headers: [a b]}", `KEY.request_headers has "a b", which is not the name of a header`},
		{"{request_headers: {a: b}}", "KEY.request_headers must be a list of strings"},
		{`{scrub_query: ["a\nb"]}`, `KEY.scrub_query has "a\nb", which contains a control character; remove it`},
		{"{scrub_query: [" + strings.Repeat("a,", maxNames+1) + "]}", "KEY.scrub_query has 101 items; at most 100 are allowed"},

		// Samplers.
		{"{sampler: {name: jaeger}}", `KEY.sampler.name must be always_on, always_off, traceidratio, or one of these after parentbased_, not "jaeger"`},
		{"{sampler: {name: traceidratio, arg: 1.1}}", `KEY.sampler.arg must be a number from 0 to 1, such as 0.1, not "1.1"`},
		{"{sampler: {name: traceidratio, arg: -0.1}}", `KEY.sampler.arg must be a number from 0 to 1, such as 0.1, not "-0.1"`},
		{"{sampler: {name: traceidratio, arg: NaN}}", `KEY.sampler.arg must be a number from 0 to 1, such as 0.1, not "NaN"`},
		{"{sampler: {name: traceidratio, arg: 10%}}", `KEY.sampler.arg must be a number from 0 to 1, such as 0.1, not "10%"`},
		{"{sampler: {arg: 0.1}}", `KEY.sampler.arg has no meaning for the sampler "parentbased_always_on"; remove it or write parentbased_traceidratio`},
		{"{sampler: traceidratio}", "KEY.sampler must be a mapping, such as name: …"},
		{"{sampler: {ratio: 1}}", `unknown key "ratio" in KEY.sampler; known keys are arg, name`},

		// Credentials.
		{"{basic_auth: {username: a}}", "KEY.basic_auth.username is set without password_file; set both"},
		{"{basic_auth: {password: s3cret}}", "KEY.basic_auth.password is set without username; set both"},
		{"{basic_auth: {username: 'a:b', password: s3cret}}", "KEY.basic_auth.username contains a colon, which basic authentication does not allow in a user name"},
		{"{basic_auth: {username: a, password: s3cret, password_file: b}}", "KEY.basic_auth.password_file and KEY.basic_auth.password (line 1) are both set; remove one of the two"},
		{"{basic_auth: {username: a, password_file: /nowhere}, " + url + "}", "KEY.basic_auth.password_file: file /nowhere cannot be read: no such file; check its name"},
		{"{basic_auth: {username: a, password_file: /}, " + url + "}", "KEY.basic_auth.password_file: file / cannot be read: is a directory; check its name"},
		{"{basic_auth: {username: a, password_file: /dev/null}, " + url + "}", "KEY.basic_auth.password_file: the content of file /dev/null is empty"},
		{"{basic_auth: {username: a, password_file: /dev/zero}, " + url + "}", "KEY.basic_auth.password_file: file /dev/zero is larger than 1 MiB; check that it is the right file"},
		{"{basic_auth: {username: a, password: <secret>}}", "KEY.basic_auth.password: the secret is <secret>, which stands for a secret that was not printed; write the secret itself"},
		{"{basic_auth: {username: a, password: '${PASS}'}}", "KEY.basic_auth.password: the secret names a variable, but variables in the file are not replaced; set the secret's own environment variable or its _file key"},
		{"{headers: {authorization: s3cret}, basic_auth: {username: a, password: b}, " + url + "}", "KEY.basic_auth.username and the header Authorization are both set; remove one of the two"},
		{"{headers: {a: b}, headers_file: c}", "KEY.headers_file and KEY.headers (line 1) are both set; remove one of the two"},
		{"{headers: {a: s3cret, A: s3cret}}", `KEY.headers: header "A" is set twice; remove one of the two`},
		{"{headers: {a b: s3cret}}", "KEY.headers: a header name is not valid; use letters, digits and - only"},
		{`{headers: {a: "s3cret\nb"}}`, `KEY.headers: the value of header "a" contains a line end or a zero byte; remove it`},
		{"{headers: {a: [s3cret]}}", "KEY.headers must be a mapping of names to values, such as X-Scope-OrgID: tenant"},
		{"{headers: [a]}", "KEY.headers must be a mapping, such as X-Scope-OrgID: tenant"},
		{"{headers: s3cret}", "KEY.headers: an item has no =; write name=value,name=value, and %2C for a comma within a value"},
		{"{headers_file: /nowhere, " + url + "}", "KEY.headers_file: file /nowhere cannot be read: no such file; check its name"},
		{"{headers_file: /dev/null, " + url + "}", "KEY.headers_file: there is no header; write one a line, name: value"},

		// TLS.
		{"{tls: {cert_file: a}}", "KEY.tls.cert_file is set without key_file; set both"},
		{"{tls: {key_file: a}}", "KEY.tls.key_file is set without cert_file; set both"},
		{"{tls: {cert_file: a, key_file: b}, " + url + "}", "KEY.tls.cert_file is of no use, because the endpoint begins with http://; write https:// or remove the file"},
		{"{tls: {ca_file: a}, " + url + "}", "KEY.tls.ca_file is of no use, because the endpoint begins with http://; write https:// or remove the file"},
		{"{tls: {ca_file: /nowhere}, endpoint: https://a}", "KEY.tls.ca_file: file /nowhere cannot be read: no such file; check its name"},
		{"{tls: {ca_file: /dev/null}, endpoint: https://a}", "KEY.tls.ca_file: file /dev/null holds no certificate in PEM form"},
		{"{tls: {cert_file: /dev/null, key_file: /dev/null}, endpoint: https://a}", "KEY.tls.cert_file: files /dev/null and /dev/null are not a certificate and its key: failed to find any PEM data in certificate input"},
		{"{insecure_skip_verify: true, tls: {insecure_skip_verify: false}}", "KEY.tls.insecure_skip_verify means the same as KEY.insecure_skip_verify (line 1); keep one of the two"},
	} {
		t.Run(test.want, func(t *testing.T) {
			_, err := Parse("sonde.yml", []byte("otel_traces_export: "+test.section))
			if err == nil {
				t.Fatalf("%s is accepted", test.section)
			}
			key := "config file sonde.yml, line 1: "
			want := key + strings.ReplaceAll(test.want, "KEY", "otel_traces_export")
			if err.Error() != want {
				t.Errorf("got  %s\nwant %s", err, want)
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Error("the error shows a secret")
			}
		})
	}
}

func TestMetricsExportErrors(t *testing.T) {
	for section, want := range map[string]string{
		"{interval: 100ms}":      "otel_metrics_export.interval must be at least 1s, not 100ms",
		"{histogram: native}":    `otel_metrics_export.histogram must be explicit or exponential, not "native"`,
		"{sampler: {}}":          `unknown key "sampler" in otel_metrics_export; it belongs in otel_traces_export`,
		"{endpont: http://a}":    `unknown key "endpont" in otel_metrics_export; did you mean "endpoint"?`,
		"{}\nresource: [a]":      "resource must be a mapping, such as deployment.environment.name: production",
		"{}\nresource: {a: [b]}": "resource must be a mapping of names to values, such as deployment.environment.name: production",
		"{}\nresource: {a: ' '}": `resource: the value of attribute "a" begins or ends with a space; remove it`,
		"{}\nresource: {'': b}":  "resource: an attribute has no name; write name: value",
	} {
		_, err := Parse("sonde.yml", []byte("otel_metrics_export: "+section))
		if err == nil || !strings.HasSuffix(err.Error(), ": "+want) {
			t.Errorf("%s: got %v, want %s", section, err, want)
		}
	}
}

func TestCredentialsInClearTextAreWarnedOf(t *testing.T) {
	const sentence = "config file sonde.yml, line 1: otel_traces_export.endpoint sends headers or a password without encryption; write https unless the network is trusted"
	for section, want := range map[string][]string{
		"{endpoint: http://alloy:4318, headers: {a: b}}":                            {sentence},
		"{endpoint: http://alloy:4317, basic_auth: {username: a, password: b}}":     {sentence},
		"{endpoint: http://alloy:4318}":                                             nil,
		"{endpoint: https://alloy:4318, headers: {a: b}}":                           nil,
		"{endpoint: http://localhost:4318, headers: {a: b}}":                        nil,
		"{endpoint: 'http://[::1]:4318', headers: {a: b}}":                          nil,
		"{endpoint: http://127.0.0.1:4318, basic_auth: {username: a, password: b}}": nil,
	} {
		if got := parsed(t, "otel_traces_export: "+section).Warnings; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %q, want %q", section, got, want)
		}
	}
}

// certificate is one that signs itself, in PEM files.
type certificate struct{ dir, cert, key string }

func newCertificate(t *testing.T) certificate {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	public, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	return certificate{
		dir:  dir,
		cert: put(t, dir, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: public}))),
		key:  put(t, dir, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))),
	}
}

func TestKeyOfAnotherCertificateIsRefused(t *testing.T) {
	one, other := newCertificate(t), newCertificate(t)
	_, err := load(t, "--otel-traces-export.endpoint=https://a",
		"--otel-traces-export.tls.cert-file="+one.cert, "--otel-traces-export.tls.key-file="+other.key)
	want := "flag --otel-traces-export.tls.cert-file: files " + one.cert + " and " + other.key +
		" are not a certificate and its key: private key does not match public key"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// put writes a file and returns its path.
func put(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
