package collector

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"

	"sonde_exporter/bpf"
	"sonde_exporter/config"
	"sonde_exporter/probe"
	"sonde_exporter/routes"
	"sonde_exporter/series"
	"sonde_exporter/tlstap"
)

// newSources has all that collectors read, over programs that are loaded into the
// running kernel. The instances are made up: no packet is needed.
func newSources(t *testing.T, services map[uint32]string) (sources Sources, log *bytes.Buffer) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short leaves out what loads BPF programs")
	}
	if os.Geteuid() != 0 {
		t.Fatal("kernel tests load BPF programs: run them as root, or leave them out with -short")
	}
	table, err := series.NewTable([]float64{0.005, 0.1, 1})
	if err != nil {
		t.Fatal(err)
	}
	bounds := table.Bounds()
	log = new(bytes.Buffer)
	logger := slog.New(slog.NewTextHandler(log, nil))
	kernel, err := probe.Open(probe.Options{Bounds: bounds[:], SeriesLimit: 100, Procfs: "/proc", Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := kernel.Close(); err != nil {
			t.Error(err)
		}
	})
	namer, err := routes.New(routes.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return Sources{
		Probe: kernel, Registry: listening(t, kernel, config.Discovery{}, services), Table: table,
		Ledger:  series.NewLedger(kernel, table, namer, series.Limits{Series: 100, PerService: 50}, func(uint32) string { return "" }, logger),
		Archive: NewArchive(), TLS: tlstap.New(tlstap.Options{Attacher: kernel, Processes: kernel.Processes, Logger: logger}), Started: time.Now(), Logger: logger,
	}, log
}

// request files one request of an instance, as if the kernel had handed it over.
func request(s Sources, instance uint32, role series.Role, status uint16) {
	key := probe.OperationKey{Hash: 1, Service: instance, ServerPort: 80, Side: uint8(role), Method: uint8(bpf.SondeMethodMETHOD_GET)}
	event := &probe.OperationEvent{Key: key, PathLength: 1}
	event.Path[0] = '/'
	copy(event.Host[:], "api")
	event.HostLength = 3
	s.Ledger.Operation(event)
	s.Ledger.Observation(&probe.ObservationEvent{Key: key, Status: status, Version: 1, DurationNs: 2e6})
}

// scrapeAll gathers all collectors through a registry that checks what they send.
func scrapeAll(ctx context.Context, t *testing.T, s Sources) map[string]*dto.MetricFamily {
	t.Helper()
	set, err := NewSet(s, slices.Collect(maps.Keys(Help())))
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(set.Collector(ctx))
	families, err := registry.Gather()
	if err != nil {
		t.Fatalf("Gather: %v", err)
	}
	byName := map[string]*dto.MetricFamily{}
	for _, family := range families {
		byName[family.GetName()] = family
	}
	return byName
}

// valueOf finds a sample by one of its labels.
func valueOf(t *testing.T, family *dto.MetricFamily, label, value string) float64 {
	t.Helper()
	for _, metric := range family.GetMetric() {
		for _, pair := range metric.GetLabel() {
			if pair.GetName() == label && pair.GetValue() == value {
				return metric.GetGauge().GetValue() + metric.GetCounter().GetValue() + float64(metric.GetHistogram().GetSampleCount())
			}
		}
	}
	t.Errorf("%s has no sample with %s=%q", family.GetName(), label, value)
	return -1
}

func TestExpositionOfAllCollectors(t *testing.T) {
	s, log := newSources(t, map[uint32]string{1: "shop", 2: "bank"})
	request(s, 1, series.Server, 200)
	request(s, 1, series.Client, 404)
	request(s, 2, series.Server, 500)
	families := scrapeAll(t.Context(), t, s)

	problems, err := promlint.NewWithMetricFamilies(slices.Collect(maps.Values(families))).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("%s: %s", problem.Metric, problem.Text)
	}
	for name := range Help() {
		if got := valueOf(t, families["sonde_scrape_collector_success"], "collector", name); got != 1 {
			t.Errorf("collector %s failed: %s", name, log)
		}
	}
	server, client := families["http_server_request_duration_seconds"], families["http_client_request_duration_seconds"]
	if got := valueOf(t, server, "service_name", "shop"); got != 1 {
		t.Errorf("shop answered %v requests, want 1", got)
	}
	if got := valueOf(t, server, "error_type", "500"); got != 1 {
		t.Errorf("%v requests failed, want 1", got)
	}
	if got := valueOf(t, client, "server_address", "api"); got != 1 {
		t.Errorf("api was called %v times, want 1", got)
	}
	if got := valueOf(t, families["sonde_tap_info"], "hook", "cgroup_skb/egress"); got != 1 {
		t.Errorf("tap %v, want 1", got)
	}
}

// TestLossesAreThereFromTheStart: an alert on their rate needs a first value.
func TestLossesAreThereFromTheStart(t *testing.T) {
	s, _ := newSources(t, nil)
	families := scrapeAll(t.Context(), t, s)
	losses, err := s.Probe.Losses()
	if err != nil {
		t.Fatal(err)
	}
	for _, loss := range losses {
		name := "sonde_lost_observations_total"
		switch loss.Of {
		case probe.LostEvent:
			name = "sonde_lost_events_total"
		case probe.LostSpan:
			continue // told by those who export spans
		}
		valueOf(t, families[name], "reason", loss.Reason)
	}
	for _, name := range []string{"sonde_unsolicited_responses_total", "sonde_series_overflow_total", "sonde_series", "sonde_series_limit"} {
		if len(families[name].GetMetric()) != 1 {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestScrapeThatIsOutOfTime(t *testing.T) {
	s, log := newSources(t, map[uint32]string{1: "shop"})
	request(s, 1, series.Server, 200)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	families := scrapeAll(ctx, t, s)
	if got := valueOf(t, families["sonde_scrape_collector_success"], "collector", "http_server"); got != 0 {
		t.Errorf("success %v of a scrape without time, want 0", got)
	}
	if families["http_server_request_duration_seconds"] != nil || !strings.Contains(log.String(), "context canceled") {
		t.Errorf("a scrape without time exposes series, or does not say why not: %s", log)
	}
}

// TestRetire: the counters of a service never fall while one instance is left,
// and end with the last.
func TestRetire(t *testing.T) {
	cases := []struct {
		name   string
		retire uint32
		want   map[string]float64 // requests by service
	}{
		{"one of two instances", 1, map[string]float64{"shop": 4, "bank": 3}},
		{"the last instance", 3, map[string]float64{"shop": 4}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, _ := newSources(t, map[uint32]string{1: "shop", 2: "shop", 3: "bank"})
			for range 3 {
				request(s, 1, series.Server, 200)
				request(s, 3, series.Server, 200)
			}
			request(s, 2, series.Server, 200)
			instance, _ := s.Registry.Instance(c.retire)
			if err := s.Retire(instance); err != nil {
				t.Fatal(err)
			}
			if _, known := s.Registry.Instance(c.retire); known {
				t.Errorf("instance %d is still known", c.retire)
			}
			family := scrapeAll(t.Context(), t, s)["http_server_request_duration_seconds"]
			if len(family.GetMetric()) != len(c.want) {
				t.Errorf("%d series are left, want one of each of %v", len(family.GetMetric()), c.want)
			}
			for service, want := range c.want {
				if got := valueOf(t, family, "service_name", service); got != want {
					t.Errorf("%s has %v requests, want %v", service, got, want)
				}
			}
		})
	}
}
