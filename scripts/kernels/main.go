// Kernels runs the kernel tests on Debian's kernels, each booted in QEMU without
// hardware virtualization, and prints one table. The kernels are downloaded as
// packages into the user's cache and never installed.
//
//	kernels [-run PATTERN] [-update] [TARGET...]
//
// It exits with 1 if a test failed, a machine failed, or a program outgrew the
// verifier budget.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

const (
	testPackage = "./probe"
	budgetFile  = "bpf/verifier-budget.txt"
)

// guestModules are loaded before the tests: kTLS is a protocol of sockets, and
// pairs of devices join network namespaces.
func guestModules() []string { return []string{"tls", "veth"} }

// Limits of time. The tests end themselves first, as they can say where they were.
const (
	testLimit    = 15 * time.Minute
	machineLimit = 17 * time.Minute
	totalLimit   = 60 * time.Minute
)

func main() {
	if err := start(); err != nil {
		fmt.Fprintln(os.Stderr, "test-kernels:", err)
		os.Exit(1)
	}
}

func start() error {
	pattern := flag.String("run", "", "run only the tests that match, and leave the verifier budget alone")
	update := flag.Bool("update", false, "write the verifier budget anew")
	flag.Parse()
	targets, err := selectTargets(flag.Args())
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	ctx, cancel := context.WithTimeoutCause(ctx, totalLimit, errors.New("the time for all kernels is over"))
	defer cancel()
	return testKernels(ctx, targets, *pattern, *update)
}

// testKernels runs all targets, one after the other, and reports.
func testKernels(ctx context.Context, targets []target, pattern string, update bool) error {
	cache, unlock, err := openCache()
	if err != nil {
		return err
	}
	defer unlock()
	m := &matrixRun{cache: cache, pattern: pattern, mirrors: map[string]*mirror{}, builds: map[string]*binaries{}}
	for _, t := range targets {
		if _, err := m.build(ctx, t.arch); err != nil {
			return err
		}
	}
	report := &report{out: os.Stdout}
	for _, t := range targets {
		if ctx.Err() != nil {
			break
		}
		run := m.run(ctx, t)
		report.runs = append(report.runs, run)
		report.print("%s\n", run.summary())
	}
	report.table()
	err = checkBudget(report, pattern, update)
	report.failures() // last, where whoever sees only the end of a log looks
	if len(report.runs) < len(targets) {
		return context.Cause(ctx)
	}
	return errors.Join(verdict(report.runs), err)
}

// verdict is an error if any kernel has a failure.
func verdict(runs []*run) error {
	bad := 0
	for _, r := range runs {
		if !r.ok() || len(r.results.with(passed)) == 0 {
			bad++
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d kernels failed", bad, len(runs))
	}
	return nil
}

// checkBudget compares what the verifier did on the kernels that ran to the end.
func checkBudget(report *report, pattern string, update bool) error {
	committed, err := readBudget(budgetFile)
	if err != nil && !update {
		return err
	}
	measured := budget{}
	for _, r := range report.runs {
		if r.err == nil {
			measured[r.target.name()] = r.results.verified
		}
	}
	report.verifier(measured, committed)
	switch {
	case pattern != "":
		return nil
	case update:
		return os.WriteFile(budgetFile, []byte(committed.updated(measured).String()), 0o644)
	}
	excesses := committed.excesses(measured)
	for _, excess := range excesses {
		report.print("%s\n", excess)
	}
	if len(excesses) > 0 {
		return errors.New("the verifier budget does not fit; if that is as it should be, run make update-verifier-budget and commit it with the change")
	}
	return nil
}

// openCache makes the directory for kernels and keeps other runs out of it: two
// machines at once would also be too slow for the tests' deadlines.
func openCache() (path string, unlock func(), err error) {
	home, err := os.UserCacheDir()
	if err != nil {
		return "", nil, fmt.Errorf("there is no place for the kernels: %w; set XDG_CACHE_HOME", err)
	}
	path = filepath.Join(home, "sonde-kernels")
	if err := os.MkdirAll(path, 0o755); err != nil {
		return "", nil, fmt.Errorf("the cache for kernels cannot be made: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", nil, fmt.Errorf("the cache for kernels cannot be locked: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return "", nil, errors.Join(fmt.Errorf("another test-kernels is running: %w", err), lock.Close())
	}
	return path, func() { _ = lock.Close() }, nil
}
