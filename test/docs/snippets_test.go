package docs

import (
	"strings"
	"sync"
	"testing"
)

// checker tells what is wrong with a snippet.
type checker func(s *scene, text string) error

// checkers has a checker for each tag of a fence. Commands and their output are
// for TestCommands; text is also for drawings.
func checkers() map[string]checker {
	return map[string]checker{
		"sh": nil, "console": nil, "text": nil,
		"yaml":    checkYAML,
		"json":    checkJSON,
		"promql":  checkPromQL,
		"alloy":   checkAlloy,
		"jsonnet": checkJsonnet,
		"ini":     checkINI,
		"systemd": checkUnit,
	}
}

// TestSnippets: every block of every page says what it is, and the program that it is
// for takes it.
func TestSnippets(t *testing.T) {
	pages, root := readAll(t)
	checkers := checkers()
	for _, page := range pages {
		if len(page.Blocks) == 0 {
			continue
		}
		t.Run(page.Path, func(t *testing.T) {
			t.Parallel()
			s := sync.OnceValue(func() *scene { return newScene(t, root, exporter(t)) })
			for _, block := range page.Blocks {
				check, ok := checkers[block.Language]
				if !ok {
					t.Errorf("%v: the block is tagged %q; tag it sh, console, text, or as one of the formats in snippets_test.go", block.Place, block.Language)
					continue
				}
				if check == nil {
					continue
				}
				if err := check(s(), block.Text); err != nil {
					t.Errorf("%v: %v\nThe block is:\n%s", block.Place, err, block.Text)
				}
			}
		})
	}
}

// TestInlineCommands: targets of make and flags of Sonde that a text mentions exist.
func TestInlineCommands(t *testing.T) {
	pages, root := readAll(t)
	s := newScene(t, root, exporter(t))
	for _, page := range pages {
		if page.Path == "CHANGELOG.md" {
			continue // It also tells of what was.
		}
		for _, span := range page.Spans {
			if err := flagsKnown(s, span.Text); err != nil {
				t.Errorf("%v: `%s`: %v", span.Place, span.Text, err)
			}
			target, isMake := strings.CutPrefix(span.Text, "make ")
			if !isMake {
				continue
			}
			if err := inHelp(s, strings.Fields(target)[0]); err != nil {
				t.Errorf("%v: `%s`: %v", span.Place, span.Text, err)
			}
		}
	}
}

// TestCheckers: each checker takes what is right and finds a mistake.
func TestCheckers(t *testing.T) {
	_, root := readAll(t)
	s := newScene(t, root, exporter(t))
	for _, test := range []struct{ language, name, right, wrong string }{
		{"yaml", "Sonde", "routes:\n  patterns: [/a]\n", "routes:\n  pattern: [/a]\n"},
		{
			"yaml", "Sonde with files",
			"otel_traces_export:\n  endpoint: https://a:4317\n  tls: {ca_file: /etc/sonde/ca.crt}\n",
			"otel_traces_export:\n  endpoint: https://a:4317\n  tls: {cafile: /etc/sonde/ca.crt}\n",
		},
		{
			"yaml", "Prometheus",
			"scrape_configs:\n  - job_name: a\n    tls_config: {ca_file: ca.crt}\n",
			"scrape_configs:\n  - name: a\n",
		},
		{"yaml", "rules", "groups:\n  - name: a\n    rules: [{record: a, expr: up}]\n", "groups:\n  - name: a\n    rules: [{record: a, expr: up(}]\n"},
		{"yaml", "web configuration", "basic_auth_users: {a: $2a$10$NOfMIHzkU9g2MWjGZjz4zejh/DjkLaLNBGtz5jw46znMOgCxRdYAe}\n", "basic_auth_users: [a]\n"},
		{
			"yaml", "Kubernetes",
			"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n    - args: [--config.check]\n      image: sonde_exporter\n",
			"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n    - args: [--config.chek]\n      image: sonde_exporter\n",
		},
		{"yaml", "twice the same key", "jsonData: {a: 1}\n", "jsonData: {a: 1, a: 2}\n"},
		{"json", "", `{"a": 1}`, `{"a": 1`},
		{"promql", "", "# Comment\nsum(rate(a[5m]))\n\nb", "sum(rate(a[5m])"},
		{"alloy", "", "prometheus.scrape \"a\" {\n  x = 1\n}\n", "prometheus.scrape \"a\" {\n  x =\n}\n"},
		{"ini", "", "SONDE_ARGS=\"--config.check\"\n", "SONDE_ARGS=\"sonde_exporter --config.chek\"\n"},
		{"systemd", "", "[Service]\nNoNewPrivileges=yes\n", "[Servic]\nNoNewPrivileges=yes\n"},
	} {
		t.Run(test.language+" "+test.name, func(t *testing.T) {
			check := checkers()[test.language]
			if err := check(s, test.right); err != nil {
				t.Errorf("this is refused: %v\n%s", err, test.right)
			}
			if err := check(s, test.wrong); err == nil {
				t.Errorf("this is taken:\n%s", test.wrong)
			}
		})
	}
}
