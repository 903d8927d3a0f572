package discovery

import (
	"fmt"
	"slices"
	"strings"

	"sonde_exporter/config"
	"sonde_exporter/discovery/inspect"
)

// verdict is what the configuration says of a process.
type verdict struct {
	selected bool
	reason   string
	rule     *config.Rule // that selected it; nil if none was needed
}

// judge applies the rules to a process: exclude rules first, then the first
// service rule that matches. Without service rules every process is a service.
func judge(rules config.Discovery, executable string, ports []uint16) verdict {
	for i := range rules.Exclude {
		if matches(&rules.Exclude[i], executable, ports) {
			return verdict{reason: fmt.Sprintf("excluded by rule %d of discovery.exclude", i+1)}
		}
	}
	if len(rules.Services) == 0 {
		return verdict{selected: true, reason: "every process that listens is a service"}
	}
	for i := range rules.Services {
		if rule := &rules.Services[i]; matches(rule, executable, ports) {
			return verdict{selected: true, reason: fmt.Sprintf("selected by rule %d of discovery.services", i+1), rule: rule}
		}
	}
	return verdict{reason: "no rule of discovery.services matches"}
}

func matches(rule *config.Rule, executable string, ports []uint16) bool {
	if !rule.OpenPort.IsZero() && !slices.ContainsFunc(ports, rule.OpenPort.Contains) {
		return false
	}
	return rule.ExecutableName.MatchString(executable)
}

// maxExplained bounds the rules that an explanation goes through.
const maxExplained = 10

// explain says of each rule up to the one that decided why it does not match.
func explain(rules config.Discovery, executable string, ports []uint16) string {
	var misses []string
	pass := func(list string, all []config.Rule) (decided bool) {
		for i := range all {
			miss := missOf(&all[i], executable, ports)
			if miss == "" {
				return true
			}
			misses = append(misses, fmt.Sprintf("rule %d of discovery.%s: %s", i+1, list, miss))
		}
		return false
	}
	if !pass("exclude", rules.Exclude) {
		pass("services", rules.Services)
	}
	if more := len(misses) - maxExplained; more > 0 {
		misses = append(misses[:maxExplained], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(misses, "; ")
}

// missOf says why a rule does not match, "" if it does.
func missOf(rule *config.Rule, executable string, ports []uint16) string {
	switch {
	case matches(rule, executable, ports):
		return ""
	case !rule.OpenPort.IsZero() && !slices.ContainsFunc(ports, rule.OpenPort.Contains):
		return fmt.Sprintf("none of its ports (%s) is open", rule.OpenPort)
	}
	return fmt.Sprintf("its executable_name (%s) is another one", rule.ExecutableName)
}

// identify names the service: the rule's name first, then what the process says.
func identify(process inspect.Process, rule *config.Rule) inspect.Identity {
	identity := process.Identity()
	if rule == nil {
		return identity
	}
	if rule.ServiceName != "" {
		identity.Name = inspect.Sanitize(rule.ServiceName)
		identity.Source = inspect.SourceRule
	}
	if rule.ServiceNamespace != "" {
		identity.Namespace = inspect.Sanitize(rule.ServiceNamespace)
	}
	return identity
}
