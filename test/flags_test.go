package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// TestBuckets: --histogram.buckets changes the classic bounds and no count.
func TestBuckets(t *testing.T) {
	web := servers.Go(t, programs(t).GoServer)
	e := exporter(t, harness.Options{Args: []string{"--histogram.buckets=0.001,0.04,2"}})
	conn := servers.Dial(t, web.Addr())
	for range 10 {
		talk(t, conn, request("/sleep/5"))
		talk(t, conn, request("/sleep/50"))
	}
	base := harness.Labels{"server_port": web.PortLabel()}
	snap := e.Expect(t, harness.Server, base, row(20, "GET", "/sleep/*", "200"))
	found := snap.Series(harness.Server, base)
	if len(found) != 1 {
		t.Fatalf("%d series, want 1:\n%s", len(found), snap.Describe(harness.Server, base))
	}
	want := map[float64]uint64{0.001: 0, 0.04: 10, 2: 20}
	var bounds []float64
	for _, b := range found[0].GetHistogram().GetBucket() {
		if count, ok := want[b.GetUpperBound()]; ok {
			bounds = append(bounds, b.GetUpperBound())
			if b.GetCumulativeCount() != count {
				t.Errorf("%d requests took up to %v s, want %d", b.GetCumulativeCount(), b.GetUpperBound(), count)
			}
		} else if b.GetUpperBound() < 1e9 {
			t.Errorf("there is a bound at %v that nobody asked for", b.GetUpperBound())
		}
	}
	if !slices.Equal(bounds, []float64{0.001, 0.04, 2}) {
		t.Errorf("the bounds are %v", bounds)
	}
}

// TestWebFlags: where the metrics are, and which.
func TestWebFlags(t *testing.T) {
	second := servers.FreePort(t)
	e := exporter(t, harness.Options{
		Args: []string{"--web.disable-exporter-metrics", fmt.Sprintf("--web.listen-address=127.0.0.1:%d", second)},
		Env:  []string{"SONDE_WEB_TELEMETRY_PATH=/sonde"},
	})
	if status, _ := e.Get(t, "/metrics"); status != http.StatusNotFound {
		t.Errorf("/metrics answers %d, but the telemetry path is /sonde", status)
	}
	status, body := e.Get(t, "/sonde")
	if status != http.StatusOK {
		t.Errorf("/sonde answers %d:\n%s", status, body)
	}
	snap := harness.ParseText(t, body)
	if snap["go_goroutines"] != nil {
		t.Error("metrics of the exporter's own process are there, but were switched off")
	}
	if snap["sonde_build_info"] == nil {
		t.Error("sonde_build_info is missing")
	}
	resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/-/healthy", second))
	if err != nil {
		t.Fatalf("nothing answers at the second address: %v", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the second address answers %s", resp.Status)
	}
}
