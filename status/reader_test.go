package status

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sonde_exporter/collector"
	"sonde_exporter/discovery"
	"sonde_exporter/series"
)

func shopLabels() series.Labels { return series.Labels{ServiceName: "shop", Role: series.Server} }

func read(t *testing.T, r *Reader) *Status {
	t.Helper()
	status, err := r.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return status
}

// TestReadsAreShared: pages that are loaded in a loop, or all at once, are of one
// reading. One that takes long is of use for longer.
func TestReadsAreShared(t *testing.T) {
	for name, c := range map[string]struct{ slow, life time.Duration }{
		"quick": {time.Millisecond, shelfLife},
		"slow":  {500 * time.Millisecond, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				host := newHost(t)
				host.slow = c.slow
				reader := host.reader()
				var clients sync.WaitGroup
				for range 100 {
					clients.Go(func() { read(t, reader) })
				}
				clients.Wait()
				time.Sleep(c.life - time.Millisecond)
				read(t, reader)
				if n := host.folds.Load(); n != 1 {
					t.Errorf("the series were read %d times, want once", n)
				}
				time.Sleep(2 * time.Millisecond)
				read(t, reader)
				if n := host.folds.Load(); n != 2 {
					t.Errorf("after %v the series were read %d times in all, want twice", c.life, n)
				}
				if n := host.costs.Load(); n != 2 {
					t.Errorf("the cost of programs was read %d times for two readings", n)
				}
			})
		})
	}
}

// TestImpatientClient: one that leaves neither hangs nor spoils it for the others.
func TestImpatientClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newHost(t)
		host.slow = time.Minute
		host.run(1, "shop", 80)
		host.add(shopLabels(), 5, time.Millisecond)
		reader := host.reader()
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go func() {
			if status, err := reader.Read(short); err != nil || status.Services[0].Server.Total != 5 {
				t.Errorf("who reads gets %v, %v; want what it has read", status, err)
			}
		}()
		synctest.Wait()
		if _, err := reader.Read(short); err == nil {
			t.Error("who waits got an answer after its time")
		}
		if status := read(t, reader); status.Services[0].Server.Total != 5 {
			t.Errorf("who waits longer gets %+v, want 5 requests", status.Services[0].Server)
		}
	})
}

func TestWindowMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newHost(t)
		host.run(1, "shop", 80)
		reader := host.reader()
		ctx, stop := context.WithCancel(t.Context())
		go reader.Run(ctx)
		check := func(seconds, perSecond float64, words string) {
			t.Helper()
			status := read(t, reader)
			if got := status.Services[0].Server.PerSecond; status.Window.Seconds != seconds || got != perSecond {
				t.Errorf("%v requests/s in %v s, want %v in %v s", got, status.Window.Seconds, perSecond, seconds)
			}
			if got := status.Window.Words(); got != words {
				t.Errorf("the window is %q, want %q", got, words)
			}
		}
		host.add(shopLabels(), 300, time.Millisecond)
		time.Sleep(30 * time.Second)
		check(30, 10, "since Sonde started, 30 s ago")
		time.Sleep(4 * time.Minute)
		check(270, 300./270, "since Sonde started, 4 min 30 s ago")
		time.Sleep(time.Minute)
		check(270, 0, "in the last 4 min 30 s")

		host.run(2, "renamed", 81)
		host.add(series.Labels{ServiceName: "renamed"}, 1_000_000, time.Millisecond)
		reader.Restart(t.Context())
		time.Sleep(2 * time.Second)
		check(2, 0, "since the configuration was reloaded, 2 s ago")
		if got := read(t, reader).Services[0]; got.Name != "renamed" || got.Server.InWindow != 0 || got.Server.Total != 1_000_000 {
			t.Errorf("%s counts %+v, want a million in all, but none since the reload", got.Name, got.Server)
		}
		stop()
		synctest.Wait()
	})
}

