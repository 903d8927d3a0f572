package docs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// kinds tells by a key at the top which program a document is for. What has none of
// these is Sonde's.
func kinds() map[string]checker {
	return map[string]checker{
		"kind":              checkKubernetes,
		"scrape_configs":    checkWith("promtool check config snippet.yml"),
		"groups":            checkWith("promtool check rules snippet.yml"),
		"basic_auth_users":  checkWith("promtool check web-config snippet.yml"),
		"tls_server_config": checkWith("promtool check web-config snippet.yml"),
		// test/packaging builds it.
		"secretGenerator": nothingMore,
		// A data source or dashboards of Grafana: only that it is YAML.
		"jsonData":    nothingMore,
		"datasources": nothingMore,
		"providers":   nothingMore,
	}
}

func nothingMore(*scene, string) error { return nil }

// checkYAML gives each document to the program that it is for.
func checkYAML(s *scene, text string) error {
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for {
		var document map[string]any
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("this is not well-formed YAML: %w", err)
		}
		one, err := yaml.Marshal(document)
		if err != nil {
			return err
		}
		if err := makeFiles(s, document); err != nil {
			return err
		}
		if err := checkerOf(document)(s, string(one)); err != nil {
			return err
		}
	}
}

func checkerOf(document map[string]any) checker {
	for key, check := range kinds() {
		if _, ok := document[key]; ok {
			return check
		}
	}
	return checkWith("sonde_exporter --config.check --config.file=snippet.yml")
}

// checkWith writes the snippet to snippet.yml and runs a command on it.
func checkWith(command string) checker {
	return func(s *scene, text string) error {
		if err := os.WriteFile(filepath.Join(s.dir, "snippet.yml"), []byte(text), 0o644); err != nil {
			return err
		}
		_, err := s.run(command)
		return err
	}
}

// makeFiles makes the files that a configuration names, as its reader would have them.
func makeFiles(s *scene, value any) error {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			name, isText := inner.(string)
			if isText && strings.HasSuffix(key, "_file") {
				if err := makeFile(s, key, name); err != nil {
					return err
				}
			}
			if err := makeFiles(s, inner); err != nil {
				return err
			}
		}
	case []any:
		for _, inner := range value {
			if err := makeFiles(s, inner); err != nil {
				return err
			}
		}
	}
	return nil
}

// makeFile makes one file. What is not in the repository may be in /etc alone, which
// is the scene's own.
func makeFile(s *scene, key, name string) error {
	if filepath.IsAbs(name) && !strings.HasPrefix(filepath.Clean(name), "/etc/") {
		return fmt.Errorf("%s: the test makes files below /etc only, not %s", key, name)
	}
	content := `printf 'name: a secret'`
	switch key {
	case "ca_file", "client_ca_file":
		content = "scripts/certs >&2 && cat certs/ca.crt"
	case "cert_file":
		content = "scripts/certs >&2 && cat certs/server.crt"
	case "key_file":
		content = "scripts/certs >&2 && cat certs/server.key"
	}
	_, err := s.run(fmt.Sprintf(`[ -e %[1]q ] || { mkdir -p "$(dirname %[1]q)" && { %[2]s; } > made && mv made %[1]q; }`, name, content))
	return err
}

// checkKubernetes demands what every object has, and that Sonde has the flags that a
// container gives it. That no key is there twice was checked before.
func checkKubernetes(s *scene, text string) error {
	var object struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   struct{ Name string }
	}
	if err := yaml.Unmarshal([]byte(text), &object); err != nil {
		return err
	}
	if object.APIVersion == "" || object.Kind == "" || object.Metadata.Name == "" {
		return errors.New("an object of Kubernetes has apiVersion, kind and metadata.name")
	}
	var document any
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		return err
	}
	return checkContainers(s, document)
}

// checkContainers looks for containers of Sonde anywhere in a document.
func checkContainers(s *scene, value any) error {
	var inner []any
	switch value := value.(type) {
	case map[string]any:
		image, _ := value["image"].(string)
		args, hasArgs := value["args"].([]any)
		if hasArgs && strings.Contains(image, "sonde") {
			if err := flagsKnown(s, "sonde_exporter "+strings.Trim(fmt.Sprint(args), "[]")); err != nil {
				return err
			}
		}
		for _, v := range value {
			inner = append(inner, v)
		}
	case []any:
		inner = value
	}
	for _, v := range inner {
		if err := checkContainers(s, v); err != nil {
			return err
		}
	}
	return nil
}
