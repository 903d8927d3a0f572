package main

import (
	"os"
	"slices"
	"testing"
	"time"
)

func TestBystandersWork(t *testing.T) {
	for _, b := range bystanders() {
		rec := newRecord()
		if err := b.measure(rec, without, 20*time.Millisecond); err != nil {
			t.Errorf("%s: %v", b.name, err)
			continue
		}
		for _, row := range rec.rows() {
			if row.Without == nil || row.Without.Median <= 0 {
				t.Errorf("%s: %s is %v, want more than nothing", b.name, row.Measure, row.Without)
			}
		}
	}
}

func TestCPUTimeIsThatOfTheProcess(t *testing.T) {
	before, err := cpuTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	const busy = 50 * time.Millisecond
	for begin := time.Now(); time.Since(begin) < busy; {
	}
	after, err := cpuTime(os.Getpid())
	// A crowded machine may leave less of its time to this process, never none.
	if used := after - before; err != nil || used <= 0 || used > 100*busy {
		t.Errorf("%v of work took %v of CPU (%v)", busy, used, err)
	}
	if _, err := cpuTime(1<<22 + 1); err == nil {
		t.Error("a process beyond the largest number that the kernel gives has CPU time")
	}
}

func TestWordsDiffer(t *testing.T) {
	paths := words(10000)
	if distinct := len(slices.Compact(slices.Sorted(slices.Values(paths)))); distinct != len(paths) {
		t.Errorf("%d of %d paths are distinct", distinct, len(paths))
	}
}
