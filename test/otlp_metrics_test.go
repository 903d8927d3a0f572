package e2e

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// durations are the metrics by their names in OpenTelemetry.
var durations = map[string]string{
	"http.server.request.duration": harness.Server,
	"http.client.request.duration": harness.Client,
}

// TestMetricsByOTLP: what is pushed equals what is scraped, series by series and
// bucket by bucket.
func TestMetricsByOTLP(t *testing.T) {
	for _, c := range []struct {
		histogram, otelType string
		check               func(t *testing.T, p harness.Point, h *dto.Histogram)
	}{
		{"explicit", "Histogram", checkExplicit},
		{"exponential", "ExponentialHistogram", checkExponential},
	} {
		for protocol, endpoint := range map[string]func(*harness.Receiver) string{
			"grpc": (*harness.Receiver).GRPCURL, "http/protobuf": (*harness.Receiver).HTTPURL,
		} {
			t.Run(c.histogram+" by "+protocol, func(t *testing.T) {
				web := servers.Go(t, programs(t).GoServer)
				proxy := servers.StartNginx(t, servers.NginxOptions{Upstream: web.Addr()})
				r := receiver(t, harness.ReceiverOptions{})
				e := exporter(t, harness.Options{Config: selection(map[string]*servers.Process{"proxy": proxy.Process, "web": web.Process}) +
					export("otel_metrics_export", endpoint(r), "protocol: "+protocol, "interval: 1s", "histogram: "+c.histogram)})
				conn := servers.Dial(t, proxy.Addr())
				for _, path := range []string{"/up/hello", "/up/sleep/20", "/up/status/404", "/up/status/500", "/hello"} {
					for range 10 {
						talk(t, conn, request(path))
					}
				}
				snap := e.WaitCount(t, harness.Server, harness.Labels{"server_port": proxy.PortLabel()}, 50)
				total := snap.Count(harness.Server, harness.Labels{}) + snap.Count(harness.Client, harness.Labels{})
				var points map[string]harness.Point
				harness.Eventually(t, "all requests in the pushed metrics", func() bool {
					points = latest(r.Points(t))
					var sum uint64
					for _, p := range points {
						sum += p.Count
					}
					return sum == total
				})
				comparePoints(t, points, snap, c.otelType, c.check)
			})
		}
	}
}

// comparePoints finds the point of every series and the other way round.
func comparePoints(t *testing.T, points map[string]harness.Point, snap harness.Snapshot, otelType string, check func(*testing.T, harness.Point, *dto.Histogram)) {
	t.Helper()
	for otelName, name := range durations {
		for _, m := range snap.Series(name, harness.Labels{}) {
			identity := seriesIdentity(otelName, m)
			p, ok := points[identity]
			if !ok {
				t.Errorf("%s was not pushed, but:\n%s", identity, strings.Join(slices.Sorted(maps.Keys(points)), "\n"))
				continue
			}
			delete(points, identity)
			h := m.GetHistogram()
			if p.Type != otelType || p.Temporality != "Cumulative" || p.Unit != "s" || p.Start == 0 || p.Start >= p.Time {
				t.Errorf("%s is pushed as %+v", identity, p)
			}
			if p.Count != h.GetSampleCount() || math.Abs(p.Sum-h.GetSampleSum()) > 1e-9 {
				t.Errorf("%s: pushed %d and %v s, scraped %d and %v s", identity, p.Count, p.Sum, h.GetSampleCount(), h.GetSampleSum())
			}
			check(t, p, h)
		}
	}
	for identity := range points {
		t.Errorf("%s was pushed, but is not there to be scraped", identity)
	}
}

// checkExplicit compares the classic buckets, which add up in Prometheus.
func checkExplicit(t *testing.T, p harness.Point, h *dto.Histogram) {
	t.Helper()
	var below uint64
	for i, bucket := range h.GetBucket() {
		if math.IsInf(bucket.GetUpperBound(), 1) {
			break
		}
		if i >= len(p.Bounds) || p.Bounds[i] != bucket.GetUpperBound() {
			t.Fatalf("the bounds are %v, want %v among them", p.Bounds, bucket.GetUpperBound())
		}
		if below += p.Buckets[i]; below != bucket.GetCumulativeCount() {
			t.Errorf("up to %v s: pushed %d, scraped %d", bucket.GetUpperBound(), below, bucket.GetCumulativeCount())
		}
	}
}

