package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// linesOf are the lines of the exporter's log that contain all of the words.
func linesOf(e *harness.Exporter, words ...string) []string {
	var found []string
lines:
	for line := range strings.Lines(e.Log()) {
		for _, word := range words {
			if !strings.Contains(line, word) {
				continue lines
			}
		}
		found = append(found, strings.TrimSpace(line))
	}
	return found
}

// waitForLines returns the lines that contain all of the words once there are some.
func waitForLines(t *testing.T, e *harness.Exporter, words ...string) []string {
	t.Helper()
	harness.Eventually(t, fmt.Sprintf("a line of the log with %q", words), func() bool { return len(linesOf(e, words...)) > 0 })
	return linesOf(e, words...)
}

// waitForLine returns the one line that contains all of the words.
func waitForLine(t *testing.T, e *harness.Exporter, words ...string) string {
	t.Helper()
	found := waitForLines(t, e, words...)
	if len(found) > 1 {
		t.Errorf("%d lines of the log say %q, want one:\n%s", len(found), words, strings.Join(found, "\n"))
	}
	return found[0]
}

func wantWords(t *testing.T, line string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(line, word) {
			t.Errorf("the line lacks %q: %s", word, line)
		}
	}
}

// onlyPort selects one server among all that run on this host.
func onlyPort(name string, port int, more string) string {
	return fmt.Sprintf("discovery:\n  services: [{open_port: %d, service_name: %s}]\n%s", port, name, more)
}

// TestStartIsToldInFiveLines: what is in force, what is seen, who is measured,
// where the metrics are. Later services have a line each.
func TestStartIsToldInFiveLines(t *testing.T) {
	web := servers.Go(t, programs(t).GoServer)
	late := servers.FreePort(t)
	config := onlyPort("start-test", web.Port, fmt.Sprintf("open_port: %d\nservice_name: late-test\n", late))
	e := exporter(t, harness.Options{Config: config, Env: []string{"SONDE_SERIES_LIMIT=5000"}, Args: []string{"--routes.unmatched=wildcard"}})
	services := waitForLine(t, e, `msg="measuring 1 service: start-test (`+web.PortLabel())
	wantWords(t, services, "level=INFO", "services=1", "excluded=")
	wantWords(t, waitForLine(t, e, "starting sonde_exporter"), "version=")
	wantWords(t, waitForLine(t, e, `msg="configuration file `+e.ConfigFile+`: 2 rules select services"`),
		`set_besides="--routes.unmatched, SONDE_SERIES_LIMIT"`)
	wantWords(t, waitForLine(t, e, `msg="seeing through wire, sockets, processes; TLS waits for the first TLS record"`), "cgroup=/")
	wantWords(t, waitForLine(t, e, `msg="metrics at `+e.URL+`/metrics, status page at /"`), "tls=false", "basic_auth=false")
	if n := len(strings.Split(strings.TrimSpace(e.Log()), "\n")); n != 5 {
		t.Errorf("the start takes %d lines, want 5:\n%s", n, e.Log())
	}
	servers.GoOn(t, programs(t).GoServer, late, "-addr", fmt.Sprintf("127.0.0.1:%d", late))
	wantWords(t, waitForLine(t, e, "name=late-test"), "level=INFO", `msg="measuring a service"`, "named_by=rule",
		fmt.Sprintf("ports=%d", late), `reason="selected by rule 2 of discovery.services"`)
}

// TestStartInJSON: every line is one object, with the scheme of the address and
// without secrets.
func TestStartInJSON(t *testing.T) {
	dir := servers.Dir(t)
	keys := harness.Certificate(t, dir)
	file := dir + "/web.yml"
	servers.WriteFile(t, file, fmt.Sprintf("tls_server_config: {cert_file: %s, key_file: %s}\n", keys.Cert, keys.Key))
	e := exporter(t, harness.Options{
		Args:   []string{"--log.format=json", "--web.config.file=" + file, "--otel-traces-export.endpoint=http://127.0.0.1:9"},
		Env:    []string{"SONDE_OTEL_TRACES_EXPORT_HEADERS=x-token=hunter2"},
		Access: harness.Access{TLS: keys.Trust},
	})
	waitForLine(t, e, `"msg":"measuring `)
	messages := map[string]map[string]any{}
	for line := range strings.Lines(e.Log()) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Errorf("no JSON: %v: %s", err, line)
			continue
		}
		words := strings.Fields(fmt.Sprint(record["msg"]))
		messages[words[0]] = record
	}
	if site := messages["metrics"]; site["msg"] != "metrics at "+e.URL+"/metrics, status page at /" || site["tls"] != true || site["basic_auth"] != false {
		t.Errorf("the address is told as %v", site)
	}
	if config := messages["no"]; config["traces_to"] != "http://127.0.0.1:9/v1/traces" ||
		config["set_besides"] != "--otel-traces-export.endpoint, SONDE_OTEL_TRACES_EXPORT_HEADERS" {
		t.Errorf("the configuration is told as %v", config)
	}
	if strings.Contains(e.Log(), "hunter2") {
		t.Errorf("the log has a secret:\n%s", e.Log())
	}
}

