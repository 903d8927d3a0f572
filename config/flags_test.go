package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"sonde_exporter/routes"
)

func TestEnvName(t *testing.T) {
	for flag, want := range map[string]string{
		"config.file":              "SONDE_CONFIG_FILE",
		"series.limit-per-service": "SONDE_SERIES_LIMIT_PER_SERVICE",
		"web.listen-address":       "SONDE_WEB_LISTEN_ADDRESS",
	} {
		if got := EnvName(flag); got != want {
			t.Errorf("%s: got %s, want %s", flag, got, want)
		}
	}
}

func TestEveryFlagSetsItsKey(t *testing.T) {
	settings := map[string]string{
		"discovery.open-port":               "80,443",
		"discovery.executable-name":         "nginx",
		"discovery.service-name":            "front",
		"discovery.service-namespace":       "web",
		"discovery.exclude.open-port":       "22",
		"discovery.exclude.executable-name": "sshd",
		"routes.pattern":                    "/a/{b}",
		"routes.ignored-pattern":            "/health",
		"routes.unmatched":                  "unset",
		"histogram.buckets":                 "0.1, 1",
		"series.limit":                      "20",
		"series.limit-per-service":          "10",
		"series.retention":                  "90s",
	}
	want := &Config{
		Discovery: Discovery{
			Services: []Rule{{ports(t, "80,443"), expression(t, "nginx"), "front", "web"}},
			Exclude:  []Rule{{OpenPort: ports(t, "22"), ExecutableName: expression(t, "sshd")}},
		},
		Routes:    Routes{Patterns: []string{"/a/{b}"}, IgnoredPatterns: []string{"/health"}, Unmatched: routes.UnmatchedUnset},
		Histogram: Histogram{Buckets: []float64{0.1, 1}},
		Series:    Series{Limit: 20, LimitPerService: 10, Retention: 90 * time.Second},

		Traces:        defaultTraces(),
		MetricsExport: defaultMetricsExport(),
	}
	t.Run("command line", func(t *testing.T) {
		var args []string
		for flag, value := range settings {
			args = append(args, "--"+flag+"="+value)
		}
		checkLoad(t, want, args...)
	})
	t.Run("environment", func(t *testing.T) {
		for flag, value := range settings {
			t.Setenv(EnvName(flag), value)
		}
		checkLoad(t, want)
	})
}

func TestShortEnvironmentSpellings(t *testing.T) {
	t.Setenv("SONDE_OPEN_PORT", "443")
	t.Setenv("SONDE_EXECUTABLE_NAME", "nginx")
	t.Setenv("SONDE_SERVICE_NAME", "front")
	t.Setenv("SONDE_SERVICE_NAMESPACE", "web")
	checkRules(t, []Rule{{ports(t, "443"), expression(t, "nginx"), "front", "web"}})
}

func TestRepeatedPatterns(t *testing.T) {
	want := Default()
	want.Routes.Patterns = []string{"/a", "/b,c", "/d"}
	checkLoad(t, want, "--routes.pattern=/a", "--routes.pattern=/b,c", "--routes.pattern=/d")

	want.Routes.Patterns = []string{"/a", "/b", "/c", "/d"}
	t.Setenv("SONDE_ROUTES_PATTERN", "/a,/b\n/c\n\n /d ,\n")
	checkLoad(t, want)
}

// TestPrecedence sets series.limit in the file, then in the environment too,
// then on the command line too.
func TestPrecedence(t *testing.T) {
	limit := func(want int, args ...string) {
		t.Helper()
		c, err := load(t, args...)
		if err != nil {
			t.Fatal(err)
		}
		if c.Series.Limit != want {
			t.Errorf("got %d, want %d", c.Series.Limit, want)
		}
	}
	limit(10_000)
	t.Setenv("SONDE_CONFIG_FILE", write(t, "series: {limit: 2000}\nroutes: {patterns: [/file]}"))
	limit(2000)
	t.Setenv("SONDE_SERIES_LIMIT", "3000")
	limit(3000)
	limit(4000, "--series.limit=4000")
	limit(3000, "--config.file="+write(t, "series: {limit: 5000}"))

	c, err := load(t, "--routes.pattern=/flag")
	if err != nil || !reflect.DeepEqual(c.Routes.Patterns, []string{"/flag"}) {
		t.Errorf("got %v and %v, want the flag's patterns instead of the file's", c, err)
	}
}