// checkExponential compares the native buckets. Prometheus counts the bucket of
// (2^((i-1)/8), 2^(i/8)] as i, OpenTelemetry as i-1.
func checkExponential(t *testing.T, p harness.Point, h *dto.Histogram) {
	t.Helper()
	if p.Scale != h.GetSchema() || p.ZeroCount != h.GetZeroCount() {
		t.Errorf("pushed the scale %d and %d zeros, scraped %d and %d", p.Scale, p.ZeroCount, h.GetSchema(), h.GetZeroCount())
	}
	pushed, scraped := map[int32]uint64{}, map[int32]uint64{}
	for i, n := range p.Buckets {
		if n > 0 {
			pushed[p.Offset+int32(i)+1] = n
		}
	}
	var index int32
	var count int64
	deltas := h.GetPositiveDelta()
	for _, span := range h.GetPositiveSpan() {
		index += span.GetOffset()
		for range span.GetLength() {
			if count, deltas = count+deltas[0], deltas[1:]; count > 0 {
				scraped[index] = uint64(count)
			}
			index++
		}
	}
	if !maps.Equal(pushed, scraped) {
		t.Errorf("pushed the buckets %v, scraped %v", pushed, scraped)
	}
}

// latest is the last point of each series of durations, by identity.
func latest(all []harness.Point) map[string]harness.Point {
	points := map[string]harness.Point{}
	for _, p := range all {
		if durations[p.Name] != "" {
			points[pointIdentity(p)] = p
		}
	}
	return points
}

// pointIdentity is the name of a point's series, and its attributes as labels of
// Prometheus. Of the resource only those count that are labels too.
func pointIdentity(p harness.Point) string {
	labels := map[string]string{}
	for name, value := range p.Attributes {
		labels[strings.ReplaceAll(name, ".", "_")] = fmt.Sprint(value)
	}
	for _, name := range []string{"service.name", "service.namespace"} {
		if value, ok := p.Resource[name]; ok {
			labels[strings.ReplaceAll(name, ".", "_")] = fmt.Sprint(value)
		}
	}
	return identity(p.Name, labels)
}

func seriesIdentity(name string, m *dto.Metric) string {
	labels := map[string]string{}
	for _, pair := range m.GetLabel() {
		if pair.GetValue() != "" {
			labels[pair.GetName()] = pair.GetValue()
		}
	}
	return identity(name, labels)
}

func identity(name string, labels map[string]string) string {
	var pairs []string
	for label, value := range labels {
		pairs = append(pairs, fmt.Sprintf("%s=%q", label, value))
	}
	slices.Sort(pairs)
	return name + "{" + strings.Join(pairs, ", ") + "}"
}

// TestMetricsWithoutTraces: an endpoint of traces that is dead costs no metric.
func TestMetricsWithoutTraces(t *testing.T) {
	web := servers.Go(t, programs(t).GoServer)
	alive, dead := receiver(t, harness.ReceiverOptions{}), receiver(t, harness.ReceiverOptions{})
	dead.Fail(t, harness.Fault{DelayMillis: 60_000})
	exporter(t, harness.Options{Config: selection(map[string]*servers.Process{"web": web.Process}) +
		tracesBy["http"](dead, everything(), "queue_size: 10", "batch_size: 10") +
		export("otel_metrics_export", alive.HTTPURL(), "interval: 1s")})
	hello(t, web, 100)
	harness.Eventually(t, "100 requests in the pushed metrics", func() bool {
		var count uint64
		for _, p := range latest(alive.Points(t)) {
			count += p.Count
		}
		return count == 100
	})
}

// TestExemplars: a histogram leads to spans that were sent.
func TestExemplars(t *testing.T) {
	web := servers.Go(t, programs(t).GoServer)
	x := traced(t, map[string]*servers.Process{"web": web.Process}, everything())
	conn := servers.Dial(t, web.Addr())
	for range 5 {
		talk(t, conn, request("/sleep/30"))
	}
	spans := map[string]harness.Span{}
	for _, s := range x.receiver.WaitSpans(t, 5, harness.Of("web", "Server")) {
		spans[s.TraceID+"/"+s.SpanID] = s
	}
	base := harness.Labels{"server_port": web.PortLabel()}
	var classic, native []*dto.Exemplar
	x.Eventually(t, "exemplars", func(snap harness.Snapshot) bool {
		classic, native = nil, nil
		for _, m := range snap.Series(harness.Server, base) {
			for _, b := range m.GetHistogram().GetBucket() {
				if b.GetExemplar() != nil {
					classic = append(classic, b.GetExemplar())
				}
			}
			native = append(native, m.GetHistogram().GetExemplars()...)
		}
		return len(classic) > 0 && len(native) > 0
	})
	for _, e := range append(classic, native...) {
		labels := map[string]string{}
		for _, pair := range e.GetLabel() {
			labels[pair.GetName()] = pair.GetValue()
		}
		span, ok := spans[labels["trace_id"]+"/"+labels["span_id"]]
		if !ok || len(labels) != 2 {
			t.Errorf("the exemplar %v leads to no span", e)
			continue
		}
		if math.Abs(e.GetValue()-span.Duration().Seconds()) > 1e-6 {
			t.Errorf("the exemplar is of %v s, its span of %v", e.GetValue(), span.Duration())
		}
	}
	resp := x.Fetch(t, harness.OpenMetrics)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), ` # {`) {
		t.Error("OpenMetrics has no exemplar")
	}
}
