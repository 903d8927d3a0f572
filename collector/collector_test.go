package collector

import (
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"sonde_exporter/config"
	"sonde_exporter/discovery"
	"sonde_exporter/discovery/inspect"
	"sonde_exporter/probe"
)

func TestEveryCollectorHasHelp(t *testing.T) {
	for name, c := range collectors() {
		if c.help == "" || strings.HasSuffix(c.help, ".") {
			t.Errorf("collector %s has the help %q; want words that end the sentence \"Expose …\"", name, c.help)
		}
	}
}

func TestNewSetRefusesUnknownNames(t *testing.T) {
	if _, err := NewSet(Sources{}, []string{"tap", "http_sever"}); err == nil || !strings.Contains(err.Error(), `"http_sever"`) {
		t.Errorf("error %v, want one that names http_sever", err)
	}
	if _, err := NewSet(Sources{}, slices.Collect(maps.Keys(Help()))); err != nil {
		t.Errorf("all collectors: %v", err)
	}
}

// deafKernel has nothing to say of any instance.
type deafKernel struct{}

func (deafKernel) Service(uint32) (probe.Service, error)   { return probe.Service{}, nil }
func (deafKernel) Decide(uint32, probe.Decision) error     { return nil }
func (deafKernel) LimitAnnouncements(uint32, uint64) error { return nil }
func (deafKernel) Rejudge() error                          { return nil }

// updater makes a checked collector of one collector's function.
type updater struct {
	update func(*scrape, chan<- prometheus.Metric) error
	scrape *scrape
	t      *testing.T
}

func (updater) Describe(chan<- *prometheus.Desc) {}

func (u updater) Collect(ch chan<- prometheus.Metric) {
	if err := u.update(u.scrape, ch); err != nil {
		u.t.Error(err)
	}
}

// listening is a registry in which processes listen that procfs does not know,
// so that each is called what the kernel calls it.
func listening(t *testing.T, kernel discovery.Kernel, rules config.Discovery, services map[uint32]string) *discovery.Registry {
	t.Helper()
	registry := discovery.New(kernel, inspect.FS{Proc: t.TempDir()}, rules, slog.New(slog.DiscardHandler))
	for _, id := range slices.Sorted(maps.Keys(services)) {
		event := probe.ProcessEvent{Service: id, Tgid: id, Port: uint16(8000 + id)}
		for i, c := range []byte(services[id]) {
			event.Comm[i] = int8(c)
		}
		registry.Listens(event)
	}
	return registry
}

func TestServiceInfo(t *testing.T) {
	excluded, err := config.Parse("", []byte("discovery: {exclude: [{open_port: 8003}]}"))
	if err != nil {
		t.Fatal(err)
	}
	registry := listening(t, deafKernel{}, excluded.Discovery, map[uint32]string{1: "shop", 2: "shop", 3: "secret", 4: "ba\xffnk\n"})
	want := `# HELP sonde_service_info A service that is measured: 1, with what is known of it. Where its instances differ, values are joined by commas.
# TYPE sonde_service_info gauge
sonde_service_info{container_id="",executable="",language="",named_by="command",server_ports="8001,8002",service_name="shop",service_namespace="",systemd_unit=""} 1
sonde_service_info{container_id="",executable="",language="",named_by="command",server_ports="8004",service_name="ba` + "\uFFFD" + `nk",service_namespace="",systemd_unit=""} 1
`
	got := exposition(t, updater{updateService, &scrape{Sources: Sources{Registry: registry}}, t})
	if got != want {
		t.Errorf("exposed:\n%swant:\n%s", got, want)
	}
}

// exposition is what a scrape of one collector gets.
func exposition(t *testing.T, c prometheus.Collector) string {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c)
	families, err := registry.Gather()
	if err != nil {
		t.Fatalf("Gather: %v", err)
	}
	var text strings.Builder
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(&text, family); err != nil {
			t.Fatal(err)
		}
	}
	return text.String()
}
