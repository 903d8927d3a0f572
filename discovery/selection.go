package discovery

import (
	"slices"

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
			return verdict{reason: "excluded by discovery.exclude"}
		}
	}
	if len(rules.Services) == 0 {
		return verdict{selected: true, reason: "every process that listens is a service"}
	}
	for i := range rules.Services {
		if rule := &rules.Services[i]; matches(rule, executable, ports) {
			return verdict{selected: true, reason: "selected by a rule", rule: rule}
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
