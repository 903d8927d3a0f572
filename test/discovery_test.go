package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// TestSelection: which of three services a configuration selects, written as
// file, flag and environment.
func TestSelection(t *testing.T) {
	first, second := servers.Go(t, programs(t).GoServer), servers.Go(t, programs(t).GoServer)
	python := servers.PythonApp(t)
	all := []*servers.Process{first.Process, second.Process, python}
	a, b := first.Port, second.Port
	low, high := min(a, b), max(a, b)
	isBetween := func(port int) bool { return low <= port && port <= high }
	cases := []struct {
		name     string
		opts     harness.Options
		selected func(p *servers.Process) bool
	}{
		{"everything", harness.Options{}, func(*servers.Process) bool { return true }},
		{"port in the file", harness.Options{Config: fmt.Sprintf("open_port: %d\n", a)},
			func(p *servers.Process) bool { return p.Port == a }},
		{"list in the file", harness.Options{Config: fmt.Sprintf("discovery:\n  services:\n    - open_port: [%d, %d]\n", a, b)},
			func(p *servers.Process) bool { return p.Port == a || p.Port == b }},
		{"range in the file", harness.Options{Config: fmt.Sprintf("open_port: %d-%d\n", low, high)},
			func(p *servers.Process) bool { return isBetween(p.Port) }},
		{"port as a flag", harness.Options{Args: []string{fmt.Sprintf("--discovery.open-port=%d", b)}},
			func(p *servers.Process) bool { return p.Port == b }},
		{"list and range as a flag", harness.Options{Args: []string{fmt.Sprintf("--discovery.open-port=%d,%d-%d", python.Port, low, high)}},
			func(p *servers.Process) bool { return p.Port == python.Port || isBetween(p.Port) }},
		{"port in the environment", harness.Options{Env: []string{fmt.Sprintf("SONDE_OPEN_PORT=%d,%d", a, python.Port)}},
			func(p *servers.Process) bool { return p.Port == a || p.Port == python.Port }},
		{"flag before environment before file", harness.Options{
			Config: fmt.Sprintf("open_port: %d\n", a),
			Env:    []string{fmt.Sprintf("SONDE_OPEN_PORT=%d", b)},
			Args:   []string{fmt.Sprintf("--discovery.open-port=%d", python.Port)},
		}, func(p *servers.Process) bool { return p.Port == python.Port }},
		{"executable in the file", harness.Options{Config: "executable_name: /goserver$\n"},
			func(p *servers.Process) bool { return p.Name == "goserver" }},
		{"executable as a flag", harness.Options{Args: []string{"--discovery.executable-name=python"}},
			func(p *servers.Process) bool { return p == python }},
		{"executable in the environment", harness.Options{Env: []string{"SONDE_EXECUTABLE_NAME=goserver"}},
			func(p *servers.Process) bool { return p.Name == "goserver" }},
		{"port and executable", harness.Options{Config: fmt.Sprintf("open_port: %d\nexecutable_name: python\n", a)},
			func(*servers.Process) bool { return false }},
		{"excluded", harness.Options{Config: fmt.Sprintf("discovery:\n  exclude:\n    - open_port: %d\n    - executable_name: python\n", b)},
			func(p *servers.Process) bool { return p.Port == a }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e := exporter(t, c.opts)
			for _, p := range all {
				talk(t, servers.Dial(t, p.Addr()), request("/hello", "Connection: close"))
			}
			for _, p := range all {
				base := harness.Labels{"server_port": p.PortLabel()}
				if c.selected(p) {
					e.Expect(t, harness.Server, base, row(1, "GET", "/hello", "200"))
				} else if found := e.WaitCount(t, harness.Server, base, 0).Series(harness.Server, base); len(found) > 0 {
					t.Errorf("%s on port %d is shown, but was not selected", p.Name, p.Port)
				}
			}
		})
	}
}

