package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kingpin/v2"

	"sonde_exporter/collector"
	"sonde_exporter/config"
)

func parse(t *testing.T, args ...string) options {
	t.Helper()
	o, err := parseOptions(args)
	if err != nil {
		t.Fatalf("parseOptions(%q): %v", args, err)
	}
	return o
}

func TestDefaults(t *testing.T) {
	o := parse(t)
	if got := *o.web.WebListenAddresses; !slices.Equal(got, []string{":19100"}) {
		t.Errorf("listens on %q, want :19100", got)
	}
	if o.telemetryPath != "/metrics" || o.maxRequests != 40 || o.disableExporterMetrics || o.checkOnly {
		t.Errorf("web options: %+v", o)
	}
	if o.procfs != "/proc" || o.rootfs != "/" || *o.web.WebConfigFile != "" || *o.web.WebSystemdSocket {
		t.Errorf("paths: %+v", o)
	}
	if o.log.Level.String() != "info" || o.log.Format.String() != "logfmt" {
		t.Errorf("logs at level %s as %s, want info as logfmt", o.log.Level, o.log.Format)
	}
	if len(o.collectors) != len(collector.Help()) || !slices.IsSorted(o.collectors) {
		t.Errorf("collectors %q, want all", o.collectors)
	}
}

// TestFlagsAndTheirEnvironment sets every flag both ways.
func TestFlagsAndTheirEnvironment(t *testing.T) {
	cases := []struct {
		flag, variable, value string
		get                   func(options) string
	}{
		{"--web.listen-address", "SONDE_WEB_LISTEN_ADDRESS", "127.0.0.1:9", func(o options) string { return strings.Join(*o.web.WebListenAddresses, " ") }},
		{"--web.config.file", "SONDE_WEB_CONFIG_FILE", "/etc/web.yml", func(o options) string { return *o.web.WebConfigFile }},
		{"--web.systemd-socket", "SONDE_WEB_SYSTEMD_SOCKET", "true", func(o options) string { return text(*o.web.WebSystemdSocket) }},
		{"--web.telemetry-path", "SONDE_WEB_TELEMETRY_PATH", "/m", func(o options) string { return o.telemetryPath }},
		{"--web.max-requests", "SONDE_WEB_MAX_REQUESTS", "3", func(o options) string { return string(rune('0' + o.maxRequests)) }},
		{"--web.disable-exporter-metrics", "SONDE_WEB_DISABLE_EXPORTER_METRICS", "true", func(o options) string { return text(o.disableExporterMetrics) }},
		{"--path.procfs", "SONDE_PATH_PROCFS", "/host/proc", func(o options) string { return o.procfs }},
		{"--path.rootfs", "SONDE_PATH_ROOTFS", "/host", func(o options) string { return o.rootfs }},
		{"--config.check", "SONDE_CONFIG_CHECK", "true", func(o options) string { return text(o.checkOnly) }},
		{"--log.level", "SONDE_LOG_LEVEL", "debug", func(o options) string { return o.log.Level.String() }},
		{"--log.format", "SONDE_LOG_FORMAT", "json", func(o options) string { return o.log.Format.String() }},
	}
	for _, c := range cases {
		t.Run(c.flag, func(t *testing.T) {
			if before := c.get(parse(t)); before == c.value {
				t.Fatalf("%q is the default, so the test tells nothing", before)
			}
			args := []string{c.flag}
			if c.value != "true" {
				args = append(args, c.value)
			}
			if got := c.get(parse(t, args...)); got != c.value {
				t.Errorf("%q gives %q, want %q", args, got, c.value)
			}
			t.Setenv(c.variable, c.value)
			if got := c.get(parse(t)); got != c.value {
				t.Errorf("%s=%s gives %q", c.variable, c.value, got)
			}
		})
	}
}

