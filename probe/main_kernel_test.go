package probe

import (
	"log/slog"
	"math"
	"os"
	"strconv"
	"testing"
	"time"

	"sonde_exporter/bpf"
)

// The kernel tests load Sonde's programs into the running kernel and send bytes
// through real sockets. They need nothing but this binary, root, a procfs and a
// loopback interface, so that they also run inside a small virtual machine:
//
//	CGO_ENABLED=0 go test -c ./probe && ./probe.test -test.v
//
// SONDE_TEST_SLOW is by how much that machine is slower than a common one; every
// deadline is multiplied by it.
const slowVariable = "SONDE_TEST_SLOW"

// TestMain turns the binary into one of the programs that are observed, if it
// was started as such: Sonde ignores its own process, which is the test's.
func TestMain(m *testing.M) {
	if part := os.Getenv(partVariable); part != "" {
		os.Exit(play(part))
	}
	os.Exit(m.Run())
}

// patience is how long to wait for what takes d on a common machine.
func patience(d time.Duration) time.Duration {
	factor, err := strconv.ParseFloat(os.Getenv(slowVariable), 64)
	if err != nil || factor < 1 {
		return d
	}
	return time.Duration(float64(d) * factor)
}

// kernel is a probe under test, and what it told.
type kernel struct {
	*Probe
	*recorder
}

// testBounds are slot bounds of 1 ns, 2 ns, 4 ns and so on.
func testBounds() []uint64 {
	bounds := make([]uint64, 60)
	for i := range bounds {
		bounds[i] = 1 << i
	}
	return bounds
}

// needKernel ends a test that must not or cannot load programs.
func needKernel(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short leaves out what loads BPF programs")
	}
	if os.Geteuid() != 0 {
		t.Fatal("kernel tests load BPF programs: run them as root, or leave them out with -short")
	}
}

// openProbe attaches the programs until the test ends.
func openProbe(t *testing.T) kernel {
	t.Helper()
	needKernel(t)
	p, err := Open(Options{
		Bounds: testBounds(), SeriesLimit: 1000, Spans: true, Procfs: "/proc", Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	k := kernel{Probe: p, recorder: newRecorder(p)}
	served := make(chan error, 3)
	go func() { served <- p.ServeProcesses(k.recorder) }()
	go func() { served <- p.ServeRequests(k.recorder) }()
	go func() { served <- p.ServeSpans(k.recorder) }()
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		for range cap(served) {
			if err := <-served; err != nil {
				t.Errorf("events: %v", err)
			}
		}
	})
	k.apply(t, Settings{SeriesLimit: 1000, SeriesLimitPerService: math.MaxUint32, FoldIDs: true})
	return k
}

func (k kernel) apply(t *testing.T, settings Settings) {
	t.Helper()
	if err := k.Apply(settings); err != nil {
		t.Fatalf("Apply: %v", err)
	}
}

// eventually waits until check returns "". What it returns last is the failure.
func eventually(t *testing.T, check func() string) {
	t.Helper()
	const step = 2 * time.Millisecond
	deadline := time.Now().Add(patience(5 * time.Second))
	for {
		complaint := check()
		if complaint == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(complaint)
		}
		time.Sleep(step)
	}
}

// connectionsOf counts the connections of an instance that speak a protocol, in the
// open or inside TLS.
func (k kernel) connectionsOf(t *testing.T, instance uint32, role bpf.SondeRole, protocol bpf.SondeProtocol) uint64 {
	t.Helper()
	service, err := k.Service(instance)
	if err != nil {
		t.Fatal(err)
	}
	var count uint64
	for _, protocols := range service.Connections[role] {
		count += protocols[protocol]
	}
	return count
}
