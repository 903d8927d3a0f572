package main

import (
	"context"
	"net"
	"net/http"
	"strings"

	"sonde_exporter/test/servers"
)

// pipeline sends many requests before it reads the first answer.
func (l *load) pipeline(_ context.Context, sc *scope) {
	const depth = 200
	if err := converse(l.cast.pipelined.Addr(), strings.Repeat(get("/hello"), depth), gets(depth)...); err != nil {
		sc.Fatalf("pipelining failed: %v", err)
	}
	l.pipelined.Add(depth)
}

// bomb returns an act that sends requests each unlike any other.
func (l *load) bomb(server *servers.GoServer) func(context.Context, *scope) {
	return func(_ context.Context, sc *scope) {
		const turns, batch = 10, 50
		for range turns {
			requests, methods := strangeBatch(batch)
			if err := converse(server.Addr(), requests, methods...); err != nil {
				sc.Fatalf("the cardinality bomb failed: %v", err)
			}
			l.bombed.Add(batch)
		}
	}
}

// callManyHosts lets a service make calls each to another host.
func (l *load) callManyHosts(_ context.Context, sc *scope) {
	const calls = 50
	conn := l.cast.caller.Dial(sc, l.cast.called.Addr())
	conn.Write(sc, strangeCalls(calls))
	conn.ReadAll(sc)
	conn.Close(sc)
	l.called.Add(calls)
}

// leaveInTheMiddle closes and resets connections while the server works, while
// it answers, and before the request is whole.
func (l *load) leaveInTheMiddle(_ context.Context, sc *scope) {
	for _, a := range []struct {
		path  string
		read  int64
		reset bool
	}{
		{"/sleep/30", 0, false},
		{"/sleep/30", 0, true},
		{"/bytes/3000000", 1000, false},
		{"/bytes/3000000", 1000, true},
	} {
		if err := abort(l.cast.aborted.Addr(), get(a.path), a.read, a.reset); err != nil {
			sc.Fatalf("a connection to be left cannot be used: %v", err)
		}
		l.aborted.Add(1)
	}
	part := strings.TrimSuffix(get("/part"), "\r\n\r\n")
	for _, reset := range []bool{false, true} {
		if err := abort(l.cast.rude.Addr(), part, 0, reset); err != nil {
			sc.Fatalf("a connection to be left cannot be used: %v", err)
		}
		l.rude.Add(1)
	}
}

// idleCount is how many connections stay open; every second one has been used.
const idleCount = 200

// openIdle opens the connections that stay idle.
func (l *load) openIdle(sc *scope) {
	for i := range idleCount {
		conn, err := dial(l.cast.idle.Addr())
		if err != nil {
			sc.Fatalf("cannot open a connection to leave idle: %v", err)
		}
		sc.Cleanup(func() { _ = conn.Close() })
		if i%2 == 0 {
			use(sc, conn)
		}
		l.idle = append(l.idle, conn)
	}
}

// use makes one request on a connection that stays open.
func use(sc *scope, conn *net.TCPConn) {
	if err := converseOn(conn, get("/idle"), http.MethodGet); err != nil {
		sc.Fatalf("an idle connection cannot be used: %v", err)
	}
}
