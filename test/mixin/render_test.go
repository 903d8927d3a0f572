// Package mixin proves that the mixin of the repository is sound: everything that it
// asks of Prometheus has an answer once Sonde is scraped, its alerts fire when they
// should and at no other time, and its dashboards are ones that Grafana can load.
package mixin

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.yaml.in/yaml/v3"

	"sonde_exporter/test/harness"
)

// rule is a recording or an alerting rule.
type rule struct {
	Record      string
	Alert       string
	Expr        string
	For         string
	Labels      map[string]string
	Annotations map[string]string
}

type ruleFile struct {
	Groups []struct {
		Name  string
		Rules []rule
	}
}

func (f ruleFile) rules() (all []rule) {
	for _, group := range f.Groups {
		all = append(all, group.Rules...)
	}
	return all
}

// mixin is what scripts/mixin has rendered.
type mixin struct {
	dir           string
	rules, alerts ruleFile
	dashboards    map[string]dashboard // by file name
}

// render renders the mixin; overrides is jsonnet, and empty for the mixin as it is.
func render(t *testing.T, overrides string) mixin {
	t.Helper()
	m := mixin{dir: t.TempDir(), dashboards: map[string]dashboard{}}
	args := []string{m.dir}
	if overrides != "" {
		path := filepath.Join(t.TempDir(), "overrides.libsonnet")
		if err := os.WriteFile(path, []byte(overrides), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	if said, err := exec.CommandContext(t.Context(), filepath.Join(root(t), "scripts", "mixin"), args...).CombinedOutput(); err != nil {
		t.Fatalf("scripts/mixin: %v\n%s", err, said)
	}
	readYAML(t, filepath.Join(m.dir, "rules.yaml"), &m.rules)
	readYAML(t, filepath.Join(m.dir, "alerts.yaml"), &m.alerts)
	files, err := filepath.Glob(filepath.Join(m.dir, "dashboards", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are %d dashboards (%v), want some", len(files), err)
	}
	for _, file := range files {
		var d dashboard
		if err := json.Unmarshal(read(t, file), &d); err != nil {
			t.Fatalf("%s is no dashboard: %v", filepath.Base(file), err)
		}
		m.dashboards[filepath.Base(file)] = d
	}
	return m
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := harness.Root()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	if err := yaml.Unmarshal(read(t, path), into); err != nil {
		t.Fatalf("%s is no YAML: %v", filepath.Base(path), err)
	}
}
