package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/netlab"
	"sonde_exporter/test/servers"
)

// TestNothingIsPushed: without an endpoint no span leaves the kernel.
func TestNothingIsPushed(t *testing.T) {
	web := servers.Go(t, programs(t).GoServer)
	e := exporter(t, harness.Options{
		Config: selection(map[string]*servers.Process{"web": web.Process}),
		// A host may set these for other programs.
		Env: []string{"OTEL_TRACES_SAMPLER=always_on", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "OTEL_EXPORTER_OTLP_HEADERS=a=b"},
	})
	hello(t, web, 20)
	snap := e.Expect(t, harness.Server, harness.Labels{"server_port": web.PortLabel()}, row(20, "GET", "/hello", "200"))
	if a := accountOf(snap); a != (account{}) {
		t.Errorf("%+v, want no span", a)
	}
}

// TestExportByEnvironment: the variables of the OpenTelemetry specification.
func TestExportByEnvironment(t *testing.T) {
	web := servers.Go(t, programs(t).GoServer)
	services := selection(map[string]*servers.Process{"web": web.Process})
	for _, c := range []struct {
		name     string
		env      func(r *harness.Receiver) []string
		spans    int
		protocol string
		metrics  bool
	}{
		{"one endpoint for all", func(r *harness.Receiver) []string {
			return []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + r.HTTPURL(), "OTEL_METRIC_EXPORT_INTERVAL=1000"}
		}, 10, "http", true},
		{"traces by gRPC", func(r *harness.Receiver) []string {
			return []string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=" + r.GRPCURL(), "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"}
		}, 10, "grpc", false},
		{"an endpoint of traces is used as it is", func(r *harness.Receiver) []string {
			return []string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=" + r.HTTPURL() + "/v1/traces", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf"}
		}, 10, "http", false},
		{"sampled by variables", func(r *harness.Receiver) []string {
			return []string{
				"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=" + r.HTTPURL() + "/v1/traces",
				"OTEL_TRACES_SAMPLER=parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG=0",
			}
		}, 5, "http", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := receiver(t, harness.ReceiverOptions{})
			exporter(t, harness.Options{Config: services, Env: append(c.env(r), "OTEL_EXPORTER_OTLP_HEADERS=x-tenant=a%20b")})
			hello(t, web, 5)
			conn := servers.Dial(t, web.Addr())
			for i := range 5 {
				talk(t, conn, request("/hello", "traceparent: "+traceparent(uint64(i+1), "01")))
			}
			r.WaitSpans(t, c.spans, harness.Of("web", "Server"))
			if c.metrics {
				harness.Eventually(t, "metrics", func() bool { return r.Counts(t).Points > 0 })
			}
			signals := map[string]bool{}
			for _, request := range r.Requests(t) {
				signals[request.Signal] = true
				if request.Protocol != c.protocol || request.Headers["x-tenant"] != "a b" {
					t.Errorf("a request came by %s with the headers %v", request.Protocol, request.Headers)
				}
			}
			if signals["metrics"] != c.metrics {
				t.Errorf("metrics were sent: %t, want %t", signals["metrics"], c.metrics)
			}
		})
	}
}

// beylaExample is the example of Beyla's documentation, to the letter.
const beylaExample = `open_port: 443
otel_metrics_export:
  endpoint: http://localhost:4318
otel_traces_export:
  endpoint: http://localhost:4318
`