func TestShorthandPrecedence(t *testing.T) {
	file := "--config.file=" + write(t, "open_port: 443\nexecutable_name: nginx\nservice_name: front\n")
	checkRules(t, []Rule{{ports(t, "443"), expression(t, "nginx"), "front", ""}}, file)

	t.Run("environment overrides key by key", func(t *testing.T) {
		t.Setenv("SONDE_OPEN_PORT", "80")
		checkRules(t, []Rule{{ports(t, "80"), expression(t, "nginx"), "front", ""}}, file)
	})
	t.Run("selector on the command line starts afresh", func(t *testing.T) {
		t.Setenv("SONDE_SERVICE_NAMESPACE", "web")
		checkRules(t, []Rule{{OpenPort: ports(t, "80")}}, file, "--discovery.open-port=80")
	})
	t.Run("name on the command line renames", func(t *testing.T) {
		checkRules(t, []Rule{{ports(t, "443"), expression(t, "nginx"), "shop", ""}}, file, "--discovery.service-name=shop")
	})
	t.Run("command line beats both variables", func(t *testing.T) {
		t.Setenv("SONDE_OPEN_PORT", "80")
		t.Setenv("SONDE_DISCOVERY_OPEN_PORT", "81")
		checkRules(t, []Rule{{OpenPort: ports(t, "82")}}, "--discovery.open-port=82")
	})
	t.Run("flags leave the rules of the file alone", func(t *testing.T) {
		listed := write(t, "discovery: {services: [{open_port: 443}], exclude: [{open_port: 22}]}")
		c, err := load(t, "--config.file="+listed, "--discovery.open-port=80", "--discovery.exclude.open-port=23")
		if err != nil {
			t.Fatal(err)
		}
		want := Discovery{
			Services: []Rule{{OpenPort: ports(t, "443")}, {OpenPort: ports(t, "80")}},
			Exclude:  []Rule{{OpenPort: ports(t, "22")}, {OpenPort: ports(t, "23")}},
		}
		if !reflect.DeepEqual(c.Discovery, want) {
			t.Errorf("got %+v, want %+v", c.Discovery, want)
		}
	})
}

func TestLoadReadsTheFileAgain(t *testing.T) {
	name := write(t, "series: {limit: 2000}")
	flags := register(t, "--config.file="+name)
	for text, want := range map[string]int{"series: {limit: 3000}": 3000, "": 10_000} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := flags.Load()
		if err != nil || c.Series.Limit != want {
			t.Errorf("got %+v and %v, want a limit of %d", c, err, want)
		}
	}
}

