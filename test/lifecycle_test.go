package e2e

import (
	"fmt"
	"os/exec"
	"testing"
	"time"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// TestStartedBeforeSonde: services that ran already, and connections that were
// open already, are measured from the next request on, in both roles.
func TestStartedBeforeSonde(t *testing.T) {
	web := servers.Go(t, programs(t).GoServer)
	nginx := servers.StartNginx(t, servers.NginxOptions{Upstream: web.Addr()})
	caller := servers.StartPeer(t, programs(t).Peer)
	listener := caller.Listen(t)
	open := conversation{client: caller.Dial(t, listener.Addr), server: listener.Accept(t)}
	early := []step{client(request("/early")), server(answer("hello"))}
	play(t, open, early)
	idle := conversation{client: caller.Dial(t, listener.Addr), server: listener.Accept(t)}
	kept := servers.Dial(t, nginx.Addr())
	talk(t, kept, request("/up/early"))

	e := exporter(t, harness.Options{})
	late := []step{client(request("/late")), server(answer("hello"))}
	for range 5 {
		play(t, open, late)
		play(t, idle, late)
		talk(t, kept, request("/up/late"))
	}
	for _, role := range []string{harness.Server, harness.Client} {
		e.Expect(t, role, harness.Labels{"server_port": portOf(t, listener.Addr)}, row(10, "GET", "/late", "200"))
		e.Expect(t, role, harness.Labels{"server_port": web.PortLabel()}, row(5, "GET", "/late", "200"))
	}
	e.Expect(t, harness.Server, harness.Labels{"server_port": nginx.PortLabel()}, row(5, "GET", "/up/late", "200"))
}

// TestStartedInTheMiddle: Sonde starts while an answer is under way. That
// request began unseen, so that only those after it count.
func TestStartedInTheMiddle(t *testing.T) {
	s := newStage(t)
	listener := s.server.Listen(t)
	c := conversation{client: s.client.Dial(t, listener.Addr), server: listener.Accept(t)}
	play(t, c, []step{client(request("/early")), server(answer(looksLikeAnswer)[:30])})
	e := exporter(t, harness.Options{})
	play(t, c, []step{server(answer(looksLikeAnswer)[30:]), client(request("/late")), server(answer("hello")), client(request("/late")), server(answer("hello"))})
	base := harness.Labels{"server_port": portOf(t, listener.Addr)}
	e.Expect(t, harness.Server, base, row(2, "GET", "/late", "200"))
	e.Expect(t, harness.Client, base, row(2, "GET", "/late", "200"))
}

// TestFirstRequest: a service that started a moment ago is measured from its
// first request on. The request is sent as soon as the kernel lets it in.
func TestFirstRequest(t *testing.T) {
	for i := range 20 {
		port := servers.FreePort(t)
		addr := fmt.Sprintf("127.0.0.1:%d", port)
		cmd := exec.Command(programs(t).GoServer, "-addr", addr)
		web := servers.GoCommand(t, port, cmd)
		talk(t, servers.Dial(t, addr), request("/first", "Connection: close"))
		web.Stop()
		shared(t).Expect(t, harness.Server, harness.Labels{"server_port": web.PortLabel(), "service_name": "goserver"},
			row(1, "GET", "/first", "200"))
		if t.Failed() {
			t.Fatalf("run %d", i)
		}
	}
}

// TestShortLife: a process that lives for one second, and one that is gone long
// before anybody scrapes.
func TestShortLife(t *testing.T) {
	for _, life := range []time.Duration{time.Second, 300 * time.Millisecond} {
		t.Run(life.String(), func(t *testing.T) {
			web := servers.Go(t, programs(t).GoServer, "-life", life.String())
			conn := servers.Dial(t, web.Addr())
			for range 10 {
				talk(t, conn, request("/short"))
			}
			web.Wait(t, 5*time.Second)
			shared(t).Expect(t, harness.Server, harness.Labels{"server_port": web.PortLabel(), "service_name": "goserver"},
				row(10, "GET", "/short", "200"))
		})
	}
}

// TestOneServiceBehindOneListener: processes that share a port share a series.
func TestOneServiceBehindOneListener(t *testing.T) {
	const total = 400
	port := servers.FreePort(t)
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	first := servers.GoOn(t, programs(t).GoServer, port, "-addr", addr, "-reuseport")
	second := servers.GoOn(t, programs(t).GoServer, port, "-addr", addr, "-reuseport")
	inParallel(t, 8, total, func() error { return talkOnce(addr, request("/hello", "Connection: close")) })
	snap := shared(t).Expect(t, harness.Server, harness.Labels{"server_port": fmt.Sprint(port)}, row(total, "GET", "/hello", "200"))
	if n := len(snap.Series(harness.Server, harness.Labels{"server_port": fmt.Sprint(port)})); n != 1 {
		t.Errorf("%d series, want 1:\n%s", n, snap.Describe(harness.Server, harness.Labels{"server_port": fmt.Sprint(port)}))
	}
	if first.Handled(t) == 0 || second.Handled(t) == 0 {
		t.Fatal("one of the two servers had nothing to do: the test shows nothing")
	}
}

// TestCountersOutliveTheirService: counts neither fall nor vanish when a
// service ends, and go on when it comes back.
func TestCountersOutliveTheirService(t *testing.T) {
	port := servers.FreePort(t)
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	for round := range 3 {
		web := servers.GoOn(t, programs(t).GoServer, port, "-addr", addr)
		talk(t, servers.Dial(t, addr), request("/hello", "Connection: close"))
		web.Stop()
		shared(t).Expect(t, harness.Server, harness.Labels{"server_port": fmt.Sprint(port)},
			row(uint64(round+1), "GET", "/hello", "200"))
	}
}
