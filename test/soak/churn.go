package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"

	"sonde_exporter/test/servers"
)

// renewWorkers lets nginx replace its workers while they work.
func (l *load) renewWorkers(_ context.Context, sc *scope) {
	if err := syscall.Kill(l.cast.proxy.PID, syscall.SIGHUP); err != nil {
		sc.Fatalf("nginx cannot be told to renew its workers: %v", err)
	}
	l.renewals.Add(1)
}

// restart returns an act that ends a service, by turns in order and by SIGKILL,
// after it has answered everything, and starts it anew.
func (l *load) restart() func(context.Context, *scope) {
	var ended time.Time
	turn := 0
	return func(_ context.Context, sc *scope) {
		const requests = 20
		server := goServiceOn(sc, l.programs, nameRestarted, l.restartedPort)
		if !ended.IsZero() {
			l.longestGap.Store(max(l.longestGap.Load(), int64(time.Since(ended))))
		}
		if err := converse(server.Addr(), strings.Repeat(get("/hello"), requests), gets(requests)...); err != nil {
			sc.Fatalf("the restarted service does not answer: %v", err)
		}
		l.restartedRequests.Add(requests)
		time.Sleep(500 * time.Millisecond)
		end(server.Process, turn)
		ended = time.Now()
		l.restarts.Add(1)
		turn++
	}
}

// end stops a service in order or at once.
func end(p *servers.Process, turn int) {
	if turn%2 == 0 {
		p.Stop()
		return
	}
	p.Kill()
}

// killUnderLoad ends a service while wrk has requests under way, and starts it
// again before wrk is done.
func (l *load) killUnderLoad(ctx context.Context, sc *scope) {
	server := goServiceOn(sc, l.programs, nameKilled, l.killedPort)
	var wg sync.WaitGroup
	wg.Go(func() {
		sc.within(func(sc *scope) { l.killedAnswers.Add(wrk(ctx, sc, 8, server.URL("/hello"))) })
	})
	for turn := range 2 {
		time.Sleep(300*time.Millisecond + rand.N(500*time.Millisecond))
		end(server.Process, turn)
		l.kills.Add(1)
		server = goServiceOn(sc, l.programs, nameKilled, l.killedPort)
	}
	wg.Wait()
}

// shortLife starts a service that nobody has heard of before, and that is gone a
// second later: the time in which the exporter can learn its name.
func (l *load) shortLife(_ context.Context, sc *scope) {
	const requests = 5
	turn := int(l.shortLives.Add(1))
	name := fmt.Sprintf("%s%d", prefixShort, turn)
	server := goService(sc, l.programs, name)
	for range requests {
		if err := converse(server.Addr(), get("/short"), http.MethodGet); err != nil {
			sc.Fatalf("a short-lived service does not answer: %v", err)
		}
	}
	time.Sleep(time.Second)
	end(server.Process, turn)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.short[name] = requests
}
