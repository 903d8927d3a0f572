package harness

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Main is what TestMain of a package does that runs the built Sonde: it installs the
// programs that tests need, has everything built, runs the tests, and ends the process.
func Main(build func() (Programs, error), tests func() (code int, err error)) {
	code, err := prepared(build, tests)
	if err != nil {
		fmt.Fprintln(os.Stderr, "the tests cannot run:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func prepared(build func() (Programs, error), tests func() (int, error)) (code int, err error) {
	if os.Geteuid() != 0 {
		return 1, errors.New("they load programs into the kernel: run them as root")
	}
	root, err := Root()
	if err != nil {
		return 1, err
	}
	install := exec.Command(filepath.Join(root, "scripts", "setup"), "test")
	if said, err := install.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("cannot install what they need: %w\n%s", err, said)
	}
	programs, err := build()
	defer func() { err = errors.Join(err, programs.Remove()) }()
	if err != nil {
		return 1, err
	}
	return tests()
}