func TestServices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newHost(t)
		host.run(1, "shop", 80, 443)
		host.run(2, "shop", 80)
		host.run(3, "bank", 8080).Gone = time.Now()
		skipped := host.run(4, "sshd", 22)
		skipped.Selected, skipped.Reason = false, "excluded by rule 1 of discovery.exclude"
		host.ports = append(host.ports,
			portCount(1, 80, overTCP, http1, 5), portCount(2, 80, overTCP, http1, 6),
			portCount(1, 443, overTLS, http2, 1), portCount(1, 443, overTLS, http1, 2),
			portCount(1, 9999, overTCP, http1, 1)) // a port that it listened on once
		failed := shopLabels()
		failed.ErrorType = "500"
		called := shopLabels()
		called.Role = series.Client
		host.add(shopLabels(), 90, 10*time.Millisecond)
		host.add(failed, 10, time.Second)
		host.add(called, 7, time.Millisecond)
		reader := host.reader()
		time.Sleep(10 * time.Second)
		status := read(t, reader)

		if len(status.Services) != 2 || status.Services[0].Name != "bank" || status.Services[1].Name != "shop" {
			t.Fatalf("the services are %+v, want bank and shop", status.Services)
		}
		shop, bank := status.Services[1], status.Services[0]
		if got := text(t, shop.Ports); got != `[{"port":80,"protocols":[{"protocol":"http1","tls":false,"measured":true,"connections_total":11}]},`+
			`{"port":443,"protocols":[{"protocol":"http1","tls":true,"measured":true,"connections_total":2},{"protocol":"http2","tls":true,"measured":false,"connections_total":1}]}]` {
			t.Errorf("the ports are %s", got)
		}
		if len(shop.Instances) != 2 || shop.Instances[1].PID != 1002 || shop.Instances[1].Processes != 2 || shop.Instances[1].Gone || !bank.Instances[0].Gone {
			t.Errorf("the instances are %+v and %+v", shop.Instances, bank.Instances)
		}
		server := shop.Server
		if server.Total != 100 || server.ErrorsTotal != 10 || server.PerSecond != 10 || *server.ErrorRatio != 0.1 || shop.Client.Total != 7 {
			t.Errorf("shop serves %s and makes %s", text(t, server), text(t, shop.Client))
		}
		if *server.P50 > 0.0105 || *server.P95 < 0.9 || *server.P99 < *server.P95 {
			t.Errorf("the quantiles are %v, %v, %v; want about 10 ms, 1 s, 1 s", *server.P50, *server.P95, *server.P99)
		}
		if bank.Server.Total != 0 || bank.Server.ErrorRatio != nil || bank.Server.P99 != nil {
			t.Errorf("bank serves %s, want nothing", text(t, bank.Server))
		}
		if got := text(t, status.Excluded); got != `[{"name":"sshd","namespace":"","pid":1004,"executable":"/usr/bin/sshd","ports":[22],"reason":"excluded by rule 1 of discovery.exclude"}]` {
			t.Errorf("excluded are %s", got)
		}
	})
}

func TestCost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newHost(t)
		host.about = Description{LimitPerService: 10, Untimed: "no time"}
		reader := host.reader()
		time.Sleep(10 * time.Second)
		cost := read(t, reader).Cost
		first := cost.Kernel.Programs[0]
		if first.Name != "wire_egress" || first.RunsPerSecond != 100 || *first.NanosecondsPerRun != 1000 || first.CPURatio != 0.0001 || cost.Kernel.CPURatio != 0.0001 {
			t.Errorf("the first program is %s, want wire_egress with 100 runs/s of 1000 ns", text(t, first))
		}
		if second := cost.Kernel.Programs[1]; second.NanosecondsPerRun != nil {
			t.Errorf("a program that did not run took %v ns a run", *second.NanosecondsPerRun)
		}
		if cost.Kernel.Reason != "no time" || cost.Process.ResidentBytes == 0 {
			t.Errorf("the cost is %s", text(t, cost))
		}
		if got := text(t, cost.Series); got != `{"count":12,"limit":100,"limit_per_service":10,"overflow_total":3}` {
			t.Errorf("the series are %s", got)
		}
		if cost.Maps[0].Name != "series" {
			t.Errorf("the fullest map is %s, want series", cost.Maps[0].Name)
		}
		if got := text(t, cost.Losses); got != `[{"reason":"segment_gap","of":"observation","meaning":"bytes passed that could not be put back in order","count_total":2},`+
			`{"reason":"ring_full","of":"span","meaning":"spans came faster than Sonde could take them","count_total":0}]` {
			t.Errorf("the losses are %s", got)
		}
	})
}

