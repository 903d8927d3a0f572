package docs

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "tests of the documentation:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if os.Geteuid() != 0 {
		return 1, errors.New("they run the documentation's commands, which load programs into the kernel: run them as root")
	}
	root, err := harness.Root()
	if err != nil {
		return 1, err
	}
	install := exec.Command(filepath.Join(root, "scripts", "setup"), "test")
	if said, err := install.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("cannot install what the commands need: %w\n%s", err, said)
	}
	programs, err := build()
	defer func() { err = errors.Join(err, programs.Remove()) }()
	if err != nil {
		return 1, err
	}
	return m.Run(), nil
}