// TestNames: where a service's name comes from, in order of precedence.
func TestNames(t *testing.T) {
	program := programs(t).GoServer
	start := func(env ...string) *servers.Process {
		port := servers.FreePort(t)
		return servers.Start(t, "goserver", port, servers.NewCommand(program, env, "-addr", fmt.Sprintf("127.0.0.1:%d", port)))
	}
	ruled, named := start("OTEL_SERVICE_NAME=ignored"), start("OTEL_SERVICE_NAME=checkout", "OTEL_RESOURCE_ATTRIBUTES=service.name=ignored")
	attributes := start("OTEL_RESOURCE_ATTRIBUTES=service.name=basket,service.namespace=shop%20eu,other=x")
	plain := start()
	strange := start("OTEL_SERVICE_NAME=" + strings.Repeat("\xff\n\"", 2000))
	e := exporter(t, harness.Options{Config: fmt.Sprintf(
		"discovery:\n  services:\n    - open_port: %d\n      service_name: ruled\n      service_namespace: space\n    - executable_name: .\n", ruled.Port)})
	for _, c := range []struct {
		process         *servers.Process
		name, namespace string
	}{
		{ruled, "ruled", "space"}, {named, "checkout", ""}, {attributes, "basket", "shop eu"}, {plain, "goserver", ""},
	} {
		talk(t, servers.Dial(t, c.process.Addr()), request("/hello", "Connection: close"))
		want := row(1, "GET", "/hello", "200")
		want.Labels["service_name"], want.Labels["service_namespace"] = c.name, c.namespace
		e.Expect(t, harness.Server, harness.Labels{"server_port": c.process.PortLabel()}, want)
		info := harness.Labels{"service_name": c.name, "service_namespace": c.namespace}
		if n := len(e.Scrape(t).Series("sonde_service_info", info)); n != 1 {
			t.Errorf("%d series of sonde_service_info for %s, want 1", n, c.name)
		}
	}
	talk(t, servers.Dial(t, strange.Addr()), request("/hello", "Connection: close"))
	base := harness.Labels{"server_port": strange.PortLabel()}
	for _, name := range e.WaitCount(t, harness.Server, base, 1).Values(harness.Server, "service_name", base) {
		if len(name) > 300 {
			t.Errorf("a name from the environment became a label of %d bytes", len(name))
		}
	}
}

// TestSondeIsNoService: the exporter's own address is not measured.
func TestSondeIsNoService(t *testing.T) {
	e := exporter(t, harness.Options{})
	for range 5 {
		e.Scrape(t)
	}
	port := e.URL[strings.LastIndex(e.URL, ":")+1:]
	e.WaitCount(t, harness.Server, harness.Labels{"server_port": port}, 0)
}

// TestServiceInfo: what is told about a service besides its name.
func TestServiceInfo(t *testing.T) {
	python := servers.PythonApp(t)
	snap := shared(t).Eventually(t, "sonde_service_info of the Python service", func(s harness.Snapshot) bool {
		return serviceOnPort(s, python.PortLabel()) != nil
	})
	info := serviceOnPort(snap, python.PortLabel())
	if !strings.HasPrefix(filepath.Base(info["executable"]), "python") || info["language"] != "python" {
		t.Errorf("sonde_service_info is %v, want a Python executable and the language python", info)
	}
}

func serviceOnPort(s harness.Snapshot, port string) map[string]string {
	for _, m := range s.Series("sonde_service_info", harness.Labels{}) {
		labels := map[string]string{}
		for _, pair := range m.GetLabel() {
			labels[pair.GetName()] = pair.GetValue()
		}
		for _, value := range labels {
			if strings.Contains(","+strings.ReplaceAll(value, " ", "")+",", ","+port+",") {
				return labels
			}
		}
	}
	return nil
}

// TestRoutes: how a path becomes a route.
func TestRoutes(t *testing.T) {
	const patterns = "routes:\n  patterns: [\"/users/{id}\", \"/assets/*\"]\n  ignored_patterns: [/health]\n"
	paths := []string{"/users/alice", "/users/7", "/assets/css/a.css", "/health", "/other/12345", "/other/plain"}
	cases := []struct {
		unmatched string
		// routes are the routes of the last two paths.
		routes [2]string
	}{
		{"heuristic", [2]string{"/other/*", "/other/plain"}},
		{"unset", [2]string{"", ""}},
		{"wildcard", [2]string{"/**", "/**"}},
		{"path", [2]string{"/other/12345", "/other/plain"}},
	}
	for _, c := range cases {
		t.Run(c.unmatched, func(t *testing.T) {
			web := servers.Go(t, programs(t).GoServer)
			e := exporter(t, harness.Options{Config: patterns + "  unmatched: " + c.unmatched + "\n"})
			conn := servers.Dial(t, web.Addr())
			for range 3 {
				for _, path := range paths {
					talk(t, conn, request(path))
				}
			}
			unmatched := []harness.Row{row(3, "GET", c.routes[0], "200"), row(3, "GET", c.routes[1], "200")}
			if c.routes[0] == c.routes[1] {
				unmatched = []harness.Row{row(6, "GET", c.routes[0], "200")}
			}
			e.Expect(t, harness.Server, harness.Labels{"server_port": web.PortLabel()},
				append(unmatched, row(6, "GET", "/users/{id}", "200"), row(3, "GET", "/assets/*", "200"))...)
		})
	}
}
