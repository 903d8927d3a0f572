package web

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"sonde_exporter/status"
)

// answer is one of the API, as a client sees it.
type answer struct {
	Status, Error, ErrorType string
	Warnings                 []string
	Data                     map[string]any
}

func ask(t *testing.T, opts Options, path string) (code int, a answer) {
	t.Helper()
	server := startServer(t, opts)
	response, body := fetch(t, server.Client(), http.MethodGet, server.URL+path, nil)
	if got := response.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("%s has the type %q", path, got)
	}
	if response.Header.Get("X-Content-Type-Options") != "nosniff" || response.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s has the headers %v", path, response.Header)
	}
	if err := json.Unmarshal([]byte(body), &a); err != nil {
		t.Fatalf("%s is no JSON: %v\n%s", path, err, body)
	}
	return response.StatusCode, a
}

func names(data map[string]any, list string) string {
	var all []string
	for _, entry := range data[list].([]any) {
		all = append(all, entry.(map[string]any)["name"].(string))
	}
	return strings.Join(all, ",")
}

func TestAPI(t *testing.T) {
	opts := Options{Status: readExample()}
	for name, c := range map[string]struct{ query, services, excluded string }{
		"all":           {"", markup + ",caller,idle,shop,vault", "sshd"},
		"one":           {"?service=shop", "shop", ""},
		"two":           {"?service=shop&service=sshd", "shop", "sshd"},
		"none of these": {"?service=nobody", "", ""},
		"markup":        {"?service=%22%3E%3Cscript%3Ealert(1)%3C/script%3E%3Cimg%20src=x%20onerror=alert(2)%3E", markup, ""},
	} {
		t.Run(name, func(t *testing.T) {
			code, a := ask(t, opts, servicesPath+c.query)
			if code != http.StatusOK || a.Status != "success" {
				t.Fatalf("%d %+v, want success", code, a)
			}
			if got := names(a.Data, "services"); got != c.services {
				t.Errorf("the services are %q, want %q", got, c.services)
			}
			if got := names(a.Data, "excluded"); got != c.excluded {
				t.Errorf("excluded are %q, want %q", got, c.excluded)
			}
		})
	}
	t.Run("warnings", func(t *testing.T) {
		incomplete := exampleStatus()
		incomplete.Warnings = []string{"losses are not known"}
		_, a := ask(t, Options{Status: func(context.Context) (*status.Status, error) { return incomplete, nil }}, servicesPath)
		if len(a.Warnings) != 1 || a.Warnings[0] != "losses are not known" {
			t.Errorf("the warnings are %q", a.Warnings)
		}
	})
	t.Run("filtering changes nothing for others", func(t *testing.T) {
		if _, a := ask(t, opts, servicesPath); names(a.Data, "excluded") != "sshd" {
			t.Errorf("excluded are %v", a.Data["excluded"])
		}
	})
}

func TestAPIErrors(t *testing.T) {
	code, a := ask(t, Options{Status: readExample()}, "/api/v1/servics")
	if code != http.StatusNotFound || a.Status != "error" || a.ErrorType != "not_found" || !strings.Contains(a.Error, servicesPath) {
		t.Errorf("%d %+v, want 404 that names the path", code, a)
	}
}

// TestAPIWithMetricsAtTheRoot: there is no page then, but the API is there.
func TestAPIWithMetricsAtTheRoot(t *testing.T) {
	opts := Options{Status: readExample(), TelemetryPath: "/"}
	if code, a := ask(t, opts, servicesPath); code != http.StatusOK || a.Status != "success" {
		t.Errorf("%d %+v, want success", code, a)
	}
	server := startServer(t, opts)
	if _, body := fetch(t, server.Client(), http.MethodGet, server.URL+"/", nil); !strings.Contains(body, "sonde_test_total 42") {
		t.Errorf("no metrics at /:\n%s", body)
	}
}

// TestAPIIsDocumented: every field is in docs/status.md.
func TestAPIIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/status.md")
	if err != nil {
		t.Fatal(err)
	}
	_, a := ask(t, Options{Status: readExample()}, servicesPath)
	var walk func(value any)
	walk = func(value any) {
		switch v := value.(type) {
		case []any:
			for _, element := range v {
				walk(element)
			}
		case map[string]any:
			for key, element := range v {
				if !strings.Contains(string(text), "`"+key+"`") {
					t.Errorf("docs/status.md does not tell of `%s`", key)
				}
				walk(element)
			}
		}
	}
	walk(a.Data)
}