// TestDebugExplains: each decision has its reason, and no path its secrets.
func TestDebugExplains(t *testing.T) {
	keys := newKeys(t)
	web := servers.Go(t, programs(t).GoServer)
	secure := servers.GoTLS(t, programs(t).GoServer, keys.KeyFiles, "")
	left := servers.Go(t, programs(t).GoServer)
	e := exporter(t, harness.Options{
		Config: onlyPort("plain-test", web.Port, fmt.Sprintf("  exclude: [{open_port: 1}, {open_port: %d}]\nopen_port: %d\nservice_name: secure-test\nroutes: {patterns: [\"/hello/{who}\"]}\n",
			left.Port, secure.Port)),
		Args: []string{"--log.level=debug"},
	})
	waitForLine(t, e, `msg="measuring 2 services: plain-test (`)
	wantWords(t, waitForLine(t, e, "name=plain-test"), "level=DEBUG", "named_by=rule", `reason="selected by rule 1 of discovery.services"`,
		"executable="+programs(t).GoServer, "rule 1 of discovery.exclude: none of its ports (1) is open")
	wantWords(t, waitForLine(t, e, fmt.Sprintf("pid=%d ", left.PID)), "level=DEBUG", "not measuring", `reason="excluded by rule 2 of discovery.exclude"`)
	wantWords(t, waitForLine(t, e, "cgroup v2 is in use"), "path=/")
	wantWords(t, waitForLine(t, e, "hook=cgroup_skb/egress"), "tap=wire")

	conn := servers.Dial(t, web.Addr())
	talk(t, conn, request("/hello/0f1e2d3c4b5a69788796?password=hunter2"))
	talk(t, conn, request("/reset/9e8d7c6b5a49382716?password=hunter2"))
	wantWords(t, waitForLine(t, e, `route=/hello/{who}`), "service=plain-test", "method=GET", "path=/hello/*", "by=pattern")
	wantWords(t, waitForLine(t, e, `route=/reset/*`), "path=/reset/*", "by=heuristic")
	for _, secret := range []string{"hunter2", "0f1e2d3c4b5a69788796", "9e8d7c6b5a49382716"} {
		if strings.Contains(e.Log(), secret) {
			t.Errorf("the log has %q of a path:\n%s", secret, e.Log())
		}
	}

	warm(t, e, keys, secure.Process)
	waitForLine(t, e, "a service speaks TLS", "service=secure-test")
	wantWords(t, waitForLine(t, e, "the TLS tap is loaded"), "uprobes_by=")
	waitForLine(t, e, "a mapped file gets uprobes", "file="+programs(t).GoServer, "library=go")
	waitForLines(t, e, "was searched for TLS", fmt.Sprintf("pid=%d ", secure.PID), "with_uprobes=1")
}

// TestDebugDoesNotFlood: strangers who ask for thousands of paths get no more
// lines than the log can bear, and what is left out is told.
func TestDebugDoesNotFlood(t *testing.T) {
	const paths = 1900
	web := servers.Go(t, programs(t).GoServer)
	e := exporter(t, harness.Options{
		Config: onlyPort("flood-test", web.Port, "routes: {unmatched: path}\nseries: {limit: 10000, limit_per_service: 10000}\n"),
		Args:   []string{"--log.level=debug"},
	})
	conn := servers.Dial(t, web.Addr())
	for i := range paths {
		talk(t, conn, request(fmt.Sprintf("/flood/%d", i)))
	}
	wantWords(t, waitForLines(t, e, "lines of the log were left out")[0], "level=DEBUG", "lines=", "limit_per_second=100")
	if lines := len(linesOf(e, "a path got its route")); lines == 0 || lines >= paths {
		t.Errorf("%d lines explain %d paths, want some and not all", lines, paths)
	}
}