func text(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

func TestListenAddressIsRepeatable(t *testing.T) {
	o := parse(t, "--web.listen-address=:1", "--web.listen-address=[::1]:2")
	if got := *o.web.WebListenAddresses; !slices.Equal(got, []string{":1", "[::1]:2"}) {
		t.Errorf("listens on %q", got)
	}
}

func TestChoiceOfCollectors(t *testing.T) {
	var without []string // all but tap
	for name := range collector.Help() {
		if name != "tap" {
			without = append(without, name)
		}
	}
	slices.Sort(without)
	cases := []struct {
		name        string
		args        []string
		environment map[string]string
		want        []string
	}{
		{"one is switched off", []string{"--no-collector.tap"}, nil, without},
		{"one is switched off by its variable", nil, map[string]string{"SONDE_COLLECTOR_TAP": "false"}, without},
		{"the flag wins over the variable", []string{"--collector.tap"}, map[string]string{"SONDE_COLLECTOR_TAP": "false"}, append(slices.Clone(without), "tap")},
		{"none", []string{"--collector.disable-defaults"}, nil, nil},
		{"only some", []string{"--collector.disable-defaults", "--collector.tap", "--collector.http_server"}, nil, []string{"http_server", "tap"}},
		{"only some, in another order", []string{"--collector.tap", "--collector.disable-defaults"}, nil, []string{"tap"}},
		{
			"only some, by their variables", nil,
			map[string]string{"SONDE_COLLECTOR_DISABLE_DEFAULTS": "true", "SONDE_COLLECTOR_HTTP_SERVER": "true"}, []string{"http_server"},
		},
		{
			"only some, and one of these not", []string{"--collector.disable-defaults", "--collector.tap", "--no-collector.http_server"}, nil,
			[]string{"tap"},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for name, value := range c.environment {
				t.Setenv(name, value)
			}
			want := slices.Sorted(slices.Values(c.want))
			if got := parse(t, c.args...).collectors; !slices.Equal(got, want) {
				t.Errorf("collectors %q, want %q", got, want)
			}
		})
	}
}

// TestEveryFlagHasAVariable asks the command line itself, so that no flag that
// comes later is forgotten.
func TestEveryFlagHasAVariable(t *testing.T) {
	app := kingpin.New("test", "")
	config.RegisterFlags(app)
	registerCollectors(app)
	app.Flag("some.new-flag", "").Bool()
	addEnvironment(app)
	for _, flag := range app.Model().Flags {
		want := config.EnvName(flag.Name)
		if strings.HasPrefix(flag.Name, "help") || strings.HasPrefix(flag.Name, "completion") || flag.Name == "version" {
			want = "" // what they do is for people
		}
		if flag.Envar != want {
			t.Errorf("--%s has variable %q, want %q", flag.Name, flag.Envar, want)
		}
	}
}

func TestBadCommandLines(t *testing.T) {
	cases := []struct {
		args []string
		want []string // words of the message
	}{
		{[]string{"--web.listen-adress=:1"}, []string{"unknown flag --web.listen-adress", "--help"}},
		{[]string{"-x"}, []string{"unknown flag -x", "--help"}},
		{[]string{"--collector.htttp"}, []string{`no collector "htttp"`, "http_client, http_server"}},
		{[]string{"--no-collector.htttp"}, []string{`no collector "htttp"`, "http_client, http_server"}},
		{[]string{"--series.limit=1", "--series.limit=2"}, []string{"--series.limit is there twice"}},
		{[]string{"serve"}, []string{`"serve" is no flag`, "--help"}},
		{[]string{"--web.max-requests=-1"}, []string{"--web.max-requests", "-1"}},
		{[]string{"--web.max-requests=many"}, []string{"many", "--help"}},
		{[]string{"--web.max-requests"}, []string{"--web.max-requests", "--help"}},
		{[]string{"--log.level=loud"}, []string{"loud", "--help"}},
		{[]string{"--log.format=xml"}, []string{"xml", "--help"}},
		{[]string{"--collector.tap=no"}, []string{"--help"}},
	}
	for _, c := range cases {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			_, err := parseOptions(c.args)
			if err == nil {
				t.Fatal("no error")
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("the message has several lines: %q", err)
			}
			for _, words := range c.want {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("the message is %q, want it to say %q", err, words)
				}
			}
		})
	}
}
