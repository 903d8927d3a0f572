package examples

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const prometheusFile = "../../examples/prometheus/prometheus.yml"

// promtool checks a configuration.
func promtool(t *testing.T, config string) ([]byte, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "prometheus.yml")
	if err := os.WriteFile(path, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	return exec.Command("promtool", "check", "config", path).CombinedOutput()
}

// TestPrometheus: Prometheus takes the example as it is.
func TestPrometheus(t *testing.T) {
	text, err := os.ReadFile(prometheusFile)
	if err != nil {
		t.Fatal(err)
	}
	if said, err := promtool(t, string(text)); err != nil {
		t.Errorf("promtool: %v\n%s", err, said)
	}
	mistaken := strings.Replace(string(text), "scheme: https", "schema: https", 1)
	if said, err := promtool(t, mistaken); err == nil {
		t.Errorf("promtool does not find the mistake in:\n%s\n%s", mistaken, said)
	}
}

// TestPasswordsAgree: the examples scrape Sonde by the user whom web-config.yml has.
func TestPasswordsAgree(t *testing.T) {
	for file, want := range map[string]string{
		"../../web-config.yml":           `(?m)^  prometheus: \$2a\$`,
		prometheusFile:                   `username: prometheus\n(.*#.*\n)*\s+password: change-me-please`,
		"../../examples/alloy/alloy.env": `SONDE_USERNAME=prometheus\nSONDE_PASSWORD=change-me-please`,
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(want).Match(text) {
			t.Errorf("%s does not have %s", file, want)
		}
	}
}
