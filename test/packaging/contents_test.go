package packaging

import (
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"sonde_exporter/test/harness"
)

// contents are the files of both packages, and what `ls -l` would show of them.
func contents() map[string]string {
	const root = "root/root"
	doc := "/usr/share/doc/sonde-exporter/"
	files := map[string]string{
		"/etc/default/sonde_exporter":                    "-rw-r----- " + root,
		"/etc/sonde_exporter/config.yml":                 "-rw-r--r-- " + root,
		"/etc/sonde_exporter/web-config.yml":             "-rw-r----- " + root,
		"/usr/bin/sonde_exporter":                        "-rwxr-xr-x " + root,
		"/usr/lib/systemd/system/sonde_exporter.service": "-rw-r--r-- " + root,
		"/usr/lib/sysusers.d/sonde_exporter.conf":        "-rw-r--r-- " + root,
		doc + "changelog.gz":                             "-rw-r--r-- " + root,
		doc + "changelog.Debian.gz":                      "-rw-r--r-- " + root,
		doc + "copyright":                                "-rw-r--r-- " + root,
		doc + "installing.md":                            "-rw-r--r-- " + root,
		doc + "sys-admin.conf":                           "-rw-r--r-- " + root,
		doc + "third-party-licences.txt":                 "-rw-r--r-- " + root,
	}
	for _, page := range []string{"configuration", "kernels", "metrics", "otlp", "status", "tls"} {
		files[doc+page+".md"] = "-rw-r--r-- " + root
	}
	for _, rendered := range []string{"alerts.yaml", "rules.yaml", "dashboards/sonde-services.json"} {
		files[mixin+rendered] = "-rw-r--r-- " + root
	}
	return files
}

// mixin is where rendered alerts, rules and dashboards are; of the latter the tests
// name one.
const mixin = "/usr/share/sonde_exporter/mixin/"

// expectContents compares what a package lists with what it should have.
func expectContents(t *testing.T, found, want map[string]string) {
	t.Helper()
	for path, mode := range want {
		if found[path] != mode {
			t.Errorf("%s is %q, want %q", path, found[path], mode)
		}
	}
	for path := range found {
		if want[path] == "" && !strings.HasPrefix(path, mixin+"dashboards/") {
			t.Errorf("%s is in the package, want it not to be", path)
		}
	}
}

func TestDebianPackages(t *testing.T) {
	for arch, name := range debianNames() {
		t.Run(arch, func(t *testing.T) {
			deb := release(t).deb(arch)
			found := map[string]string{}
			for line := range strings.Lines(output(t, "dpkg-deb", "--contents", deb)) {
				if fields := strings.Fields(line); fields[0][0] != 'd' {
					found[strings.TrimPrefix(fields[5], ".")] = fields[0] + " " + fields[1]
				}
			}
			expectContents(t, found, contents())
			if got := strings.TrimSpace(output(t, "dpkg-deb", "--field", deb, "Architecture")); got != name {
				t.Errorf("the architecture is %q, want %q", got, name)
			}
			conffiles := strings.Fields(output(t, "dpkg-deb", "--info", deb, "conffiles"))
			want := []string{"/etc/default/sonde_exporter", "/etc/sonde_exporter/config.yml", "/etc/sonde_exporter/web-config.yml"}
			if slices.Sort(conffiles); !slices.Equal(conffiles, want) {
				t.Errorf("the conffiles are %q, want %q", conffiles, want)
			}
		})
	}
}

func TestRPMPackages(t *testing.T) {
	for arch, name := range rpmNames() {
		t.Run(arch, func(t *testing.T) {
			rpm := release(t).rpm(arch)
			found, noreplace := map[string]string{}, []string(nil)
			const format = "[%{FILEMODES:perms} %{FILEUSERNAME}/%{FILEGROUPNAME} %{FILENAMES} %{FILEFLAGS:fflags}.\n]"
			for line := range strings.Lines(output(t, "rpm", "-qp", "--qf", format, rpm)) {
				fields := strings.Fields(line)
				if fields[0][0] != 'd' {
					found[fields[2]] = fields[0] + " " + fields[1]
				}
				if fields[3] == "cn." {
					noreplace = append(noreplace, fields[2])
				}
			}
			want := contents()
			want["/etc/sonde_exporter/web-config.yml"] = "-rw-r----- root/sonde_exporter"
			expectContents(t, found, want)
			if want := []string{"/etc/default/sonde_exporter", "/etc/sonde_exporter/config.yml", "/etc/sonde_exporter/web-config.yml"}; !slices.Equal(noreplace, want) {
				t.Errorf("config(noreplace) are %q, want %q", noreplace, want)
			}
			information := output(t, "rpm", "-qip", rpm)
			for _, line := range []string{`Architecture: ` + name, `License     : Apache-2\.0`, `Build Host  : localhost`} {
				if !regexp.MustCompile(`(?m)^` + line + `$`).MatchString(information) {
					t.Errorf("rpm -qip has no line %q:\n%s", line, information)
				}
			}
			scripts := output(t, "rpm", "-qp", "--scripts", rpm)
			for _, kind := range []string{"preinstall", "postinstall", "preuninstall", "postuninstall"} {
				if !strings.Contains(scripts, kind+" scriptlet") {
					t.Errorf("the rpm has no %s script:\n%s", kind, scripts)
				}
			}
		})
	}
}

