// Package packaging checks what is released as those would who install it: the
// packages on a copy of this machine under the systemd that Debian has, the image's
// contents in a container of namespaces, the manifests with Kubernetes' own types. It
// is a module of its own so that no other tests depend on Kubernetes.
package packaging

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"sonde_exporter/test/harness"
)

// released is what `make release` has built, and the services to measure.
type released struct {
	root     string // of the repository
	dir      string
	version  string
	programs harness.Programs
}

// built builds everything once in a run of the tests.
var built = sync.OnceValues(build)

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "packaging tests:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if os.Geteuid() != 0 {
		return 1, errors.New("they install packages and load programs into the kernel: run them as root")
	}
	r, err := built()
	defer func() { err = errors.Join(err, r.remove()) }()
	if err != nil {
		return 1, err
	}
	return m.Run(), nil
}

func build() (released, error) {
	directory, err := os.Getwd()
	if err != nil {
		return released{}, fmt.Errorf("the working directory is not known: %w", err)
	}
	r := released{root: filepath.Join(directory, "..", "..")}
	version, err := os.ReadFile(filepath.Join(r.root, "VERSION"))
	if err != nil {
		return r, fmt.Errorf("the version is not known: %w", err)
	}
	r.version = strings.TrimSpace(string(version))
	if r.dir, err = os.MkdirTemp("", "sonde-release-"); err != nil {
		return r, fmt.Errorf("no directory can be made to build in: %w", err)
	}
	// Not every program of the tests runs as root.
	if err := os.Chmod(r.dir, 0o755); err != nil {
		return r, err
	}
	for _, command := range [][]string{
		{"scripts/setup", "packages"},
		{"scripts/release", "--allow-changes", "--out", filepath.Join(r.dir, "dist"), "amd64", "arm64"},
		{"tar", "-C", r.dir, "-xzf", r.archive(runtime.GOARCH)},
	} {
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Dir = r.root
		if said, err := cmd.CombinedOutput(); err != nil {
			return r, fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, said)
		}
	}
	// The harness is to take this exporter, and to make services that run in a chroot.
	for name, value := range map[string]string{"SONDE_BINARY": r.binary(), "CGO_ENABLED": "0"} {
		if err := os.Setenv(name, value); err != nil {
			return r, err
		}
	}
	confine := exec.Command("go", "build", "-o", filepath.Join(r.dir, "confine"), "./confine")
	if said, err := confine.CombinedOutput(); err != nil {
		return r, fmt.Errorf("cannot build confine: %w\n%s", err, said)
	}
	r.programs, err = harness.Build()
	return r, err
}

func (r released) remove() error { return errors.Join(os.RemoveAll(r.dir), r.programs.Remove()) }

// release is what was built.
func release(t testing.TB) released {
	t.Helper()
	r, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// debianNames are the architectures of the release as dpkg calls them, rpmNames as
// rpm does.
func debianNames() map[string]string { return map[string]string{"amd64": "amd64", "arm64": "arm64"} }
func rpmNames() map[string]string    { return map[string]string{"amd64": "x86_64", "arm64": "aarch64"} }

func (r released) deb(arch string) string {
	return r.file("sonde-exporter_%s-1_%s.deb", debianNames()[arch])
}

func (r released) rpm(arch string) string {
	return r.file("sonde-exporter-%s-1.%s.rpm", rpmNames()[arch])
}

func (r released) archive(arch string) string {
	return r.file("sonde_exporter-%s.linux-%s.tar.gz", arch)
}
func (r released) sbom(arch string) string {
	return r.file("sonde_exporter-%s.linux-%s.cdx.json", arch)
}

func (r released) file(pattern, arch string) string {
	return filepath.Join(r.dir, "dist", fmt.Sprintf(pattern, r.version, arch))
}

// binary is the program for this machine, out of the archive.
func (r released) binary() string {
	return filepath.Join(r.dir, fmt.Sprintf("sonde_exporter-%s.linux-%s", r.version, runtime.GOARCH), "sonde_exporter")
}

// source reads a file of the repository.
func (r released) source(t testing.TB, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(r.root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// output runs a program to its end and returns what it prints.
func output(t testing.TB, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	var failures strings.Builder
	cmd.Stderr = &failures
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, text, failures.String())
	}
	return string(text)
}

// failure runs a program that has to fail and returns what it says of that.
func failure(t testing.TB, name string, args ...string) string {
	t.Helper()
	said, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err == nil {
		t.Fatalf("%s %s succeeded, want it to fail; it said:\n%s", name, strings.Join(args, " "), said)
	}
	return string(said)
}
