package mixin

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// promtool runs in the directory of the rendered mixin.
func promtool(t *testing.T, m mixin, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "promtool", args...)
	cmd.Dir = m.dir
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, said)
	}
}

// TestRules: rules and alerts do what their unit tests in mixin/tests say.
func TestRules(t *testing.T) {
	t.Parallel()
	sources := filepath.Join(root(t), "mixin", "tests")
	m := render(t, string(read(t, filepath.Join(sources, "overrides.libsonnet"))))
	promtool(t, m, "check", "rules", "--lint=all", "--lint-fatal", "rules.yaml", "alerts.yaml")
	files, err := filepath.Glob(filepath.Join(sources, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are %d files of unit tests (%v), want some", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			if err := os.WriteFile(filepath.Join(m.dir, filepath.Base(file)), read(t, file), 0o644); err != nil {
				t.Fatal(err)
			}
			promtool(t, m, "test", "rules", filepath.Base(file))
		})
	}
}

// TestEveryAlertIsTested: each fires in one unit test at least, and is expected to be
// silent in another.
func TestEveryAlertIsTested(t *testing.T) {
	fires, silent := map[string]bool{}, map[string]bool{}
	files, err := filepath.Glob(filepath.Join(root(t), "mixin", "tests", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		var units struct {
			Tests []struct {
				Cases []struct {
					Alert    string `yaml:"alertname"`
					Expected []any  `yaml:"exp_alerts"`
				} `yaml:"alert_rule_test"`
			}
		}
		readYAML(t, file, &units)
		for _, unit := range units.Tests {
			for _, c := range unit.Cases {
				if len(c.Expected) > 0 {
					fires[c.Alert] = true
				} else {
					silent[c.Alert] = true
				}
			}
		}
	}
	for _, r := range render(t, "").alerts.rules() {
		if !fires[r.Alert] || !silent[r.Alert] {
			t.Errorf("of %s it is tested that it fires: %t, and that it does not: %t", r.Alert, fires[r.Alert], silent[r.Alert])
		}
	}
}

// recordName is level:metric:operations.
var recordName = regexp.MustCompile(`^[a-z_]+:[a-z0-9_]+:[a-z0-9_]+$`)

// TestRulesAreComplete: what somebody who is woken by an alert, and somebody who
// looks for a recorded series, can rely on.
func TestRulesAreComplete(t *testing.T) {
	m := render(t, "")
	runbook := string(read(t, filepath.Join(root(t), "docs", "troubleshooting.md")))
	for _, r := range m.alerts.rules() {
		for _, annotation := range []string{"summary", "description"} {
			if r.Annotations[annotation] == "" {
				t.Errorf("%s has no %s", r.Alert, annotation)
			}
		}
		if severity := r.Labels["severity"]; severity != "critical" && severity != "warning" && severity != "info" {
			t.Errorf("%s has the severity %q", r.Alert, severity)
		}
		if url, linked := r.Annotations["runbook_url"]; linked {
			t.Errorf("%s has its runbook at %q, but nobody has said where it can be opened", r.Alert, url)
		}
		if !strings.Contains(runbook, "\n### "+r.Alert+"\n") {
			t.Errorf("docs/troubleshooting.md has nothing about %s", r.Alert)
		}
	}
	for _, r := range m.rules.rules() {
		if !recordName.MatchString(r.Record) {
			t.Errorf("%q is not of the form level:metric:operations", r.Record)
		}
	}
}

// TestOverrides: what README.md says may be set has an effect, or is refused.
func TestOverrides(t *testing.T) {
	m := render(t, `{ _config+:: {
		sondeSelector: 'job=~"a|b"', aggregationLabels: ['cluster', 'job'], runbookURL: 'https://example.org/runbook',
		slo+: { default: { availability: null, latency: null }, services: { shop: { availability: 0.99 } } },
		dashboards+: { tempo: false },
	} }`)
	for _, r := range append(m.rules.rules(), m.alerts.rules()...) {
		if strings.Contains(r.Expr, `job="sonde"`) {
			t.Errorf("%s%s selects the job that it was told not to: %s", r.Record, r.Alert, r.Expr)
		}
		if strings.Contains(r.Record, "slow") {
			t.Errorf("%s is recorded, but no service has an objective for latency", r.Record)
		}
		want := "https://example.org/runbook#" + strings.ToLower(r.Alert)
		if url := r.Annotations["runbook_url"]; r.Alert != "" && url != want {
			t.Errorf("%s has its runbook at %s, want %s", r.Alert, url, want)
		}
		if strings.HasPrefix(r.Expr, "sum by") && !strings.HasPrefix(r.Expr, "sum by (cluster, job, ") {
			t.Errorf("%s%s does not tell clusters apart: %s", r.Record, r.Alert, r.Expr)
		}
	}
	for file, d := range m.dashboards {
		for _, v := range d.Templating.List {
			if v.Name == "tempo" {
				t.Errorf("%s has a variable for Tempo", file)
			}
		}
	}
}

// TestWhoIsPaged: a service that nobody has named is not worth a page, unless somebody
// says that all are.
func TestWhoIsPaged(t *testing.T) {
	for settings, want := range map[string]map[string]string{ // severities of the fastest burn by what selects the services
		``: {"": "warning"},
		`services: { shop: {} }`: {
			`{service_name=~"shop"}`: "critical", `{service_name!~"shop"}`: "warning",
		},
		`services: { shop: { page: false } }`: {"": "warning"},
		`default+: { page: true }`:            {"": "critical"},
		`default+: { page: true }, services: { 'a.b': { page: false }, shop: {} }`: {
			`{service_name=~"a\\.b"}`: "warning", `{service_name!~"a\\.b"}`: "critical",
		},
	} {
		got := map[string]string{}
		for _, r := range render(t, "{ _config+:: { slo+: { "+settings+" } } }").alerts.rules() {
			if r.Alert != "ServiceErrorBudgetBurn" || r.Labels["long_window"] != "1h" {
				continue
			}
			_, burn, _ := strings.Cut(r.Expr, "burnrate1h")
			selected, _, _ := strings.Cut(burn, " > ")
			got[selected] = r.Labels["severity"]
		}
		if !maps.Equal(got, want) {
			t.Errorf("with slo { %s } the severities are %v, want %v", settings, got, want)
		}
	}
}

// TestRefusals: what cannot work is told before Prometheus loads it.
func TestRefusals(t *testing.T) {
	for setting, want := range map[string]string{
		`slo+: { services: { shop: { latency: { threshold: 0.3, objective: 0.9 } } } }`: "a latency threshold of 0.3 s is none of histogramBuckets",
		`runbookURL: 'docs/troubleshooting.md'`:                                         `the runbookURL "docs/troubleshooting.md" does not begin with https:// or http://`,
	} {
		overrides := filepath.Join(t.TempDir(), "overrides.libsonnet")
		if err := os.WriteFile(overrides, []byte("{ _config+:: { "+setting+" } }"), 0o644); err != nil {
			t.Fatal(err)
		}
		said, err := exec.CommandContext(t.Context(), filepath.Join(root(t), "scripts", "mixin"), t.TempDir(), overrides).CombinedOutput()
		if err == nil || !strings.Contains(string(said), want) {
			t.Errorf("%s: %v, %s; want %q", setting, err, said, want)
		}
	}
}

// evicting finds the maps of the kernel side that drop their oldest entries.
var evicting = regexp.MustCompile(`(?s)BPF_MAP_TYPE_LRU_HASH[^{}]*\} (\w+) SEC`)

// TestFullMaps: a map that evicts may be full, and no alert is about it.
func TestFullMaps(t *testing.T) {
	sources, err := filepath.Glob(filepath.Join(root(t), "bpf", "*.h"))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, source := range sources {
		for _, m := range evicting.FindAllStringSubmatch(string(read(t, source)), -1) {
			found = append(found, m[1])
		}
	}
	slices.Sort(found)
	for _, r := range render(t, "").alerts.rules() {
		if r.Alert == "SondeMapNearlyFull" && len(found) > 0 && strings.Contains(r.Expr, strings.Join(found, "|")) {
			return
		}
	}
	t.Errorf("the maps %q evict entries, but SondeMapNearlyFull does not leave out just these: correct lruMaps in mixin/config.libsonnet", found)
}
