package main

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// load is everything that happens to the machine at once, and what the clients
// know of it.
type load struct {
	cast     *cast
	programs harness.Programs
	exporter *harness.Exporter

	wrkRequests                      atomic.Uint64 // answers that wrk has had
	pipelined, bombed, called        atomic.Uint64 // requests that were answered
	aborted, rude                    atomic.Uint64 // connections that were left
	restarts, kills, renewals        atomic.Uint64
	restartedRequests, killedAnswers atomic.Uint64
	badReloads, goodReloads          atomic.Uint64
	toggled                          atomic.Uint64
	toggledNanoseconds               atomic.Int64 // that they took together
	shortLives                       atomic.Uint64

	longestGap                atomic.Int64 // nanoseconds without the restarted service
	restartedPort, killedPort int

	mu    sync.Mutex
	short map[string]uint64 // requests to each short-lived service
	idle  []*net.TCPConn    // on which nothing happens during the load
}

// act is something that is done again and again during the load.
type act struct {
	every time.Duration
	do    func(context.Context, *scope)
}

// run does everything at once for a while, and returns what the exporter held
// after a third of it.
func (l *load) run(ctx context.Context, sc *scope, bombed *servers.GoServer, duration time.Duration) (third resources) {
	ctx, stop := context.WithTimeout(ctx, duration)
	defer stop()
	var wg sync.WaitGroup
	for _, a := range []act{
		{0, l.hammer()},
		{500 * time.Millisecond, l.pipeline},
		{300 * time.Millisecond, l.bomb(bombed)},
		{200 * time.Millisecond, l.callManyHosts},
		{100 * time.Millisecond, l.leaveInTheMiddle},
		{0, l.useToggled},
		{4 * time.Second, l.renewWorkers},
		{0, l.restart()},
		{0, l.killUnderLoad},
		{700 * time.Millisecond, l.shortLife},
		{800 * time.Millisecond, l.reload()},
	} {
		wg.Go(func() { repeat(ctx, sc, a) })
	}
	wg.Go(func() {
		if pause(ctx, duration/3) {
			sc.within(func(sc *scope) { third = measure(sc, l.exporter) })
		}
	})
	wg.Wait()
	return third
}

// repeat runs an act until ctx ends or the act breaks. What each turn starts is
// stopped at its end.
func repeat(ctx context.Context, sc *scope, a act) {
	for ctx.Err() == nil {
		if !sc.within(func(turn *scope) { a.do(ctx, turn) }) {
			return
		}
		pause(ctx, a.every)
	}
}

// wrkTurn is how long wrk stays with one server.
const wrkTurn = 4 * time.Second

// hammer returns an act that lets wrk run at full speed, at one server after
// another.
func (l *load) hammer() func(context.Context, *scope) {
	urls := []string{l.cast.stable.URL("/bytes/500"), l.cast.front.URL("/hello"), l.cast.proxy.URL("/up/hello")}
	turn := 0
	return func(ctx context.Context, sc *scope) {
		l.wrkRequests.Add(wrk(ctx, sc, 64, urls[turn%len(urls)]))
		turn++
	}
}

func wrkCount() *regexp.Regexp { return regexp.MustCompile(`(\d+) requests in`) }

// wrk runs for a turn, or what is left until ctx ends, and returns how many
// answers it got.
func wrk(ctx context.Context, sc *scope, connections int, url string) uint64 {
	length := wrkTurn
	if end, ok := ctx.Deadline(); ok {
		length = min(length, time.Until(end))
	}
	seconds := max(1, int(length.Seconds()))
	cmd := exec.Command(servers.Tool(sc, "wrk"), "-t1", fmt.Sprintf("-c%d", connections), fmt.Sprintf("-d%ds", seconds), url)
	said, err := cmd.CombinedOutput()
	if err != nil {
		sc.Fatalf("wrk failed: %v\n%s", err, said)
	}
	found := wrkCount().FindSubmatch(said)
	if found == nil {
		sc.Fatalf("wrk did not print how many requests it made:\n%s", said)
	}
	n, err := strconv.ParseUint(string(found[1]), 10, 64)
	if err != nil {
		sc.Fatalf("wrk's count is not a number: %v", err)
	}
	return n
}