// TestBeylaExample: the file runs unmodified. The ports are those of a network
// namespace, where nobody else has them.
func TestBeylaExample(t *testing.T) {
	config := filepath.Join(servers.Dir(t), "beyla.yml")
	servers.WriteFile(t, config, beylaExample)
	for name, c := range map[string]struct{ args, env []string }{
		"by flag":     {args: []string{"--config.file=" + config}},
		"by variable": {env: []string{"SONDE_CONFIG_FILE=" + config}},
	} {
		t.Run(name, func(t *testing.T) {
			lab, err := netlab.New(netlab.Impairment{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := lab.Close(); err != nil {
					t.Error(err)
				}
			})
			inside := func(program string, args ...string) *exec.Cmd {
				return lab.Server().Command(t.Context(), program, args...)
			}
			r := receiver(t, harness.ReceiverOptions{HTTPPort: 4318, Command: inside})
			web := servers.Start(t, "goserver", 443, inside(programs(t).GoServer, "-addr", "127.0.0.1:443"))
			caller := servers.PeerCommand(t, inside(programs(t).Peer))
			port := servers.FreePort(t)
			sonde := inside(programs(t).Exporter, append(c.args, fmt.Sprintf("--web.listen-address=127.0.0.1:%d", port))...)
			sonde.Env = append(sonde.Environ(), append(c.env, "OTEL_METRIC_EXPORT_INTERVAL=1000")...)
			servers.Start(t, "sonde_exporter", port, sonde)
			// It listens before it is ready.
			harness.Eventually(t, "a span", func() bool {
				caller.Fetch(t, servers.Fetch{URL: web.URL("/hello"), Requests: 1, Connections: 1})
				time.Sleep(200 * time.Millisecond)
				return r.Counts(t).Spans > 0
			})
			for _, s := range r.Spans(t) {
				if s.Kind == "Server" && (s.Service() != "goserver" || s.Attributes["server.port"] != 443.0) {
					t.Errorf("a span of another service: %+v", s)
				}
			}
			harness.Eventually(t, "the metric", func() bool {
				for _, p := range r.Points(t) {
					if p.Name == "http.server.request.duration" && p.Count > 0 {
						return true
					}
				}
				return false
			})
			for _, request := range r.Requests(t) {
				if !strings.HasPrefix(request.Path, "/v1/") {
					t.Errorf("something was sent to %s", request.Path)
				}
			}
		})
	}
}

// TestExampleFiles: what examples/ has for Sonde, with the addresses and the files of
// this test put in. Errors are sampled always.
func TestExampleFiles(t *testing.T) {
	root, err := harness.Root()
	if err != nil {
		t.Fatal(err)
	}
	own, client := harness.Certificate(t, servers.Dir(t)), harness.Certificate(t, servers.Dir(t))
	for name, c := range map[string]struct {
		receiver harness.ReceiverOptions
		endpoint string
	}{
		"alloy": {harness.ReceiverOptions{}, "http://localhost:4317"},
		"tempo": {harness.ReceiverOptions{Keys: &own.KeyFiles, ClientCA: client.Cert}, "https://tempo.example.com:4317"},
	} {
		t.Run(name, func(t *testing.T) {
			r := receiver(t, c.receiver)
			example, err := os.ReadFile(filepath.Join(root, "examples", name, "sonde.yml"))
			if err != nil {
				t.Fatal(err)
			}
			config := strings.NewReplacer(c.endpoint, r.GRPCURL(), "/etc/sonde/ca.crt", own.Cert,
				"/etc/sonde/client.crt", client.Cert, "/etc/sonde/client.key", client.Key).Replace(string(example))
			// The port of the example tells the protocol; this one does not.
			config = strings.Replace(config, "endpoint: "+r.GRPCURL(), "endpoint: "+r.GRPCURL()+"\n  protocol: grpc", 1)
			if !strings.Contains(config, r.GRPCURL()) {
				t.Fatalf("the example has another endpoint than %s:\n%s", c.endpoint, example)
			}
			web := servers.Go(t, programs(t).GoServer)
			exporter(t, harness.Options{Config: selection(map[string]*servers.Process{"web": web.Process}) + config})
			conn := servers.Dial(t, web.Addr())
			for range 3 {
				talk(t, conn, request("/status/500", "traceparent: "+traceparent(7, "00")))
				talk(t, conn, request("/hello", "traceparent: "+traceparent(8, "00")))
			}
			r.WaitSpans(t, 3, harness.Of("web", "Server"))
			for _, request := range r.Requests(t) {
				if c.receiver.ClientCA != "" && request.Certificate == "" {
					t.Errorf("a request came without a certificate: %+v", request)
				}
			}
		})
	}
}
