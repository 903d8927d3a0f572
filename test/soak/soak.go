package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

const (
	// retention is short enough that what restarts retires many times in a run.
	retention = 5 * time.Second
	// retired is when the last service has retired that ended just now: the sweep
	// that finds it gone and the one that retires it are up to a second late.
	retired = retention + 3*time.Second

	seriesLimit           = 2000
	seriesLimitPerService = 500
)

// soak starts everything, lets it run, and checks what came of it.
func soak(ctx context.Context, sc *scope, programs harness.Programs, duration time.Duration) {
	l := &load{cast: &cast{}, programs: programs, short: map[string]uint64{}}
	l.cast.early(sc, programs)
	l.exporter = l.launch(sc)
	l.cast.late(sc, programs)
	before := settledResources(sc, l.exporter)

	var third resources
	ran := sc.within(func(sc *scope) { third = l.play(ctx, sc, duration) })
	if !ran || ctx.Err() != nil || !pause(ctx, retired) {
		return
	}
	// By now everything but the lasting cast has ended, and has retired.
	l.checkGone(sc)
	l.checkResources(sc, before, third)
	// Whoever has a map open keeps it in the kernel.
	sc.within(func(sc *scope) { l.checkMaps(ctx, sc) })
	l.checkLosses(sc)
	l.checkEnd(sc)
}

// pause waits, and returns whether it was not interrupted.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// play runs the load, lets what has ended retire, and checks the counts, under
// the eyes of the watcher all the time. It returns what the exporter held after
// a third of the load.
func (l *load) play(ctx context.Context, sc *scope, duration time.Duration) (third resources) {
	bombed := goService(sc, l.programs, nameBombed)
	l.restartedPort, l.killedPort = servers.FreePort(sc), servers.FreePort(sc)
	l.openIdle(sc)

	w := newWatcher(l.exporter)
	watched, blind := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() { sc.within(func(sc *scope) { w.run(watched, sc) }) })
	defer watching.Wait()
	defer blind()

	third = l.run(ctx, sc, bombed, duration)
	// Services of these names live on while their many instances retire.
	goServiceOn(sc, l.programs, nameRestarted, l.restartedPort)
	goServiceOn(sc, l.programs, nameKilled, l.killedPort)
	l.reloadTo(sc, l.plainConfig(), false)
	for _, conn := range l.idle {
		use(sc, conn)
	}
	if !pause(ctx, retired) {
		return third
	}
	l.checkCounts(sc)
	blind()
	watching.Wait()
	l.checkWatch(sc, w)
	return third
}

// launch starts the exporter, which ends at the latest with the scope.
func (l *load) launch(sc *scope) *harness.Exporter {
	return harness.Start(sc, l.programs.Exporter, harness.Options{
		Config: l.plainConfig(),
		Args: []string{
			fmt.Sprintf("--series.retention=%v", retention),
			fmt.Sprintf("--series.limit=%d", seriesLimit),
			fmt.Sprintf("--series.limit-per-service=%d", seriesLimitPerService),
		},
	})
}

// settledResources measures an exporter that has answered a few scrapes.
func settledResources(sc *scope, e *harness.Exporter) resources {
	for range 3 {
		e.Scrape(sc)
		e.ScrapeText(sc)
	}
	return measure(sc, e)
}
