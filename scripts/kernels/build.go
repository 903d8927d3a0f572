package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"sonde_exporter/scripts/kernels/guest"
)

// slowness is by how much tests should be more patient than on a common machine.
const slowness = "20"

// binaries are the programs of a machine, all static.
type binaries struct{ init, test []byte }

// buildBinaries compiles init and the kernel tests for an architecture.
func buildBinaries(ctx context.Context, arch, testPackage string) (*binaries, error) {
	directory, err := os.MkdirTemp("", "sonde-kernels-")
	if err != nil {
		return nil, fmt.Errorf("there is no room to build the tests: %w", err)
	}
	defer func() { _ = os.RemoveAll(directory) }()
	var built binaries
	for _, step := range []struct {
		result    *[]byte
		arguments []string
	}{
		{&built.init, []string{"build", "-ldflags", "-s -w", "./scripts/kernels/init"}},
		{&built.test, []string{"test", "-c", testPackage}},
	} {
		out := filepath.Join(directory, "out")
		arguments := append([]string{step.arguments[0], "-o", out}, step.arguments[1:]...)
		command := exec.CommandContext(ctx, "go", arguments...)
		command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
		if err := runCommand(command); err != nil {
			return nil, err
		}
		if *step.result, err = os.ReadFile(out); err != nil {
			return nil, fmt.Errorf("the package %s has no tests: %w", testPackage, err)
		}
		if err := os.Remove(out); err != nil {
			return nil, err
		}
	}
	return &built, nil
}

// initramfs packs all that a machine's file system has.
func initramfs(b *binaries, modules []module, plan guest.Plan) ([]byte, error) {
	var a archive
	for _, directory := range []string{"dev", "proc", "sys", "tmp", "run", "etc", "modules", "test"} {
		a.directory(directory)
	}
	for _, m := range modules {
		path := "modules/" + m.name + ".ko"
		a.file(path, m.content)
		plan.Modules = append(plan.Modules, "/"+path)
	}
	text, err := json.Marshal(plan)
	if err != nil {
		return nil, err
	}
	a.file(guest.PlanFile[1:], text)
	a.file("init", b.init)
	a.file(testBinary[1:], b.test)
	a.file("etc/hosts", []byte("127.0.0.1 localhost\n::1 localhost\n"))
	a.file("etc/passwd", []byte("root:x:0:0:root:/tmp:/bin/sh\n"))
	return a.finish(), nil
}

// testBinary is where the tests are inside.
const testBinary = "/test/kernel.test"

// testPlan says how to run the tests. Garbage is rarely collected, since it costs
// an emulated processor more than memory is worth there.
func testPlan(port, pattern string, timeout fmt.Stringer) guest.Plan {
	return guest.Plan{
		Port:    port,
		Command: []string{testBinary, "-test.v=test2json", "-test.timeout=" + timeout.String(), "-test.run=" + pattern},
		Env:     []string{"HOME=/tmp", "PATH=/test", "GOGC=800", "SONDE_TEST_SLOW=" + slowness},
	}
}
