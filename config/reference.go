package config

import (
	"maps"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Key is one key of the file with everything else that sets it, as
// docs/configuration.md lists it.
type Key struct {
	Section   string // empty at the top level
	Name      string // below the section, with dots
	Type      string
	Default   string   // as in YAML; empty if there is none
	Flag      string   // without dashes; empty if there is none
	Help      string   // of keys without flag; the flag has that of the others
	Variables []string // in order of precedence; those after Own rank below the file
	Own       int      // how many variables outrank the file
	Beyla     []string // other spellings, those of Grafana Beyla
}

// Reference lists all keys in the order in which a reader wants to meet them.
func Reference() []Key {
	all := ruleReference()
	for _, section := range []string{tracesSignal().section, metricsSignal().section, "grafana"} {
		all = append(all, exportReference(section)...)
	}
	all = append(all, Key{
		Name: "resource", Type: "mapping of strings", Variables: []string{"OTEL_RESOURCE_ATTRIBUTES"},
		Help: "Attributes that every exported resource gets, such as `deployment.environment.name: production`.",
	})
	defaults := defaultTexts()
	for i, key := range all {
		all[i].Default = defaults[strings.TrimPrefix(key.Section+"."+key.Name, ".")]
		if key.Flag != "" {
			all[i].Variables = slices.Insert(key.Variables, 0, EnvName(key.Flag))
			all[i].Own++
		}
	}
	return all
}

// ruleReference are the keys that say what is measured and how.
func ruleReference() []Key {
	const ports, rules, patterns = "port, range or list", "list of rules", "list of patterns"
	return []Key{
		{Name: "open_port", Type: ports, Flag: "discovery.open-port", Variables: []string{"SONDE_OPEN_PORT"}, Own: 1},
		{Name: "executable_name", Type: "regular expression", Flag: "discovery.executable-name", Variables: []string{"SONDE_EXECUTABLE_NAME"}, Own: 1},
		{Name: "service_name", Type: "string", Flag: "discovery.service-name", Variables: []string{"SONDE_SERVICE_NAME"}, Own: 1},
		{Name: "service_namespace", Type: "string", Flag: "discovery.service-namespace", Variables: []string{"SONDE_SERVICE_NAMESPACE"}, Own: 1},
		{Section: "discovery", Name: "services", Type: rules, Help: "Which processes are measured, and under which name: the first rule that matches decides. Without any rule, every process that listens is measured.", Beyla: []string{"instrument"}},
		{Section: "discovery", Name: "services[].open_port", Type: ports, Help: "A process that listens on one of these ports matches.", Beyla: spellingsOf("open_port", ruleSpellings())},
		{Section: "discovery", Name: "services[].executable_name", Type: "regular expression", Help: "A process whose executable path matches; with ports, both must match.", Beyla: spellingsOf("executable_name", ruleSpellings())},
		{Section: "discovery", Name: "services[].service_name", Type: "string", Help: "The service name of what the rule selects; Sonde finds one if it is not set.", Beyla: spellingsOf("service_name", ruleSpellings())},
		{Section: "discovery", Name: "services[].service_namespace", Type: "string", Help: "The service namespace of what the rule selects.", Beyla: spellingsOf("service_namespace", ruleSpellings())},
		{Section: "discovery", Name: "exclude", Type: rules, Help: "Which processes are never measured, whatever `services` says. Flags and variables add one rule.", Beyla: []string{"exclude_services", "exclude_instrument"}},
		{Section: "discovery", Name: "exclude[].open_port", Type: ports, Flag: "discovery.exclude.open-port", Beyla: spellingsOf("open_port", ruleSpellings())},
		{Section: "discovery", Name: "exclude[].executable_name", Type: "regular expression", Flag: "discovery.exclude.executable-name", Beyla: spellingsOf("executable_name", ruleSpellings())},
		{Section: "routes", Name: "patterns", Type: patterns, Flag: "routes.pattern"},
		{Section: "routes", Name: "ignored_patterns", Type: patterns, Flag: "routes.ignored-pattern"},
		{Section: "routes", Name: "unmatched", Type: "word", Flag: "routes.unmatched"},
		{Section: "histogram", Name: "buckets", Type: "list of seconds", Flag: "histogram.buckets"},
		{Section: "series", Name: "limit", Type: "whole number", Flag: "series.limit"},
		{Section: "series", Name: "limit_per_service", Type: "whole number", Flag: "series.limit-per-service"},
		{Section: "series", Name: "retention", Type: "duration", Flag: "series.retention"},
	}
}

// exportReference are the keys of a section that has settings.
func exportReference(section string) []Key {
	flags := map[string]exportFlag{}
	for _, flag := range exportFlags() {
		if flag.section == section {
			flags[flag.key] = flag
		}
	}
	var all []Key
	for _, s := range newDraft().settingsOf(section) {
		flag, isKey := flags[s.name]
		if !isKey {
			continue // another spelling, that of Beyla
		}
		key := Key{Section: section, Name: s.name, Type: typeOf(s.value), Flag: flag.name(), Beyla: spellingsOf(s.name, exportSpellings())}
		if s.name == "tls.insecure_skip_verify" {
			key.Beyla = []string{"insecure_skip_verify"}
		}
		if flag.isSecret {
			key.Flag, key.Help, key.Variables, key.Own = "", flag.help, []string{EnvName(flag.name())}, 1
		}
		if flag.shortEnv != "" {
			key.Variables, key.Own = append(key.Variables, flag.shortEnv), key.Own+1
		}
		key.addStandard()
		all = append(all, key)
	}
	return all
}

// addStandard adds the variables of the OpenTelemetry specification.
func (k *Key) addStandard() {
	for _, s := range []signal{tracesSignal(), metricsSignal()} {
		if s.section != k.Section {
			continue
		}
		if name, ok := otherVariables(s)[k.Name]; ok {
			k.Variables, k.Own = append(k.Variables, name), k.Own+1
		}
		ending, ok := exporterVariables()[k.Name]
		if k.Name == "endpoint" {
			ending, ok = "ENDPOINT", true
		}
		if ok {
			k.Variables = append(k.Variables, "OTEL_EXPORTER_OTLP_"+strings.ToUpper(s.name)+"_"+ending, "OTEL_EXPORTER_OTLP_"+ending)
			k.Own++
		}
	}
}

func typeOf(value setter) string {
	switch value.(type) {
	case pathField:
		return "file name"
	case secretField:
		return "secret"
	case wordsField:
		return "list of strings"
	case headersField:
		return "mapping of secrets"
	case field[int]:
		return "whole number"
	case field[bool]:
		return "true or false"
	case field[time.Duration]:
		return "duration"
	}
	return "string"
}

func spellingsOf(name string, spellings map[string]string) []string {
	var all []string
	for _, other := range slices.Sorted(maps.Keys(spellings)) {
		if spellings[other] == name {
			all = append(all, other)
		}
	}
	return all
}

// defaultTexts are the defaults as YAML by their keys. What is empty is left out.
func defaultTexts() map[string]string {
	texts := map[string]string{}
	var node yaml.Node
	if err := node.Encode(Default()); err != nil {
		return texts // the default can be printed: a test prints it
	}
	addTexts(texts, "", &node)
	return texts
}

func addTexts(texts map[string]string, key string, node *yaml.Node) {
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			addTexts(texts, strings.TrimPrefix(key+"."+node.Content[i].Value, "."), node.Content[i+1])
		}
	case yaml.SequenceNode:
		var items []string
		for _, item := range node.Content {
			items = append(items, item.Value)
		}
		if items != nil {
			texts[key] = "[" + strings.Join(items, ", ") + "]"
		}
	case yaml.ScalarNode:
		if node.Value != "" {
			texts[key] = strings.Replace(node.Value, "m0s", "m", 1) // 5m0s
		}
	}
}

// ForeignKey is a key of Beyla that Sonde does not have.
type ForeignKey struct {
	Name, Advice string
	IsHarmless   bool     // a warning, and no error
	Same         []string // values that ask for nothing but what Sonde does anyway
}

// ForeignKeys lists the keys of Beyla that Sonde does not have, by name. Those of a
// rule are listed once, for discovery.services.
func ForeignKeys() []ForeignKey {
	var all []ForeignKey
	known := beylaKeys()
	for _, name := range slices.Sorted(maps.Keys(known)) {
		isOther := slices.ContainsFunc(
			[]string{"discovery.exclude.", "discovery.exclude_services.", "discovery.instrument.", "discovery.exclude_instrument."},
			func(list string) bool { return strings.HasPrefix(name, list) })
		if key := known[name]; key.advice != "" && !isOther {
			all = append(all, ForeignKey{name, key.advice, key.isHarmless, key.same})
		}
	}
	return all
}
