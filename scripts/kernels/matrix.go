package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// matrixRun keeps what the kernels of one architecture share.
type matrixRun struct {
	cache   string
	pattern string
	mirrors map[string]*mirror
	builds  map[string]*binaries
}

// run boots one kernel and runs the tests there. The error is about this machine;
// what happens inside the other one is in the result.
func (m *matrixRun) run(ctx context.Context, t target) (*run, error) {
	board, err := boardOf(t.arch)
	if err != nil {
		return nil, err
	}
	kernel, err := m.kernel(ctx, t)
	if err != nil {
		return nil, err
	}
	built, err := m.build(ctx, t.arch)
	if err != nil {
		return nil, err
	}
	modules, err := kernel.modules(ctx, guestModules())
	if err != nil {
		return nil, err
	}
	initrd, err := initramfs(built, modules, testPlan(board.port, m.pattern, testLimit))
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	inTime, cancel := context.WithTimeout(ctx, machineLimit)
	defer cancel()
	output, status, failure := boot(inTime, board, kernel.image(), initrd)
	results, err := convert(ctx, output)
	if err != nil {
		return nil, err
	}
	if failure == nil && status != 0 && len(results.with(failed)) == 0 {
		failure = fmt.Errorf("the tests ended with status %d", status)
	}
	return &run{target: t, version: kernel.version, results: results, elapsed: time.Since(begin), err: failure}, nil
}

// kernel returns the kernel for a target: the mirror's newest, or without the
// mirror the cache's.
func (m *matrixRun) kernel(ctx context.Context, t target) (*kernel, error) {
	if m.mirrors[t.arch] == nil {
		opened, err := openMirror(ctx, m.cache, t.arch)
		if err != nil {
			cached, cacheErr := cachedKernel(m.cache, t)
			if cacheErr != nil {
				return nil, fmt.Errorf("%w; %w", err, cacheErr)
			}
			_, _ = fmt.Fprintf(os.Stderr, "test-kernels: the mirror cannot be read, so Linux %s stays the %s: %v\n", cached.version, t.name(), err)
			return cached, nil
		}
		m.mirrors[t.arch] = opened
	}
	return fetchKernel(ctx, m.mirrors[t.arch], m.cache, t)
}

func (m *matrixRun) build(ctx context.Context, arch string) (*binaries, error) {
	if m.builds[arch] == nil {
		built, err := buildBinaries(ctx, arch, testPackage)
		if err != nil {
			return nil, err
		}
		m.builds[arch] = built
	}
	return m.builds[arch], nil
}

// convert reads what the tests printed by the tool that go test itself uses. With
// -t it tells how long each test took.
func convert(ctx context.Context, output string) (*results, error) {
	var events bytes.Buffer
	command := exec.CommandContext(ctx, "go", "tool", "test2json", "-t")
	command.Stdin, command.Stdout = bytes.NewReader([]byte(output)), &events
	if err := runCommand(command); err != nil {
		return nil, err
	}
	return parseEvents(&events)
}