// TestRPMInstallation installs the rpm on a copy of this machine, where rpm knows of
// no other package and no systemd runs.
func TestRPMInstallation(t *testing.T) {
	m := startMachine(t, "")
	const file = "/srv/sonde.rpm"
	content, err := os.ReadFile(release(t).rpm(runtime.GOARCH))
	if err != nil {
		t.Fatal(err)
	}
	m.write(t, file, string(content))
	const wanted = "/etc/systemd/system/multi-user.target.wants/" + unit
	m.run(t, "rpm", "--install", "--nodeps", file)
	if owner := m.run(t, "stat", "-c", "%U:%G %a", "/etc/sonde_exporter/web-config.yml"); owner != "root:sonde_exporter 640\n" {
		t.Errorf("web-config.yml is %q, want root:sonde_exporter 640", owner)
	}
	if !m.has(wanted) {
		t.Errorf("%s is missing: this machine's presets enable services", wanted)
	}
	m.write(t, "/etc/sonde_exporter/config.yml", "series: {limit: 777}\n")
	m.run(t, "rpm", "--upgrade", "--force", "--nodeps", file)
	if config := m.run(t, "cat", "/etc/sonde_exporter/config.yml"); !strings.Contains(config, "777") {
		t.Errorf("the upgrade has replaced the administrator's configuration by:\n%s", config)
	}
	m.run(t, "rpm", "--erase", "sonde-exporter")
	for _, path := range []string{wanted, "/usr/bin/sonde_exporter"} {
		if m.has(path) {
			t.Errorf("%s is there after the removal, want it gone", path)
		}
	}
	if !m.has("/etc/sonde_exporter/config.yml.rpmsave") {
		t.Error("the changed config.yml is gone, want it saved")
	}
}

// TestConfigFile demands that the comments of config.yml tell the truth: what they
// call the default is the default, and the examples can be used.
func TestConfigFile(t *testing.T) {
	exporter := release(t).programs.Exporter
	text := release(t).source(t, "packaging/etc/config.yml")
	check := func(name, content string) string {
		path := t.TempDir() + "/config.yml"
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		outcome := harness.Run(t, exporter, 0, nil, "--config.check", "--config.file="+path)
		if outcome.Code != 0 {
			t.Errorf("%s: the configuration is refused: %s\n%s", name, outcome.Stderr, content)
		}
		return outcome.Stdout
	}
	shipped := check("as it is", text)
	defaults := regexp.MustCompile(`(?m)^#((?:  )?[a-z_]+:)`).ReplaceAllString(text, "$1")
	if got := check("defaults", defaults); got != shipped || defaults == text {
		t.Errorf("what config.yml calls the defaults makes this configuration:\n%s\nwant:\n%s", got, shipped)
	}
	var examples strings.Builder
	emptied := regexp.MustCompile(`^#  (services|exclude|patterns|ignored_patterns): \[\]$`)
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "##"):
			examples.WriteString(strings.TrimPrefix(line, "##") + "\n")
		case emptied.MatchString(line):
			examples.WriteString("  " + emptied.FindStringSubmatch(line)[1] + ":\n")
		case strings.HasPrefix(line, "#discovery:") || strings.HasPrefix(line, "#routes:") || strings.HasPrefix(line, "#otel_traces"):
			examples.WriteString(line[1:] + "\n")
		}
	}
	if got := check("examples", examples.String()); got == shipped {
		t.Error("the examples of config.yml change nothing")
	}
}