// TestKernelThatFails: the page says what is missing, and shows the rest.
func TestKernelThatFails(t *testing.T) {
	host := newHost(t)
	host.run(1, "shop", 80)
	host.run(2, "shop", 80)
	host.err = errKernel
	status := read(t, host.reader())
	if len(status.Services) != 1 || status.Services[0].Server != nil {
		t.Errorf("the services are %s, want shop without numbers", text(t, status.Services))
	}
	all := strings.Join(status.Warnings, "\n")
	for _, want := range []string{"requests and costs", "connections", "port", "processes", "losses", "maps", "overflow", errKernel.Error()} {
		if !strings.Contains(all, want) {
			t.Errorf("no warning speaks of %q:\n%s", want, all)
		}
	}
	if n := strings.Count(all, "processes are not counted"); n != 1 {
		t.Errorf("one warning is there %d times", n)
	}
}

// TestNoNullLists: clients may iterate over every list without a check.
func TestNoNullLists(t *testing.T) {
	host := newHost(t)
	host.run(1, "shop")
	host.run(2, "left out").Selected = false
	encoded := text(t, read(t, host.reader()))
	for name := range strings.SplitSeq(encoded, ",") {
		key, value, _ := strings.Cut(name, ":")
		if strings.HasPrefix(value, "null") && !strings.HasSuffix(key, `_seconds"`) && !strings.HasSuffix(key, `_ratio"`) && !strings.HasSuffix(key, `_run"`) {
			t.Errorf("%s is null", key)
		}
	}
}

func TestConnectionsWithoutRequests(t *testing.T) {
	connections := func(role, protocol string, tls bool) collector.Connections {
		return collector.Connections{Role: role, Protocol: protocol, TLS: tls, Visible: protocol == "http1", Count: 2}
	}
	hidden := "TLS by rustls: it has no functions"
	for name, c := range map[string]struct {
		connections []collector.Connections
		hidden      []string
		want        string
	}{
		"nothing": {nil, nil, `[]`},
		"HTTP/1":  {[]collector.Connections{connections("server", "http1", false)}, nil, `[]`},
		"HTTP/2": {[]collector.Connections{connections("server", "http1", true), connections("client", "http2", true)}, []string{hidden},
			`[{"role":"client","protocol":"http2","tls":true,"connections_total":2,"reasons":["HTTP/2 is recognised, and not measured yet"]}]`},
		"hidden TLS": {[]collector.Connections{connections("server", "tls", true)}, []string{hidden},
			`[{"role":"server","protocol":"tls","tls":true,"connections_total":2,"reasons":["` + hidden + `"]}]`},
		"hidden TLS, open": {nil, []string{hidden},
			`[{"role":"","protocol":"tls","tls":true,"connections_total":0,"reasons":["` + hidden + `"]}]`},
		"TLS from before": {[]collector.Connections{connections("server", "tls", true)}, nil,
			`[{"role":"server","protocol":"tls","tls":true,"connections_total":2,"reasons":["TLS from before Sonde saw inside the library, which it looks for when a service first speaks TLS"]}]`},
		"unknown": {[]collector.Connections{connections("server", "unknown", false)}, nil,
			`[{"role":"server","protocol":"unknown","tls":false,"connections_total":2,"reasons":["a protocol that Sonde does not know"]}]`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := text(t, gaps(connectionsOf(c.connections), c.hidden)); got != c.want {
				t.Errorf("not measured is %s, want %s", got, c.want)
			}
		})
	}
}

func TestHiddenTLSOfAService(t *testing.T) {
	host := newHost(t)
	host.run(1, "vault", 443)
	host.run(2, "vault", 443)
	host.hidden[1] = hiddenBy("rustls", "it has no functions")
	host.hidden[2] = append(hiddenBy("rustls", "it has no functions"), hiddenBy("unknown", "nothing is mapped")...)
	host.spoken[discovery.Service{Name: "vault"}] = []collector.Connections{{Role: "server", Protocol: "tls", TLS: true, Count: 9}}
	got := read(t, host.reader()).Services[0].NotMeasured
	want := `[{"role":"server","protocol":"tls","tls":true,"connections_total":9,"reasons":["TLS by rustls: it has no functions","TLS by a library that is not known: nothing is mapped"]}]`
	if text(t, got) != want {
		t.Errorf("not measured is %s, want %s", text(t, got), want)
	}
}

func text(t *testing.T, value any) string {
	t.Helper()
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(b.String())
}
