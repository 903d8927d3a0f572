package config

import (
	"reflect"
	"testing"
)

// beylaInstrument is the main form of the documentation of Beyla 3.
const beylaInstrument = `discovery:
  instrument:
    - open_ports: 8080
prometheus_export:
  port: 9400
`

func TestInstrumentRunsUnmodified(t *testing.T) {
	want := Default()
	want.Discovery.Services = []Rule{{OpenPort: ports(t, "8080")}}
	want.Prometheus.Port = 9400
	checkLoad(t, want, "--config.file="+put(t, t.TempDir(), "beyla.yml", beylaInstrument))
}

func TestInstrument(t *testing.T) {
	for _, c := range []struct {
		name, file string
		want       Discovery
	}{
		{
			"every selector", "discovery: {instrument: [{open_ports: '80, 8000-8999', exe_path: '/opt/*/app', name: shop, namespace: web}]}",
			Discovery{Services: []Rule{{
				OpenPort: ports(t, "80,8000-8999"), ExecutableName: expression(t, "(?s)^/opt/.*/app$"), ServiceName: "shop", ServiceNamespace: "web",
			}}},
		},
		{
			"an exclusion", "discovery: {instrument: [{exe_path: '*'}], exclude_instrument: [{exe_path: '*/ssh?'}, {open_ports: 22}]}",
			Discovery{
				Services: []Rule{{ExecutableName: expression(t, "(?s)^.*$")}},
				Exclude:  []Rule{{ExecutableName: expression(t, "(?s)^.*/ssh.$")}, {OpenPort: ports(t, "22")}},
			},
		},
		{
			"an empty glob is none", "discovery: {instrument: [{open_ports: 80, exe_path: ''}]}",
			Discovery{Services: []Rule{{OpenPort: ports(t, "80")}}},
		},
		{
			"a port in short comes besides", "open_port: 443\ndiscovery: {instrument: [{open_ports: 80}]}",
			Discovery{Services: []Rule{{OpenPort: ports(t, "80")}, {OpenPort: ports(t, "443")}}},
		},
		{
			"an executable in short beside an exclusion", "executable_name: node\ndiscovery: {exclude_instrument: [{open_ports: 22}]}",
			Discovery{Services: []Rule{{ExecutableName: expression(t, "node")}}, Exclude: []Rule{{OpenPort: ports(t, "22")}}},
		},
		{
			"the last that matches and has a name names the service",
			"discovery: {instrument: [{open_ports: 8000-8999, name: all}, {exe_path: /a}, {open_ports: 8080, name: one}, {open_ports: 8081}]}",
			Discovery{Services: []Rule{
				{OpenPort: ports(t, "8080"), ServiceName: "one"}, {OpenPort: ports(t, "8000-8999"), ServiceName: "all"},
				{ExecutableName: expression(t, "^/a$")}, {OpenPort: ports(t, "8081")},
			}},
		},
		{"no rules", "discovery: {instrument: [], exclude_instrument: , services: [{open_port: 1}]}", Discovery{Services: []Rule{{OpenPort: ports(t, "1")}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := parsed(t, c.file).Discovery; !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestBadInstrument(t *testing.T) {
	const start = "config file sonde.yml, line 1: "
	for file, want := range map[string]string{
		"{instrument: [{exe_path: '/a['}]}": "discovery.instrument[0].exe_path: " +
			`glob "/a[" is not valid at position 3: the closing "]" is missing; write \[ for a bracket in the text`,
		"{instrument: [{name: a}]}":                                   "discovery.instrument[0] selects no process by itself; set open_ports or exe_path too",
		"{instrument: [{exe_path: /a, open_ports: 0}]}":               "discovery.instrument[0].open_ports: port 0 does not exist; ports are 1 to 65535",
		"{instrument: [{open_port: 1}]}":                              `unknown key "open_port" in discovery.instrument[0]; did you mean "open_ports"?`,
		"{instrument: [{executable_name: a}]}":                        "discovery.instrument[0].executable_name is a regular expression, but this list takes globs; write exe_path, or use discovery.services and discovery.exclude",
		"{instrument: {open_ports: 1}}":                               "discovery.instrument must be a list of rules, such as - open_ports: 443",
		"{instrument: [{open_ports: 1, k8s_pod_name: 'a*'}]}":         "discovery.instrument[0].k8s_pod_name is a key of Beyla that Sonde does not have: there are no Kubernetes selectors; select by executable or port",
		"{exclude_instrument: [{open_ports: 1, cmd_args: '*'}]}":      "discovery.exclude_instrument[0].cmd_args is a key of Beyla that Sonde does not have: there is no such selector; select by executable or port",
		"{exclude_instrument: [{open_ports: 1, name: a}]}":            "discovery.exclude_instrument[0] names a service, but excluded processes have no name; remove name and namespace",
		"{instrument: [{open_ports: 1}], services: [{open_port: 2}]}": "discovery.instrument[0] has globs, beside which Beyla ignores discovery.services[0] (line 1); keep one of the two",
		"{exclude_instrument: [{open_ports: 1}], exclude_services: [{open_port: 2}]}": "discovery.exclude_instrument[0] has globs, " +
			"beside which Beyla ignores discovery.exclude_services[0] (line 1); keep one of the two",
		"{instrument: [{open_ports: 1}]}\nexecutable_name: a": "discovery.instrument[0] has globs, beside which Beyla ignores executable_name (line 2); keep one of the two",
	} {
		_, err := Parse("sonde.yml", []byte("discovery: "+file))
		if err == nil || err.Error() != start+want {
			t.Errorf("%s:\ngot  %v\nwant %s", file, err, start+want)
		}
	}
}

// TestFlagsBesideInstrument: flags and variables are no matter of Beyla, and count as ever.
func TestFlagsBesideInstrument(t *testing.T) {
	want := Default()
	want.Discovery = Discovery{
		Services: []Rule{{ExecutableName: expression(t, "node"), ServiceName: "a"}, {OpenPort: ports(t, "8080")}},
		Exclude:  []Rule{{ExecutableName: expression(t, "sshd")}},
	}
	want.Prometheus.Port = 9400
	checkLoad(t, want, "--config.file="+put(t, t.TempDir(), "beyla.yml", beylaInstrument),
		"--discovery.executable-name=node", "--discovery.service-name=a", "--discovery.exclude.executable-name=sshd")
}
