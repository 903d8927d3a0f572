package config

import (
	"errors"
	"fmt"
	"maps"

	"go.yaml.in/yaml/v3"
)

// fileReader fills a draft from the nodes of a YAML file. It knows the keys and
// their types; what the values mean together is checked later.
type fileReader struct {
	name     string
	draft    *draft
	problems *problems
}

// file reads the top level.
func (f *fileReader) file(root *yaml.Node) {
	node := resolve(root)
	if isNull(&node) {
		return
	}
	if node.Kind != yaml.MappingNode {
		f.problems.wrap(inFile(f.name, node.Line, ""), errors.New("the file must consist of keys and values, such as open_port: 443"))
		return
	}
	f.warnOfVariables(&node)
	known := f.ruleKeys(&f.draft.shorthand)
	known["resource"] = f.resource
	sections := f.sections()
	maps.Copy(sections["discovery"], f.instrumentKeys())
	sections["prometheus_export"] = f.settings(f.draft.prometheus.settings())
	for name, section := range sections {
		known[name] = func(node *yaml.Node, at location) {
			if f.isMapping(node, at, exampleOf(name)) {
				f.mapping(node, at, section, f.otherSpellings(name))
			}
		}
	}
	if !f.mapping(&node, inFile(f.name, 0, ""), known, nil) {
		f.draft.shorthand.broken = true
	}
}

// sections are the mappings below the top level, but for what only Beyla says so.
func (f *fileReader) sections() map[string]keys {
	return map[string]keys{
		"discovery": {
			"services": f.ruleList(&f.draft.services),
			"exclude":  f.ruleList(&f.draft.exclude),
		},
		"routes": {
			"patterns": func(n *yaml.Node, at location) { f.draft.patterns = f.texts(n, at) },
			"ignored_patterns": func(n *yaml.Node, at location) {
				f.draft.ignoredPatterns = f.texts(n, at)
			},
			"unmatched": func(n *yaml.Node, at location) {
				if text, ok := f.text(n, at); ok {
					f.draft.unmatched = located[string]{unmatchedOf(text), at}
				}
			},
		},
		"histogram": {"buckets": f.buckets},
		"series": {
			"limit":             f.wholeNumber(&f.draft.limit),
			"limit_per_service": f.wholeNumber(&f.draft.limitPerService),
			"retention":         f.retention,
		},
		"otel_traces_export":  f.settings(f.draft.traces.settings()),
		"otel_metrics_export": f.settings(f.draft.metrics.settings()),
		"grafana":             f.settings(f.draft.grafana.settings()),
	}
}

func exampleOf(section string) string {
	return map[string]string{
		"discovery": "services: [{open_port: 443}]",
		"routes":    "unmatched: heuristic",
		"histogram": "buckets: [0.1, 1]",
		"series":    "limit: 10000",
		"grafana":   "otlp: {cloud_zone: prod-eu-west-0}",

		"otel_traces_export":  "endpoint: http://localhost:4318",
		"otel_metrics_export": "endpoint: http://localhost:4318",
		"prometheus_export":   "port: 9400",
	}[section]
}

// otherSpellings are those of Grafana Beyla.
func (f *fileReader) otherSpellings(section string) map[string]string {
	switch section {
	case "discovery":
		return map[string]string{"exclude_services": "exclude"}
	case "otel_traces_export", "otel_metrics_export":
		return exportSpellings()
	}
	return nil
}

// ruleSpellings are those of Grafana Beyla. exe_path_regexp is the name from
// its 1.0 that it still reads.
func ruleSpellings() map[string]string {
	return map[string]string{
		"open_ports":      "open_port",
		"exe_path":        "executable_name",
		"exe_path_regexp": "executable_name",
		"name":            "service_name",
		"namespace":       "service_namespace",
	}
}

