package main

import (
	"fmt"
	"strconv"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// The names of the services. They differ from those of anything else that may
// run on the machine, except nginx, whose name is its own.
const (
	nameStable    = "soak-stable"
	nameBackend   = "soak-backend"
	nameAborted   = "soak-aborted"
	namePipelined = "soak-pipelined"
	nameIdle      = "soak-idle"
	nameCalled    = "soak-called"
	nameCaller    = "soak-caller"
	nameRude      = "soak-rude"
	nameToggled   = "soak-toggled"
	nameRestarted = "soak-restarted"
	nameKilled    = "soak-killed"
	nameBombed    = "soak-bombed"
	prefixShort   = "soak-short-"
	nameNginx     = "nginx"
)

// cast is the services that live from the beginning to the end of the load.
type cast struct {
	stable, backend, aborted, pipelined, idle, called, rude, toggled *servers.GoServer

	front  *servers.Nginx // keeps a log, and is left alone
	proxy  *servers.Nginx // in front of backend; told again and again to renew its workers
	caller *servers.Peer
}

// survivors are the services whose counters must neither fall nor vanish.
func survivors() []string {
	return []string{
		nameStable, nameBackend, nameAborted, namePipelined, nameIdle, nameCalled, nameCaller, nameRude,
		nameRestarted, nameKilled, nameNginx,
	}
}

// early starts what runs before the exporter does.
func (c *cast) early(sc *scope, programs harness.Programs) {
	c.stable = goService(sc, programs, nameStable)
	c.backend = goService(sc, programs, nameBackend)
	c.idle = goService(sc, programs, nameIdle)
	c.toggled = goService(sc, programs, nameToggled)
	c.front = servers.StartNginx(sc, servers.NginxOptions{AccessLog: true})
	c.proxy = servers.StartNginx(sc, servers.NginxOptions{Upstream: c.backend.Addr(), AccessLog: true})
}

// late starts what the exporter sees begin.
func (c *cast) late(sc *scope, programs harness.Programs) {
	c.aborted = goService(sc, programs, nameAborted)
	c.pipelined = goService(sc, programs, namePipelined)
	c.called = goService(sc, programs, nameCalled)
	c.rude = goService(sc, programs, nameRude)
	c.caller = servers.PeerCommand(sc, servers.NewCommand(programs.Peer, serviceName(nameCaller)))
}

// goService starts a net/http service under a name of its own.
func goService(sc *scope, programs harness.Programs, name string, flags ...string) *servers.GoServer {
	return goServiceOn(sc, programs, name, servers.FreePort(sc), flags...)
}

func goServiceOn(sc *scope, programs harness.Programs, name string, port int, flags ...string) *servers.GoServer {
	flags = append([]string{"-addr", fmt.Sprintf("127.0.0.1:%d", port)}, flags...)
	return servers.GoCommand(sc, port, servers.NewCommand(programs.GoServer, serviceName(name), flags...))
}

func serviceName(name string) []string { return []string{"OTEL_SERVICE_NAME=" + name} }

// served matches the requests that a process answered on its port. Its counter
// has another port, so that asking for it does not count.
func served(p *servers.Process) harness.Labels {
	return harness.Labels{"server_port": strconv.Itoa(p.Port)}
}
