package docs

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/grafana/alloy/syntax/parser"
	"go.yaml.in/yaml/v3"
)

func checkJSON(_ *scene, text string) error {
	var value any
	return json.Unmarshal([]byte(text), &value)
}

// checkPromQL makes each expression of a block a recording rule; an empty line is
// between two.
func checkPromQL(s *scene, text string) error {
	type rule struct {
		Record string `yaml:"record"`
		Expr   string `yaml:"expr"`
	}
	var rules []rule
	for expression := range strings.SplitSeq(text, "\n\n") {
		rules = append(rules, rule{"snippet", expression})
	}
	content, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "snippet", "rules": rules}}})
	if err != nil {
		return err
	}
	// Two expressions of one page may be the same, which is no mistake here.
	return checkWith("promtool check rules --lint=none snippet.yml")(s, string(content))
}

// checkAlloy checks the form; test/examples checks the components of the example.
func checkAlloy(_ *scene, text string) error {
	_, err := parser.ParseFile("snippet.alloy", []byte(text))
	return err
}

// checkJsonnet evaluates the snippet, which may import the repository as "sonde". An
// object of overrides is given to the mixin.
func checkJsonnet(s *scene, text string) error {
	if err := os.WriteFile(filepath.Join(s.dir, "snippet.jsonnet"), []byte(text), 0o644); err != nil {
		return err
	}
	command := "go -C mixin tool jsonnet --jpath ../.. ../snippet.jsonnet"
	if strings.Contains(text, "_config+::") && !strings.Contains(text, "import") {
		command = "scripts/mixin rendered snippet.jsonnet"
	}
	_, err := s.run(command)
	return err
}

// checkINI is for files of variables and the like: Sonde has the flags in them.
func checkINI(s *scene, text string) error {
	if strings.Contains(text, "[Service]") || strings.Contains(text, "[Unit]") {
		return checkUnit(s, text)
	}
	for line := range strings.Lines(text) {
		key, value, found := strings.Cut(strings.TrimSpace(line), "=")
		if strings.HasPrefix(key, "#") || key == "" {
			continue
		}
		if !found {
			return fmt.Errorf("the line %q has no =", line)
		}
		if err := flagsKnown(s, "sonde_exporter "+strings.Trim(strings.TrimPrefix(strings.Trim(value, `"'`), "sonde_exporter "), `"'`)); err != nil {
			return err
		}
	}
	return nil
}

// bareUnit is what a drop-in without a program of its own is checked with.
const bareUnit = "[Service]\nExecStart=/bin/true\n"

// checkUnit has systemd verify a unit, or a drop-in with a unit around it.
func checkUnit(s *scene, text string) error {
	for line := range strings.Lines(text) {
		if err := flagsKnown(s, strings.TrimSpace(line)); err != nil {
			return err
		}
	}
	// The program is not installed where a unit expects it.
	text = strings.ReplaceAll(text, "/usr/bin/sonde_exporter", "/bin/true")
	text = strings.ReplaceAll(text, "/usr/local/bin/sonde_exporter", "/bin/true")
	drop := "unit/snippet.service"
	if !strings.Contains(text, "ExecStart=") {
		drop = "unit/snippet.service.d/snippet.conf"
	}
	files := filepath.Join(s.dir, "unit", "snippet.service.d")
	if err := os.MkdirAll(files, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.dir, "unit/snippet.service"), []byte(bareUnit), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.dir, drop), []byte(text), 0o644); err != nil {
		return err
	}
	said, err := s.run("SYSTEMD_UNIT_PATH=$PWD/unit: systemd-analyze verify --man=no snippet.service")
	if err == nil && strings.Contains(said, "snippet") {
		err = fmt.Errorf("systemd says:\n%s", said)
	}
	return err
}