func (f *fileReader) ruleList(list *[]ruleDraft) readValue {
	return func(node *yaml.Node, at location) {
		for i, item := range f.items(node, at, "rules, such as - open_port: 443") {
			r := ruleDraft{at: at.under(item.Line, fmt.Sprintf("[%d]", i))}
			if !f.isMapping(&item, r.at, "open_port: 443") ||
				!f.mapping(&item, r.at, f.ruleKeys(&r), ruleSpellings()) {
				r.broken = true
			}
			*list = append(*list, r)
		}
	}
}

// ruleKeys are the keys of a rule, which are those of the top-level shorthands
// too.
func (f *fileReader) ruleKeys(r *ruleDraft) keys {
	name := func(into *located[string]) readValue {
		return func(node *yaml.Node, at location) {
			text, ok := f.text(node, at)
			*into = located[string]{text, at}
			r.broken = r.broken || !ok
		}
	}
	return keys{
		"open_port": func(node *yaml.Node, at location) {
			ports, ok := f.ports(node, at)
			r.port = located[Ports]{ports, at}
			r.broken = r.broken || !ok
		},
		"executable_name": func(node *yaml.Node, at location) {
			expression, ok := f.expression(node, at)
			r.exe = located[Regexp]{expression, at}
			r.broken = r.broken || !ok
		},
		"service_name":      name(&r.name),
		"service_namespace": name(&r.namespace),
	}
}

// ports reads a number, a text such as "80,8000-8999", or a list of these.
func (f *fileReader) ports(node *yaml.Node, at location) (Ports, bool) {
	items := []yaml.Node{*node}
	if node.Kind != yaml.ScalarNode {
		if items = f.items(node, at, "ports, or one port, such as 443"); items == nil {
			return Ports{}, false
		}
	}
	if len(items) == 0 {
		f.problems.tell(at, "is an empty list; write a port such as 443")
		return Ports{}, false
	}
	allRight := true
	var ranges []portRange
	for _, item := range items {
		place := at.under(item.Line, "")
		if item.Kind != yaml.ScalarNode {
			f.problems.tell(place, "must be a list of ports, or one port, such as 443")
			return Ports{}, false
		}
		ports, err := ParsePorts(item.Value)
		if err != nil {
			f.problems.wrap(place, err)
			allRight = false
		}
		ranges = append(ranges, ports.ranges...)
	}
	return newPorts(ranges), allRight
}

func (f *fileReader) expression(node *yaml.Node, at location) (Regexp, bool) {
	text, ok := f.text(node, at)
	if !ok {
		return Regexp{}, false
	}
	expression, err := ParseRegexp(text)
	if err != nil {
		f.problems.wrap(at, err)
		return Regexp{}, false
	}
	return expression, true
}

func (f *fileReader) buckets(node *yaml.Node, at location) {
	items := f.items(node, at, "numbers, such as [0.1, 0.5, 1]")
	if items == nil {
		return
	}
	bounds := make([]float64, 0, len(items))
	for _, item := range items {
		if item.Kind != yaml.ScalarNode {
			f.problems.tell(at, "must be a list of numbers, such as [0.1, 0.5, 1]")
			return
		}
		seconds, err := bound(item.Value)
		if err != nil {
			f.problems.wrap(at, err)
			return
		}
		bounds = append(bounds, seconds)
	}
	f.draft.buckets = located[[]float64]{bounds, at}
}

func (f *fileReader) wholeNumber(into *located[int]) readValue {
	return func(node *yaml.Node, at location) {
		if node.ShortTag() != "!!int" {
			f.problems.tell(at, "must be a whole number, such as 10000")
			return
		}
		number, err := wholeNumber(node.Value)
		if err != nil {
			f.problems.wrap(at, err)
			return
		}
		*into = located[int]{number, at}
	}
}

func (f *fileReader) retention(node *yaml.Node, at location) {
	if node.Kind != yaml.ScalarNode {
		f.problems.tell(at, "must be a duration, such as 5m")
		return
	}
	d, err := duration(node.Value)
	if err != nil {
		f.problems.wrap(at, err)
		return
	}
	f.draft.retention.value, f.draft.retention.at = d, at
}
