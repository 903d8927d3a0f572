package discovery

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"sonde_exporter/config"
	"sonde_exporter/discovery/inspect"
)

// logged are the lines of the log that contain all words.
func (h host) logged(words ...string) int {
	h.t.Helper()
	count := 0
lines:
	for line := range strings.Lines(h.log.String()) {
		for _, word := range words {
			if !strings.Contains(line, word) {
				continue lines
			}
		}
		count++
	}
	return count
}

func (h host) wantLogged(times int, words ...string) {
	h.t.Helper()
	if got := h.logged(words...); got != times {
		h.t.Errorf("%d lines say %q, want %d. The log:\n%s", got, words, times, h.log)
	}
}

// TestSettle: what is there at the start is told in one line, later ones in a
// line each.
func TestSettle(t *testing.T) {
	h := newHost(t, rulesOf(t, "discovery: {exclude: [{open_port: 22}]}"))
	for pid := 1; pid <= 12; pid++ {
		h.runs(100+pid, fmt.Sprintf("/opt/service-%c", 'a'+pid))
		h.Listens(eventOf(uint32(pid), 100+pid, uint16(8000+pid), ""))
	}
	h.Listens(eventOf(1, 101, 80, ""))
	h.runs(90, "/usr/sbin/sshd")
	h.Listens(eventOf(20, 90, 22, "sshd"))
	h.wantLogged(0, "level=INFO")
	h.Settle()
	h.wantLogged(1, "level=INFO", `msg="measuring 12 services: service-b (80, 8001), service-c (8002), `, ", … and 4 more; 1 process that listens is left out by rules",
		"services=12", "excluded=1")
	h.wantLogged(1, "level=INFO")
	h.runs(300, "/opt/late")
	h.Listens(eventOf(30, 300, 9000, "late"))
	h.runs(301, "/opt/nobody")
	h.Listens(eventOf(31, 301, 22, "nobody"))
	h.wantLogged(1, "level=DEBUG", "not measuring a process", "name=nobody")
	h.SetRules(rulesOf(t, "discovery: {exclude: [{executable_name: late}]}"))
	h.wantLogged(1, "level=INFO", "not measuring a process", "name=late")
	h.wantLogged(1, "level=INFO", `msg="measuring a service"`, "name=nobody")
	h.wantLogged(1, "level=INFO", `msg="measuring a service"`, "name=late", "named_by=executable", "ports=9000", `reason="every process that listens is a service"`)
}

func TestFound(t *testing.T) {
	for want, f := range map[string]found{
		"measuring no service yet: nobody listens whom the configuration selects":                                                {},
		"measuring no service yet: nobody listens whom the configuration selects; 2 processes that listen are left out by rules": {excluded: 2},
		"measuring 1 service: a (1, 2, 3, 4, …)":                                                                                 {services: []foundService{{"a", []uint16{1, 2, 3, 4, 5}}}},
		"measuring 2 services: a (1), b":                                                                                         {services: []foundService{{"a", []uint16{1}}, {"b", nil}}},
	} {
		if got := f.String(); got != want {
			t.Errorf("%+v: %q, want %q", f, got, want)
		}
	}
}

// TestExplained: at level debug every decision names its rule, and why the rules
// before it do not match.
func TestExplained(t *testing.T) {
	h := newHost(t, rulesOf(t, `
discovery:
  services: [{open_port: 443}, {executable_name: nginx, service_name: front}]
  exclude: [{executable_name: sshd$}, {open_port: 9}]`))
	h.runs(100, "/usr/sbin/nginx")
	h.Listens(eventOf(1, 100, 80, "nginx"))
	h.wantLogged(1, "level=DEBUG", "name=front", "named_by=rule", `reason="selected by rule 2 of discovery.services"`, "executable=/usr/sbin/nginx",
		"rule 1 of discovery.exclude: its executable_name (sshd$) is another one; rule 2 of discovery.exclude: none of its ports (9) is open; "+
			"rule 1 of discovery.services: none of its ports (443) is open\"")
	h.runs(200, "/opt/discard")
	h.Listens(eventOf(2, 200, 9, "discard"))
	h.wantLogged(1, "not measuring a process", "name=discard", `reason="excluded by rule 2 of discovery.exclude"`)
	h.runs(300, "/opt/other")
	h.Listens(eventOf(3, 300, 10, "other"))
	h.wantLogged(1, "not measuring a process", "name=other", `reason="no rule of discovery.services matches"`, "rule 2 of discovery.services: its executable_name (nginx)")
}

func TestExplainIsBounded(t *testing.T) {
	rules := config.Discovery{Services: make([]config.Rule, 50)}
	port, err := config.ParsePorts("1")
	if err != nil {
		t.Fatal(err)
	}
	for i := range rules.Services {
		rules.Services[i].OpenPort = port
	}
	if got := explain(rules, "/a", nil); strings.Count(got, "rule ") != maxExplained || !strings.HasSuffix(got, "and 40 more") {
		t.Errorf("50 rules are explained by %q", got)
	}
}

// TestSilence: nothing is explained where nobody listens.
func TestSilence(t *testing.T) {
	r := New(&fakeKernel{}, inspect.FS{}, config.Discovery{}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	instance := &Instance{Process: inspect.Process{Executable: "/a"}, Ports: []uint16{1, 2, 3}}
	if allocations := testing.AllocsPerRun(100, func() { r.tell(instance, false) }); allocations != 0 {
		t.Errorf("a decision that is not logged makes %v allocations", allocations)
	}
}
