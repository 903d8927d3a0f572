package packaging

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

const (
	unit = "sonde_exporter.service"
	log  = "/var/log/sonde.log"
	// dropIn keeps the test out of others' way.
	dropIn = "[Service]\nEnvironment=SONDE_WEB_LISTEN_ADDRESS=127.0.0.1:%d\nStandardOutput=append:%[2]s\nStandardError=append:%[2]s\n"
)

// TestDebianInstallation goes the way of a package: installed, used, upgraded,
// removed, purged. The parts depend on each other and stand in this order.
func TestDebianInstallation(t *testing.T) {
	m := startSystemd(t)
	deb := servers.Dir(t) + "/sonde.deb"
	m.write(t, deb, output(t, "cat", release(t).deb(runtime.GOARCH)))
	port := servers.FreePort(t)
	// An administrator may say something before there is anything to say it to.
	m.write(t, "/etc/systemd/system/"+unit+".d/test.conf", fmt.Sprintf(dropIn, port, log))
	t.Cleanup(func() {
		if t.Failed() {
			said, _ := m.try("cat", "/var/log/systemd.log", log)
			t.Logf("systemd and Sonde said:\n%s", said)
		}
	})
	e := harness.Attach(fmt.Sprintf("http://127.0.0.1:%d", port), &http.Transport{})

	m.run(t, "dpkg", "--install", deb)
	checkReady(t, e)
	first := mainPID(t, m)
	t.Run("installed", func(t *testing.T) { checkInstalled(t, m, first) })
	t.Run("sandbox", func(t *testing.T) { checkMeasures(t, m, e) })
	t.Run("reloaded", func(t *testing.T) { checkReload(t, m, e) })
	t.Run("secured", func(t *testing.T) { checkWebConfig(t, m, e) })
	t.Run("elsewhere", func(t *testing.T) { checkElsewhere(t, m, e) })
	t.Run("with CAP_SYS_ADMIN", func(t *testing.T) { checkSysAdmin(t, m, e) })
	t.Run("not started", func(t *testing.T) { checkNotStarted(t, m, e) })

	m.run(t, "dpkg", "--install", deb)
	checkReady(t, e)
	t.Run("upgraded", func(t *testing.T) {
		if second := mainPID(t, m); second == first {
			t.Errorf("process %s still runs after the upgrade, want a new one", first)
		}
		if config := m.run(t, "cat", "/etc/sonde_exporter/config.yml"); !strings.Contains(config, "limit: 777") {
			t.Errorf("the upgrade has replaced the administrator's configuration by:\n%s", config)
		}
	})
	m.run(t, "dpkg", "--remove", "sonde-exporter")
	t.Run("removed", func(t *testing.T) { checkRemoved(t, m) })
	m.run(t, "dpkg", "--purge", "sonde-exporter")
	t.Run("purged", func(t *testing.T) { checkPurged(t, m) })
}

// checkReady demands that Sonde is ready at once when systemd says that it has started.
func checkReady(t testing.TB, e *harness.Exporter) {
	t.Helper()
	if status, said := e.Get(t, "/-/ready"); status != http.StatusOK {
		t.Fatalf("systemd has started Sonde, but it answers %d: %q", status, said)
	}
}

func mainPID(t testing.TB, m machine) string {
	t.Helper()
	return strings.TrimSpace(m.run(t, "systemctl", "show", "--property=MainPID", "--value", unit))
}

// checkInstalled looks at what the postinst has made of the machine.
func checkInstalled(t *testing.T, m machine, pid string) {
	user := strings.TrimSpace(m.run(t, "id", "-u", "sonde_exporter"))
	if shell := m.run(t, "getent", "passwd", "sonde_exporter"); !strings.Contains(shell, "nologin") {
		t.Errorf("the user is %q, want one that cannot log in", shell)
	}
	if state, _ := m.try("systemctl", "is-enabled", unit); state != "enabled\n" {
		t.Errorf("the unit is %q, want enabled", state)
	}
	if owner := m.run(t, "stat", "-c", "%U:%G %a", "/etc/sonde_exporter/web-config.yml"); owner != "root:sonde_exporter 640\n" {
		t.Errorf("web-config.yml is %q, want root:sonde_exporter 640", owner)
	}
	status := statusOf(t, pid)
	if got := strings.Fields(status["Uid"]); len(got) == 0 || got[0] != user {
		t.Errorf("Sonde runs as user %q, want %s", status["Uid"], user)
	}
	want := fmt.Sprintf("%016x", maskOf(t, unitCapabilities(t, "AmbientCapabilities")))
	for _, set := range []string{"CapPrm", "CapEff", "CapBnd", "CapAmb"} {
		if status[set] != want {
			t.Errorf("%s is %s, want %s: the capabilities of the unit", set, status[set], want)
		}
	}
	for name, want := range map[string]string{"NoNewPrivs": "1", "Seccomp": "2"} {
		if status[name] != want {
			t.Errorf("%s is %s, want %s", name, status[name], want)
		}
	}
	for _, directory := range []string{"/home", "/root"} {
		if entries, err := os.ReadDir("/proc/" + pid + "/root" + directory); err != nil || len(entries) > 0 {
			t.Errorf("%s has %d entries for Sonde (%v), want an empty directory", directory, len(entries), err)
		}
	}
}

// statusOf is /proc/PID/status.
func statusOf(t testing.TB, pid string) map[string]string {
	t.Helper()
	content, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		t.Fatal(err)
	}
	status := map[string]string{}
	for line := range strings.Lines(string(content)) {
		name, value, _ := strings.Cut(line, ":")
		status[name] = strings.TrimSpace(value)
	}
	return status
}

func checkReload(t *testing.T, m machine, e *harness.Exporter) {
	const loaded = "sonde_config_last_reload_success_timestamp_seconds"
	before := e.Scrape(t).Value(loaded, harness.Labels{})
	m.write(t, "/etc/sonde_exporter/config.yml", "series:\n  limit: 777\n")
	m.run(t, "systemctl", "reload", unit)
	e.Eventually(t, "that the configuration was loaded again", func(s harness.Snapshot) bool {
		return s.Value(loaded, harness.Labels{}) > before
	})
}

// checkRemoved demands that nothing runs, and that the configuration is kept.
func checkRemoved(t *testing.T, m machine) {
	if state, _ := m.try("systemctl", "is-active", unit); state == "active\n" {
		t.Error("the service is active, want it stopped")
	}
	if m.has("/usr/bin/sonde_exporter") {
		t.Error("/usr/bin/sonde_exporter is there, want it gone")
	}
	if !m.has("/etc/sonde_exporter/config.yml") {
		t.Error("/etc/sonde_exporter/config.yml is gone, want it kept")
	}
}

// checkPurged demands that only the user is left, as on Debian.
func checkPurged(t *testing.T, m machine) {
	for _, path := range []string{"/etc/sonde_exporter", "/etc/default/sonde_exporter", "/etc/systemd/system/multi-user.target.wants/" + unit} {
		if m.has(path) {
			t.Errorf("%s is there, want it gone", path)
		}
	}
	if _, err := m.try("id", "sonde_exporter"); err != nil {
		t.Errorf("the user is gone (%v), want its number kept from others", err)
	}
}
