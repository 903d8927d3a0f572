package discovery

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sonde_exporter/config"
	"sonde_exporter/discovery/inspect"
	"sonde_exporter/probe"
)

// fakeKernel remembers what it was told.
type fakeKernel struct {
	services map[uint32]probe.Service
	excluded map[uint32][]bool // all decisions, the last one in force
	limits   map[uint32]uint64
	judged   int
	failure  error
}

func (k *fakeKernel) Service(id uint32) (probe.Service, error) { return k.services[id], k.failure }

func (k *fakeKernel) Decide(id uint32, decision probe.Decision) error {
	k.excluded[id] = append(k.excluded[id], decision.Excluded)
	return k.failure
}

func (k *fakeKernel) LimitAnnouncements(id uint32, limit uint64) error {
	k.limits[id] = limit
	return k.failure
}

func (k *fakeKernel) Rejudge() error {
	k.judged++
	return k.failure
}

func (k *fakeKernel) excludes(id uint32) bool {
	decisions := k.excluded[id]
	return len(decisions) > 0 && decisions[len(decisions)-1]
}

// host is a registry, the kernel that it talks to, and a procfs of plain files.
type host struct {
	*Registry
	t      *testing.T
	kernel *fakeKernel
	proc   string
	log    *bytes.Buffer
}

func newHost(t *testing.T, rules config.Discovery) host {
	t.Helper()
	h := host{
		t: t, proc: t.TempDir(), log: new(bytes.Buffer),
		kernel: &fakeKernel{services: map[uint32]probe.Service{}, excluded: map[uint32][]bool{}, limits: map[uint32]uint64{}},
	}
	h.write("stat", "btime 1700000000\n")
	logger := slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h.Registry = New(h.kernel, inspect.FS{Proc: h.proc, Root: t.TempDir()}, rules, logger)
	return h
}

