package packaging

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// checkWebConfig demands that Sonde can read its web configuration, which others
// cannot, and that users in it count at once.
func checkWebConfig(t *testing.T, m machine, e *harness.Exporter) {
	const file = "/etc/sonde_exporter/web-config.yml"
	before := m.run(t, "cat", file)
	m.write(t, file, "basic_auth_users:\n  prometheus: $2a$10$NOfMIHzkU9g2MWjGZjz4zejh/DjkLaLNBGtz5jw46znMOgCxRdYAe\n")
	if status, _ := e.Get(t, "/metrics"); status != http.StatusUnauthorized {
		t.Errorf("a scrape without a password was answered with %d, want %d", status, http.StatusUnauthorized)
	}
	m.write(t, file, before)
	if status, _ := e.Get(t, "/metrics"); status != http.StatusOK {
		t.Errorf("a scrape with no users in the file was answered with %d, want %d", status, http.StatusOK)
	}
}

// checkElsewhere demands that a listener of Go in another network namespace, from
// before Sonde, is measured.
func checkElsewhere(t *testing.T, m machine, e *harness.Exporter) {
	shop := startElsewhere(t, m)
	restart(t, m, e)
	const visits = "100"
	m.run(t, "nsenter", "--target", fmt.Sprint(shop.PID), "--net", "curl", "-sf", "-o", "/dev/null", shop.URL("/hello")+"?[1-"+visits+"]")
	e.Expect(t, harness.Server, portOf(shop), harness.Row{Labels: harness.Labels{"service_name": "far-desk"}, Count: 100})
}

// checkSysAdmin demands that the drop-in gives what docs/installing.md says: the cost
// of programs.
func checkSysAdmin(t *testing.T, m machine, e *harness.Exporter) {
	const directory = "/etc/systemd/system/" + unit + ".d/"
	m.run(t, "cp", "/usr/share/doc/sonde-exporter/sys-admin.conf", directory)
	restart(t, m, e)
	e.Eventually(t, "the cost of programs", func(s harness.Snapshot) bool {
		return s.Value("sonde_bpf_program_runs_total", harness.Labels{"program": "wire_ingress"}) > 0
	})
	m.run(t, "rm", directory+"sys-admin.conf")
	restart(t, m, e)
}

// checkNotStarted demands that a start fails where Sonde cannot run, says why, and
// goes well once the reason is gone.
func checkNotStarted(t *testing.T, m machine, e *harness.Exporter) {
	const file = "/etc/sonde_exporter/config.yml"
	before := m.run(t, "cat", file)
	m.run(t, "systemctl", "stop", unit)
	m.run(t, "systemctl", "reset-failed", unit) // the starts before do not count against the limit
	m.write(t, file, "series:\n  limitt: 777\n")
	if said, err := m.try("systemctl", "start", unit); err == nil {
		t.Errorf("the start succeeded with a broken configuration, want it to fail; systemctl said %q", said)
	}
	if said, err := m.try("systemctl", "is-active", unit); err == nil {
		t.Errorf("the unit that failed to start is %q, want it not active", said)
	}
	const want = "sonde_exporter: config file " + file + ", line 2: unknown key"
	if said := m.run(t, "cat", log); !strings.Contains(said, "\n"+want) {
		t.Errorf("no line of the log begins with %q:\n%s", want, said)
	}
	m.write(t, file, before)
	restart(t, m, e)
}

// startElsewhere starts a service of Go, which listens by MPTCP, in a network
// namespace of its own.
func startElsewhere(t testing.TB, m machine) *servers.Process {
	t.Helper()
	m.install(t, release(t).programs.GoServer, "/srv/far-desk")
	port := servers.FreePort(t)
	return servers.GoCommand(t, port, m.command("unshare", "--net", "sh", "-c",
		`ip link set lo up && exec /srv/far-desk "$@"`, "far-desk", "-addr", "127.0.0.1:"+fmt.Sprint(port))).Process
}

func restart(t *testing.T, m machine, e *harness.Exporter) {
	t.Helper()
	m.run(t, "systemctl", "daemon-reload")
	m.run(t, "systemctl", "restart", unit)
	checkReady(t, e)
}
