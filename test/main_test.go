// Package e2e proves Sonde exact: it runs the built exporter against real
// servers, sends N requests, and finds N.
package e2e

import (
	"sync"
	"testing"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// build compiles everything once in a run of the tests.
var build = sync.OnceValues(harness.Build)

// sharedExporter starts the exporter that most tests look at: the one with
// default settings.
var sharedExporter = sync.OnceValues(func() (*harness.Exporter, error) {
	programs, err := build()
	if err != nil {
		return nil, err
	}
	port, err := servers.PickPort()
	if err != nil {
		return nil, err
	}
	return harness.Launch(programs.Exporter, port, "", harness.Options{})
})

func TestMain(m *testing.M) {
	harness.Main(build, func() (int, error) {
		exporter, err := sharedExporter()
		if err != nil {
			return 1, err
		}
		code := m.Run()
		return code, exporter.Stop()
	})
}

// programs are the paths of what was built.
func programs(t testing.TB) harness.Programs {
	t.Helper()
	p, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// shared is the exporter with default settings.
func shared(t testing.TB) *harness.Exporter {
	t.Helper()
	e, err := sharedExporter()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// exporter starts an exporter of the test's own.
func exporter(t testing.TB, opts harness.Options) *harness.Exporter {
	t.Helper()
	return harness.Start(t, programs(t).Exporter, opts)
}
