package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// tracing is an exporter that sends its spans to a receiver of its own.
type tracing struct {
	*harness.Exporter
	receiver *harness.Receiver
}

// selection is the part of a configuration that names services by their ports.
// Whatever else runs on this host, the receiver included, is not measured.
func selection(services map[string]*servers.Process) string {
	var b strings.Builder
	b.WriteString("discovery:\n  services:\n")
	for name, process := range services {
		fmt.Fprintf(&b, "    - { open_port: %d, service_name: %s }\n", process.Port, name)
	}
	return b.String()
}

// peersOnly is the part of a configuration that measures the peers of this test.
// Their ports are chosen by themselves; other test runs have peers too.
func peersOnly(t testing.TB) string {
	t.Helper()
	return fmt.Sprintf("discovery:\n  services: [ { executable_name: '^%s$', service_name: peer } ]\n", regexp.QuoteMeta(programs(t).Peer))
}

// export is the part of a configuration that sends one signal to a receiver.
// The settings are lines of YAML.
func export(section, endpoint string, settings ...string) string {
	lines := append([]string{section + ":", "endpoint: " + endpoint}, settings...)
	return strings.Join(lines, "\n  ") + "\n"
}

// tracesBy are the two protocols that spans are sent by.
var tracesBy = map[string]func(r *harness.Receiver, settings ...string) string{
	"grpc": func(r *harness.Receiver, settings ...string) string {
		return export("otel_traces_export", r.GRPCURL(), append(settings, "protocol: grpc")...)
	},
	"http": func(r *harness.Receiver, settings ...string) string {
		return export("otel_traces_export", r.HTTPURL(), append(settings, "protocol: http/protobuf")...)
	},
}

// sampler is the setting of the sampler; arg is empty for those without a ratio.
func sampler(name, arg string) string {
	return fmt.Sprintf("sampler: { name: %s, arg: %q }", name, arg)
}

// everything samples each request.
func everything() string { return "sampler: { name: always_on }" }

func receiver(t testing.TB, opts harness.ReceiverOptions) *harness.Receiver {
	t.Helper()
	return harness.StartReceiver(t, programs(t).OTLPReceiver(t), opts)
}

// traced starts a receiver, and an exporter that measures the services and sends
// their spans there over HTTP.
func traced(t testing.TB, services map[string]*servers.Process, settings ...string) tracing {
	t.Helper()
	r := receiver(t, harness.ReceiverOptions{})
	return tracing{
		Exporter: exporter(t, harness.Options{Config: selection(services) + tracesBy["http"](r, settings...)}),
		receiver: r,
	}
}

// account is what became of the spans, by the exporter's own counters.
type account struct {
	sampled, exported, dropped, failed int
}

func accountOf(s harness.Snapshot) account {
	total := func(name string) int { return int(s.Value(name, harness.Labels{})) }
	return account{
		sampled:  total("sonde_spans_sampled_total"),
		exported: total("sonde_spans_exported_total"),
		dropped:  total("sonde_spans_dropped_total"),
		failed:   total("sonde_spans_failed_total"),
	}
}

// settled says whether nothing is on its way any more.
func (a account) settled(requests int) bool { return a.exported+a.dropped+a.failed == requests }

// waitAccount waits until every one of so many sampled requests has been
// exported, dropped or failed.
func (x tracing) waitAccount(t testing.TB, requests int) account {
	t.Helper()
	var last account
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		last = accountOf(x.Scrape(t))
		if last.settled(requests) {
			return last
		}
		if sum := last.exported + last.dropped + last.failed; sum > requests {
			t.Fatalf("%d spans are accounted for, but there were %d requests: %+v", sum, requests, last)
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("not every one of %d spans is accounted for: %+v; the receiver has %+v", requests, last, x.receiver.Counts(t))
	return last
}

// onlySpan waits for the only span that passes the filter.
func (x tracing) onlySpan(t testing.TB, filter harness.SpanFilter) harness.Span {
	t.Helper()
	return x.receiver.WaitSpans(t, 1, filter)[0]
}

// expectAttributes checks some attributes; nil means that there must be none of
// the name.
func expectAttributes(t testing.TB, got, want map[string]any) {
	t.Helper()
	for name, value := range want {
		if have, ok := got[name]; value == nil && ok || value != nil && fmt.Sprintf("%T %v", have, have) != fmt.Sprintf("%T %v", value, value) {
			t.Errorf("%s is %#v, want %#v, among %v", name, have, value, got)
		}
	}
}

// TestReceiver: the receiver itself, without Sonde. Its other tests, with
// OpenTelemetry's own clients, are in otlp/.
func TestReceiver(t *testing.T) {
	const body = `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},
		"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"GET","kind":3,
		"attributes":[{"key":"server.port","value":{"intValue":"443"}}]}]}]}]}`
	r := receiver(t, harness.ReceiverOptions{User: "sonde", Password: "secret"})
	send := func(password string) (int, error) {
		req, err := http.NewRequest(http.MethodPost, r.HTTPURL()+"/v1/traces", bytes.NewReader([]byte(body)))
		if err != nil {
			return 0, err
		}
		req.Header.Set("Content-Type", "application/json")
		req.SetBasicAuth("sonde", password)
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := client.Do(req)
		if err != nil {
			return 0, err
		}
		defer resp.Body.Close()
		return resp.StatusCode, nil
	}
	expect := func(password string, want int) {
		t.Helper()
		if got, err := send(password); err != nil || got != want {
			t.Errorf("got %d and %v, want %d", got, err, want)
		}
	}
	expect("wrong", http.StatusUnauthorized)
	r.Fail(t, harness.Fault{Status: http.StatusServiceUnavailable, Requests: 1})
	expect("secret", http.StatusServiceUnavailable)
	expect("secret", http.StatusOK)
	span := r.WaitSpans(t, 1, harness.Of("shop", "Client"))[0]
	if span.Name != "GET" || span.TraceID != "5b8efff798038103d269b633813fc60c" || span.Attributes["server.port"] != 443.0 {
		t.Errorf("got %+v", span)
	}
	if c := r.Counts(t); c.Unauthorized != 1 || c.Requests != 2 || c.Refused != 1 || c.Spans != 1 || c.Services["shop Client"] != 1 {
		t.Errorf("got %+v", c)
	}
	r.Down(t)
	if _, err := send("secret"); err == nil {
		t.Error("the receiver is down, and answers")
	}
	r.Up(t)
	r.Reset(t)
	expect("secret", http.StatusOK)
	if c := r.Counts(t); c.Requests != 1 || c.Spans != 1 {
		t.Errorf("got %+v after a reset", c)
	}
}
