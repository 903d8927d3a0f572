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

// run boots one kernel and runs the tests there.
func (m *matrixRun) run(ctx context.Context, t target) *run {
	r := &run{target: t, version: "-", results: newResults()}
	begin := time.Now()
	r.err = m.fill(ctx, r)
	r.elapsed = time.Since(begin)
	if ctx.Err() != nil {
		r.err = context.Cause(ctx)
	}
	return r
}

func (m *matrixRun) fill(ctx context.Context, r *run) error {
	board, err := boardOf(r.target.arch)
	if err != nil {
		return err
	}
	kernel, err := m.kernel(ctx, r.target)
	if err != nil {
		return err
	}
	r.version = kernel.version
	built, err := m.build(ctx, r.target.arch)
	if err != nil {
		return err
	}
	modules, err := kernel.modules(ctx, guestModules())
	if err != nil {
		return err
	}
	initrd, err := initramfs(built, modules, testPlan(board.port, m.pattern, testLimit))
	if err != nil {
		return err
	}
	inTime, cancel := context.WithTimeout(ctx, machineLimit)
	defer cancel()
	output, status, failure := boot(inTime, board, kernel.image(), initrd)
	// What the tests said until they were cut off is told all the same.
	if r.results, err = convert(context.WithoutCancel(ctx), output); err != nil {
		return err
	}
	if failure == nil && status != 0 && len(r.results.with(failed)) == 0 {
		failure = fmt.Errorf("the tests ended with status %d", status)
	}
	return failure
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
