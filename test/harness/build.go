// Package harness builds and runs the exporter as a user would, scrapes it, and
// answers the questions that the end-to-end tests ask: how many requests does
// it show for these labels, and is every histogram consistent in itself.
package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// binaryVariable names a ready exporter to test in place of a fresh build.
const binaryVariable = "SONDE_BINARY"

// Programs are the paths of what one test run has built.
type Programs struct {
	// Exporter is sonde_exporter.
	Exporter string
	// GoServer is servers/goserver.
	GoServer string
	// Peer is servers/peer.
	Peer string

	dir string
}

// Root is the directory of the repository.
var Root = sync.OnceValues(func() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("cannot tell the working directory: %w", err)
	}
	for {
		content, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(content), "module sonde_exporter\n") {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("no directory above the tests holds the module sonde_exporter")
		}
		dir = parent
	}
})

// Build compiles the exporter and the helper programs into a new directory.
func Build() (Programs, error) {
	root, err := Root()
	if err != nil {
		return Programs{}, err
	}
	dir, err := os.MkdirTemp("", "sonde-build-")
	if err != nil {
		return Programs{}, fmt.Errorf("cannot make a directory to build in: %w", err)
	}
	// Not every program of the tests runs as root.
	if err := os.Chmod(dir, 0o755); err != nil {
		return Programs{}, fmt.Errorf("cannot open up the directory to build in: %w", err)
	}
	p := Programs{
		Exporter: filepath.Join(dir, "sonde_exporter"),
		GoServer: filepath.Join(dir, "goserver"),
		Peer:     filepath.Join(dir, "peer"),
		dir:      dir,
	}
	test := filepath.Join(root, "test")
	builds := []struct{ dir, out, pkg string }{
		{test, p.GoServer, "./servers/goserver"},
		{test, p.Peer, "./servers/peer"},
	}
	if ready := os.Getenv(binaryVariable); ready != "" {
		p.Exporter = ready
	} else {
		builds = append(builds, struct{ dir, out, pkg string }{root, p.Exporter, "."})
	}
	for _, b := range builds {
		if err := compile(b.dir, b.out, b.pkg); err != nil {
			return p, err
		}
	}
	return p, nil
}

func compile(dir, out, pkg string) error {
	cmd := exec.Command("go", "build", "-o", out, pkg)
	cmd.Dir = dir
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build %s: %w\n%s", filepath.Base(out), err, said)
	}
	return nil
}

// Remove deletes what Build has made.
func (p Programs) Remove() error { return os.RemoveAll(p.dir) }
