package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sonde_exporter/test/harness"
)

const (
	// rssGrowth and rssSlack bound the memory at the end by that after a third of
	// the load: Go's collector lets the heap breathe by its own doubling, and
	// returns memory to the kernel slowly.
	rssGrowth = 1.25
	rssSlack  = 8 << 20
	// threadSlack is how many more threads may have been needed later in the load:
	// the Go runtime keeps every thread that it ever made.
	threadSlack = 4
	// countSlack is for the scrapes of this program itself.
	countSlack = 3
	// seriesMemory is what one series costs in the kernel at most, in bytes.
	seriesMemory = 2304
	// strangers is how many series may be left of services that were not chosen: each
	// is measured for the moment that it takes to learn which program it is.
	strangers = 10
	// shown is how many findings of one kind are printed.
	shown = 8
)

// checkWatch reports what the scrapes of the whole run have shown.
func (l *load) checkWatch(sc *scope, w *watcher) {
	w.mu.Lock()
	defer w.mu.Unlock()
	sc.report.check("counters never fell", len(w.fallen) == 0 && w.scrapes > 0,
		"%d scrapes, the slowest took %v (%s), at most %d series", w.scrapes, w.slowest.Round(time.Millisecond), w.slowestPart, w.series)
	list(sc, slices.Sorted(maps.Keys(w.fallen)))
	var wrong []string
	for name, requests := range l.short {
		if w.short[name] != requests {
			wrong = append(wrong, fmt.Sprintf("%s: %d requests, %d counted", name, requests, w.short[name]))
		}
	}
	sc.report.check("exact: short-lived services", len(wrong) == 0 && len(l.short) > 0,
		"%d services of a second", len(l.short))
	list(sc, wrong)
	gap := time.Duration(l.longestGap.Load())
	sc.report.check("restarts in time for the test", gap < retention, "%d restarts, at most %v without the service", l.restarts.Load(), gap.Round(time.Millisecond))
	sc.report.check("reloads", l.goodReloads.Load() > 1 && l.badReloads.Load() > 1,
		"%d good, %d bad", l.goodReloads.Load(), l.badReloads.Load())
}

// list prints some findings for the one who looks into a failure.
func list(sc *scope, findings []string) {
	for i, finding := range findings {
		if i == shown {
			sc.Logf("  and %d more", len(findings)-shown)
			return
		}
		sc.Logf("  %s", finding)
	}
}

// checkGone makes sure that retired services have left no series behind.
func (l *load) checkGone(sc *scope) {
	snap := l.exporter.Scrape(sc)
	var left []string
	for _, family := range []string{harness.Server, harness.Client, "sonde_service_info", "sonde_connections_total"} {
		for _, name := range snap.Values(family, "service_name", nil) {
			ended := slices.Contains([]string{nameBombed, nameRestarted, nameKilled}, name)
			if ended || strings.HasPrefix(name, prefixShort) {
				left = append(left, family+" of "+name)
			}
		}
	}
	sc.report.check("retired services are gone", len(left) == 0, "%d services ended", int(l.shortLives.Load())+3)
	list(sc, left)
	// Every series of the kernel that has a name is shown; what is more has none.
	other := harness.Labels{"http_route": "_other"}
	exposed := 0
	for _, family := range []string{harness.Server, harness.Client} {
		exposed += len(snap.Series(family, nil)) - len(snap.Series(family, other))
	}
	inKernel := int(snap.Value("sonde_series", nil))
	sc.report.check("no nameless series", inKernel <= exposed+strangers, "%d in the kernel, %d shown", inKernel, exposed)
}

// checkResources compares what the exporter holds with what it held before.
func (l *load) checkResources(sc *scope, before, third resources) {
	end := measure(sc, l.exporter)
	bound := int64(float64(third.rss)*rssGrowth) + rssSlack
	sc.report.check("memory", end.rss <= bound,
		"%.1f MiB before the load, %.1f after a third of it, %.1f at the end; allowed %.1f",
		mebibytes(before.rss), mebibytes(third.rss), mebibytes(end.rss), mebibytes(bound))
	sc.report.check("goroutines", end.goroutines <= before.goroutines+countSlack,
		"%d, %d, %d", before.goroutines, third.goroutines, end.goroutines)
	sc.report.check("file descriptors", end.descriptors <= before.descriptors+countSlack,
		"%d, %d, %d", before.descriptors, third.descriptors, end.descriptors)
	sc.report.check("threads", end.threads <= third.threads+threadSlack,
		"%d, %d, %d", before.threads, third.threads, end.threads)
	entries := l.exporter.Scrape(sc).Value("sonde_bpf_map_entries", harness.Labels{"map": "series"})
	allowed := before.kernelMemory + int64(entries)*seriesMemory
	sc.report.check("kernel memory of maps", end.kernelMemory <= allowed,
		"%.1f MiB, %.1f, %.1f; %g series are left, which allow %.1f", mebibytes(before.kernelMemory),
		mebibytes(third.kernelMemory), mebibytes(end.kernelMemory), entries, mebibytes(allowed))
}

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }

// checkMaps looks twice for entries that nothing explains: other programs of
// this machine end as well, and retire between the two.
func (l *load) checkMaps(ctx context.Context, sc *scope) {
	opened := openMaps(sc, heldBy(sc, l.exporter.PID))
	first := opened.unexplained(sc)
	if len(first) > 0 && !pause(ctx, retired) {
		return
	}
	again := opened.unexplained(sc)
	leaked := slices.DeleteFunc(first, func(what string) bool { return !slices.Contains(again, what) })
	var entries []string
	snap := l.exporter.Scrape(sc)
	for _, name := range snap.Values("sonde_bpf_map_entries", "map", nil) {
		entries = append(entries, name+" "+formatted(snap.Value("sonde_bpf_map_entries", harness.Labels{"map": name})))
	}
	sc.report.check("map entries are explained", len(leaked) == 0, "%d are not; %s", len(leaked), strings.Join(entries, ", "))
	list(sc, leaked)
}
