package docs

import (
	"sync"
	"testing"

	"sonde_exporter/test/harness"
)

// build compiles Sonde once in a run of the tests.
var build = sync.OnceValues(harness.Build)

// exporter is the path of the built sonde_exporter.
func exporter(t *testing.T) string {
	t.Helper()
	programs, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return programs.Exporter
}

func TestMain(m *testing.M) {
	harness.Main(build, func() (int, error) { return m.Run(), nil })
}