func TestLoadErrors(t *testing.T) {
	t.Setenv("SONDE_OPEN_PORT", "80")
	for _, test := range []struct {
		env, value string
		args       []string
		want       string
	}{
		{args: []string{"--series.limit=many"}, want: `flag --series.limit: "many" is not a whole number; write one such as 10000`},
		{args: []string{"--series.limit=0"}, want: "flag --series.limit must be above zero, not 0"},
		{args: []string{"--series.limit="}, want: `flag --series.limit: "" is not a whole number; write one such as 10000`},
		{env: "SONDE_SERIES_LIMIT", value: "1e3", want: `environment variable SONDE_SERIES_LIMIT: "1e3" is not a whole number; write one such as 10000`},
		{args: []string{"--series.limit-per-service=20000"}, want: "flag --series.limit-per-service is 20000, more than the limit of all series, 10000; lower it or raise series.limit"},
		{args: []string{"--series.retention=soon"}, want: `flag --series.retention: "soon" is not a duration; write a number and a unit such as 90s, 5m or 1h30m`},
		{args: []string{"--series.retention=-1s"}, want: "flag --series.retention must be above zero, not -1s"},
		{args: []string{"--histogram.buckets=1,x"}, want: `flag --histogram.buckets: "x" is not a number of seconds; write one such as 0.25`},
		{args: []string{"--histogram.buckets=2,1"}, want: "flag --histogram.buckets must ascend, but 1 comes after 2"},
		{args: []string{"--routes.unmatched=guess"}, want: `flag --routes.unmatched must be heuristic, unset, wildcard or path, not "guess"`},
		{args: []string{"--routes.pattern=a"}, want: `flag --routes.pattern: pattern "a" must begin with /`},
		{args: []string{"--routes.pattern="}, want: `flag --routes.pattern: pattern "" must begin with /`},
		{args: []string{"--routes.pattern=/a", "--routes.ignored-pattern=/a"}, want: `flag --routes.pattern "/a" is also ignored by flag --routes.ignored-pattern; keep one of the two`},
		{args: []string{"--discovery.open-port=http"}, want: `flag --discovery.open-port: "http" is not a port; write a number such as 443 or a range such as 8000-8999`},
		{args: []string{"--discovery.open-port="}, want: "flag --discovery.open-port: no port is given; write a port such as 443, a list such as 80,443 or a range such as 8000-8999"},
		{args: []string{"--discovery.executable-name=("}, want: `flag --discovery.executable-name: regular expression "(" is not valid at position 1: missing closing )`},
		{args: []string{"--discovery.exclude.open-port=80"}, want: "environment variable SONDE_OPEN_PORT selects only processes that flag --discovery.exclude.open-port excludes; remove one of the two"},
		{args: []string{"--discovery.exclude.executable-name=["}, want: `flag --discovery.exclude.executable-name: regular expression "[" is not valid at position 1: missing closing ]`},
		{env: "SONDE_DISCOVERY_OPEN_PORT", value: "81", want: `environment variable SONDE_OPEN_PORT is "80" but SONDE_DISCOVERY_OPEN_PORT is "81"; unset one of the two`},
		{env: "SONDE_OPEN_PORT", value: "x", want: `environment variable SONDE_OPEN_PORT: "x" is not a port; write a number such as 443 or a range such as 8000-8999`},
		{env: "SONDE_SERVICE_NAME", value: "a\xff", want: "environment variable SONDE_SERVICE_NAME is not valid UTF-8"},
		{args: []string{"--config.file=/nowhere/sonde.yml"}, want: "config file /nowhere/sonde.yml cannot be read: no such file; check flag --config.file"},
		{env: "SONDE_CONFIG_FILE", value: "/nowhere/sonde.yml", want: "config file /nowhere/sonde.yml cannot be read: no such file; check environment variable SONDE_CONFIG_FILE"},
		{args: []string{"--config.file=/"}, want: "config file / cannot be read: is a directory; check flag --config.file"},
	} {
		t.Run(test.want, func(t *testing.T) {
			if test.env != "" {
				t.Setenv(test.env, test.value)
			}
			if _, err := load(t, test.args...); err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestLoadReportsFileFlagsAndEnvironmentTogether(t *testing.T) {
	t.Setenv("SONDE_SERIES_LIMIT", "x")
	file := write(t, "a: 1\n")
	_, err := load(t, "--config.file="+file, "--series.retention=x", "--discovery.service-name=shop")
	want := `config file ` + file + `, line 1: unknown key "a"; known keys are discovery, executable_name, grafana, histogram, open_port, otel_metrics_export, otel_traces_export, prometheus_export, resource, routes, series, service_name, service_namespace
environment variable SONDE_SERIES_LIMIT: "x" is not a whole number; write one such as 10000
flag --series.retention: "x" is not a duration; write a number and a unit such as 90s, 5m or 1h30m`
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}

func TestMissingFileIsErrNotExist(t *testing.T) {
	if _, err := load(t, "--config.file=/nowhere"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist within", err)
	}
}

func TestUnreadableFileSaysWhatToDo(t *testing.T) {
	denied := &fs.PathError{Op: "open", Path: "a.yml", Err: fs.ErrPermission}
	err := unreadable("a.yml", denied, atFlag("config.file"))
	want := "config file a.yml cannot be read: permission denied; let the user that runs Sonde read it"
	if err.Error() != want || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestTooManyPatternsInTheEnvironment(t *testing.T) {
	var list []string
	for i := range maxItems + 1 {
		list = append(list, fmt.Sprintf("/%d", i))
	}
	t.Setenv("SONDE_ROUTES_PATTERN", strings.Join(list, ","))
	want := "environment variable SONDE_ROUTES_PATTERN has 1001 items; at most 1000 are allowed"
	if _, err := load(t); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestHelpNamesTheEnvironment(t *testing.T) {
	var help bytes.Buffer
	app := kingpin.New("sonde_exporter", "").Terminate(nil)
	app.Writer(&help)
	RegisterFlags(app)
	if _, err := app.Parse([]string{"--help"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"SONDE_CONFIG_FILE", "SONDE_OPEN_PORT", "SONDE_HISTOGRAM_BUCKETS", "--routes.pattern=/users/{id}"} {
		if !strings.Contains(help.String(), want) {
			t.Errorf("help does not say %s:\n%s", want, &help)
		}
	}
}

func register(t *testing.T, args ...string) *Flags {
	t.Helper()
	app := kingpin.New("sonde_exporter", "").Terminate(nil)
	flags := RegisterFlags(app)
	if _, err := app.Parse(args); err != nil {
		t.Fatal(err)
	}
	return flags
}

func load(t *testing.T, args ...string) (*Config, error) {
	t.Helper()
	return register(t, args...).Load()
}

func checkLoad(t *testing.T, want *Config, args ...string) {
	t.Helper()
	if got, err := load(t, args...); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
}

func checkRules(t *testing.T, want []Rule, args ...string) {
	t.Helper()
	c, err := load(t, args...)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(c.Discovery.Services, want) {
		t.Errorf("got %+v, want %+v", c.Discovery.Services, want)
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "sonde.yml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
