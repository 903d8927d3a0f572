package discovery

import (
	"testing"

	"sonde_exporter/config"
	"sonde_exporter/discovery/inspect"
)

// rulesOf reads the section "discovery" of a configuration file.
func rulesOf(t *testing.T, yaml string) config.Discovery {
	t.Helper()
	cfg, err := config.Parse("sonde.yml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	return cfg.Discovery
}

func TestJudge(t *testing.T) {
	const nginx, python = "/usr/sbin/nginx", "/usr/bin/python3.11"
	cases := []struct {
		name, rules string
		executable  string
		ports       []uint16
		selected    bool
		rule        string // service_name of the rule that selected it
	}{
		{"no rules", "", nginx, []uint16{80}, true, ""},
		{"no rules, nothing known of the process", "", "", nil, true, ""},
		{
			"a port", "discovery: {services: [{open_port: 80, service_name: web}]}",
			nginx, []uint16{80}, true, "web",
		},
		{
			"one of its ports in a range", "discovery: {services: [{open_port: '8000-8999', service_name: web}]}",
			nginx, []uint16{80, 8080}, true, "web",
		},
		{
			"no such port", "discovery: {services: [{open_port: '81,8000-8999', service_name: web}]}",
			nginx, []uint16{80, 9000}, false, "",
		},
		{
			"no port known yet", "discovery: {services: [{open_port: 80, service_name: web}]}",
			nginx, nil, false, "",
		},
		{
			"an executable", "discovery: {services: [{executable_name: nginx, service_name: web}]}",
			nginx, []uint16{80}, true, "web",
		},
		{
			"another executable", "discovery: {services: [{executable_name: nginx, service_name: web}]}",
			python, []uint16{80}, false, "",
		},
		{
			"port and executable must both match", "discovery: {services: [{open_port: 80, executable_name: nginx, service_name: web}]}",
			python, []uint16{80}, false, "",
		},
		{
			"the first rule that matches", "discovery: {services: [{open_port: 81, service_name: a}, {open_port: '1-100', service_name: b}, {executable_name: nginx, service_name: c}]}",
			nginx, []uint16{80}, true, "b",
		},
		{
			"excluded", "discovery: {exclude: [{open_port: 80}]}",
			nginx, []uint16{80}, false, "",
		},
		{
			"one of its ports is excluded", "discovery: {exclude: [{open_port: 22}]}",
			nginx, []uint16{22, 80}, false, "",
		},
		{
			"others are excluded", "discovery: {exclude: [{executable_name: python}]}",
			nginx, []uint16{80}, true, "",
		},
		{
			"exclusion wins", "discovery: {services: [{open_port: '1-100', service_name: web}], exclude: [{executable_name: nginx}]}",
			nginx, []uint16{80}, false, "",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := judge(rulesOf(t, c.rules), c.executable, c.ports)
			if got.selected != c.selected || got.reason == "" {
				t.Errorf("selected: %t, because %q; want %t and a reason", got.selected, got.reason, c.selected)
			}
			switch {
			case c.rule == "" && got.rule != nil:
				t.Errorf("rule %+v, want none", got.rule)
			case c.rule != "" && (got.rule == nil || got.rule.ServiceName != c.rule):
				t.Errorf("rule %+v, want the one named %q", got.rule, c.rule)
			}
		})
	}
}

func TestIdentify(t *testing.T) {
	process := inspect.Process{
		PID: 42, Executable: "/usr/sbin/nginx",
		Env: map[string]string{"OTEL_RESOURCE_ATTRIBUTES": "service.namespace=shop"},
	}
	cases := []struct {
		name string
		rule *config.Rule
		want inspect.Identity
	}{
		{"no rule", nil, inspect.Identity{Name: "nginx", Namespace: "shop", Source: inspect.SourceExecutable}},
		{"a rule without a name", &config.Rule{}, inspect.Identity{Name: "nginx", Namespace: "shop", Source: inspect.SourceExecutable}},
		{"a name", &config.Rule{ServiceName: "front"}, inspect.Identity{Name: "front", Namespace: "shop", Source: inspect.SourceRule}},
		{"a namespace", &config.Rule{ServiceNamespace: "eu"}, inspect.Identity{Name: "nginx", Namespace: "eu", Source: inspect.SourceExecutable}},
		{"both", &config.Rule{ServiceName: "front", ServiceNamespace: "eu"}, inspect.Identity{Name: "front", Namespace: "eu", Source: inspect.SourceRule}},
	}
	for _, c := range cases {
		if got := identify(process, c.rule); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestAddPort(t *testing.T) {
	var instance Instance
	for _, port := range []uint16{443, 80, 443, 0, 8080} {
		shared := instance // a copy that a caller may hold
		before := len(shared.Ports)
		instance.addPort(port)
		if len(shared.Ports) != before {
			t.Error("addPort changed a copy")
		}
	}
	if want := []uint16{80, 443, 8080}; !equalPorts(instance.Ports, want) {
		t.Errorf("ports %v, want %v", instance.Ports, want)
	}
}