func (h host) write(name, content string) {
	h.t.Helper()
	path := filepath.Join(h.proc, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// runs puts a process into procfs.
func (h host) runs(pid int, executable string) {
	h.t.Helper()
	directory := strconv.Itoa(pid)
	h.write(filepath.Join(directory, "stat"), fmt.Sprintf(
		"%d (%s) S 1 %d %d 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 5 1000 1 18446744073709551615 0 0 0\n",
		pid, filepath.Base(executable), pid, pid))
	h.write(filepath.Join(directory, "cmdline"), executable+"\x00")
	link := filepath.Join(h.proc, directory, "exe")
	if err := os.Remove(link); err != nil && !errors.Is(err, os.ErrNotExist) {
		h.t.Fatal(err)
	}
	if err := os.Symlink(executable, link); err != nil {
		h.t.Fatal(err)
	}
}

func eventOf(service uint32, pid int, port uint16, comm string) probe.ProcessEvent {
	event := probe.ProcessEvent{Service: service, Tgid: uint32(pid), Port: port}
	for i := range min(len(comm), len(event.Comm)) {
		event.Comm[i] = int8(comm[i])
	}
	return event
}

func (h host) instance(id uint32) Instance {
	h.t.Helper()
	instance, known := h.Instance(id)
	if !known {
		h.t.Fatalf("instance %d is not known", id)
	}
	return instance
}

func (h host) expect(id uint32, name string, selected bool, ports ...uint16) {
	h.t.Helper()
	instance := h.instance(id)
	if instance.Identity.Name != name || instance.Selected != selected || !equalPorts(instance.Ports, ports) {
		h.t.Errorf("instance %d is %q on %v, selected: %t; want %q on %v, %t", id,
			instance.Identity.Name, instance.Ports, instance.Selected, name, ports, selected)
	}
	if excluded := h.kernel.excludes(id); excluded == selected {
		h.t.Errorf("instance %d is selected: %t, but excluded in the kernel: %t", id, selected, excluded)
	}
}

func equalPorts(a, b []uint16) bool { return slices.Equal(a, b) }

func TestListens(t *testing.T) {
	h := newHost(t, config.Discovery{})
	h.runs(100, "/usr/sbin/nginx")
	h.runs(200, "/opt/api")
	h.Listens(eventOf(1, 100, 443, "nginx"))
	h.Listens(eventOf(2, 200, 8080, "api"))
	h.Listens(eventOf(1, 100, 80, "nginx"))
	h.Listens(eventOf(1, 100, 80, "nginx"))
	h.expect(1, "nginx", true, 80, 443)
	h.expect(2, "api", true, 8080)
	if h.kernel.judged != 0 {
		t.Error("connections were judged anew although nothing was taken out")
	}
	all := h.Instances()
	if len(all) != 2 || all[0].ID != 1 || all[1].ID != 2 {
		t.Errorf("instances %+v, want 1 and 2", all)
	}
	if _, known := h.Instance(3); known {
		t.Error("instance 3 is known")
	}
}

// TestListensOfAProcessThatIsGone has only the kernel's word for its name.
func TestListensOfAProcessThatIsGone(t *testing.T) {
	cases := map[string]string{
		"server":               "server",
		"fifteen bytes..":      "fifteen bytes..",
		"sixteen bytes...":     "sixteen bytes...", // without a NUL
		"a\nb\x1b[31m\xff\xfe": "ab[31m\uFFFD",
		"":                     "unknown",
	}
	id := uint32(0)
	h := newHost(t, config.Discovery{})
	for comm, want := range cases {
		id++
		h.Listens(eventOf(id, 4242, 80, comm))
		h.expect(id, want, true, 80)
		if pid := h.instance(id).Process.PID; pid != 4242 {
			t.Errorf("process %d, want the one that the kernel named", pid)
		}
	}
}

func TestExecutes(t *testing.T) {
	h := newHost(t, rulesOf(t, "discovery: {exclude: [{executable_name: launcher}]}"))
	h.runs(100, "/bin/launcher")
	h.Listens(eventOf(1, 100, 80, "launcher"))
	h.expect(1, "launcher", false, 80)
	h.runs(100, "/bin/server")
	h.Executes(eventOf(1, 100, 0, "server"))
	h.expect(1, "server", true, 80)
	if h.kernel.judged != 2 {
		t.Errorf("connections were judged anew %d times, want 2", h.kernel.judged)
	}
}

func TestJoins(t *testing.T) {
	h := newHost(t, config.Discovery{})
	h.runs(1, "/usr/lib/systemd/systemd")
	h.runs(50, "/usr/sbin/gunicorn")
	h.runs(100, "/opt/worker")
	h.Listens(eventOf(1, 1, 80, "systemd"))
	h.expect(1, "systemd", true, 80)
	h.Joins(eventOf(1, 100, 0, "worker")) // socket activation
	h.expect(1, "worker", true, 80)
	h.Listens(eventOf(2, 50, 8000, "gunicorn"))
	h.Joins(eventOf(2, 100, 0, "worker")) // a worker does not rename its master
	h.expect(2, "gunicorn", true, 8000)
	h.Joins(eventOf(9, 100, 0, "worker"))
	if _, known := h.Instance(9); known {
		t.Error("a process joined an instance that nobody listens for")
	}
}

func TestRulesNameAndSelect(t *testing.T) {
	h := newHost(t, rulesOf(t, "discovery: {services: [{open_port: 443, service_name: front}]}"))
	h.runs(100, "/usr/sbin/nginx")
	h.Listens(eventOf(1, 100, 80, "nginx"))
	h.expect(1, "nginx", false, 80)
	h.Listens(eventOf(1, 100, 443, "nginx")) // now a rule matches
	h.expect(1, "front", true, 80, 443)
	if got := h.kernel.excluded[1]; !slices.Equal(got, []bool{true, false}) {
		t.Errorf("excluded: %t, want first so and then not", got)
	}
}

// TestSetRules is a reload of the configuration.
func TestSetRules(t *testing.T) {
	h := newHost(t, config.Discovery{})
	h.runs(100, "/usr/sbin/nginx")
	h.runs(200, "/opt/api")
	h.Listens(eventOf(1, 100, 80, "nginx"))
	h.Listens(eventOf(2, 200, 8080, "api"))
	h.SetRules(rulesOf(t, "discovery: {services: [{open_port: 8080, service_name: shop}]}"))
	h.expect(1, "nginx", false, 80)
	h.expect(2, "shop", true, 8080)
	if h.kernel.judged != 1 || len(h.kernel.excluded[2]) != 0 {
		t.Errorf("judged anew %d times, want once for the one that changed", h.kernel.judged)
	}
	h.runs(300, "/opt/late")
	h.Listens(eventOf(3, 300, 9090, "late"))
	h.expect(3, "late", false, 9090)
	h.SetRules(config.Discovery{})
	for id, name := range map[uint32]string{1: "nginx", 2: "api", 3: "late"} {
		h.expect(id, name, true, h.instance(id).Ports...)
	}
}

func TestKernelThatDoesNotListenIsLogged(t *testing.T) {
	h := newHost(t, rulesOf(t, "discovery: {exclude: [{open_port: 80}]}"))
	h.kernel.failure = errors.New("map is gone")
	h.Listens(eventOf(1, 100, 80, "nginx"))
	if !strings.Contains(h.log.String(), "map is gone") {
		t.Errorf("the log says %s", h.log)
	}
}

// TestConcurrentUse is for the race detector.
func TestConcurrentUse(t *testing.T) {
	h := newHost(t, config.Discovery{})
	var wait sync.WaitGroup
	for id := range uint32(4) {
		wait.Go(func() {
			for port := range uint16(20) {
				h.Listens(eventOf(id+1, int(id)+100, port+1, "a"))
				h.Instances()
			}
		})
	}
	wait.Go(func() {
		for range 20 {
			h.SetRules(config.Discovery{})
			h.Sweep(time.Now(), time.Hour)
		}
	})
	wait.Wait()
	for _, instance := range h.Instances() {
		if len(instance.Ports) != 20 {
			t.Errorf("instance %d listens on %v, want 20 ports", instance.ID, instance.Ports)
		}
	}
}
