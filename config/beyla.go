package config

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"sonde_exporter/routes"
)

// beylaKey is a key of Grafana Beyla that Sonde does not have.
type beylaKey struct {
	// advice ends the sentence "KEY …": the way of Sonde, or that there is none.
	advice string
	// isHarmless tells that the same is measured and exported without the key.
	// All others are errors, lest the wrong thing is measured silently.
	isHarmless bool
	// same are values that ask for nothing but what Sonde does anyway.
	same []string
}

// isBeyla tells that Beyla has this key.
func isBeyla(name string, at location) bool {
	_, ok := findBeyla(name, at)
	return ok
}

// findBeyla looks a key up, by itself or as any key of its section.
func findBeyla(name string, at location) (beylaKey, bool) {
	all := beylaKeys()
	section := withoutIndex(at.key)
	if known, ok := all[strings.TrimPrefix(section+"."+name, ".")]; ok {
		return known, true
	}
	known, ok := all[section+".*"]
	return known, ok
}

// beyla reports a key of Beyla and tells whether it may stay.
func (f *fileReader) beyla(key, value *yaml.Node, at location) bool {
	place := at.under(key.Line, dotted(at, key.Value))
	known, _ := findBeyla(key.Value, at)
	switch {
	case isNull(value) || len(known.same) > 0 && onlyHas(value, known.same):
		return true
	case known.advice == "":
		// Of a section that is not there, each key is reported.
		return f.isMapping(value, place, "keys with values") && f.mapping(value, place, keys{}, nil)
	case known.isHarmless:
		f.problems.warn(place, "is a key of Beyla that has no effect here: %s", known.advice)
		return true
	}
	f.problems.tell(place, "is a key of Beyla that Sonde does not have: %s", known.advice)
	return false
}

// warnOfVariables tells of values that Beyla would replace by a variable of the
// environment. The value is not repeated: it may be a part of a secret.
func (f *fileReader) warnOfVariables(root *yaml.Node) {
	variable := regexp.MustCompile(`\$\{[A-Za-z_]\w*(:-[^}]*)?\}`)
	var walk func(node *yaml.Node)
	walk = func(node *yaml.Node) {
		if node.Kind == yaml.ScalarNode && variable.MatchString(node.Value) {
			f.problems.warn(inFile(f.name, node.Line, ""), "has a variable of the form ${NAME}, which Beyla would replace; Sonde takes the text as it is")
		}
		for _, inner := range node.Content {
			walk(inner)
		}
	}
	walk(root)
}

// unmatchedOf takes the word of Beyla 3 for what the heuristic of Sonde does anyway.
func unmatchedOf(text string) string {
	if text == "low-cardinality" {
		return routes.UnmatchedHeuristic
	}
	return text
}

// withoutIndex turns discovery.services[0].k8s_namespace into
// discovery.services.k8s_namespace.
func withoutIndex(key string) string {
	before, after, found := strings.Cut(key, "[")
	if !found {
		return key
	}
	_, after, _ = strings.Cut(after, "]")
	return before + withoutIndex(after)
}

// onlyHas tells that a value, or each item of a list, is one of some words.
func onlyHas(value *yaml.Node, allowed []string) bool {
	items := []*yaml.Node{value}
	if value.Kind == yaml.SequenceNode {
		items = value.Content
	}
	for _, item := range items {
		for word := range strings.SplitSeq(item.Value, ",") {
			if item.Kind != yaml.ScalarNode || !slices.Contains(allowed, strings.TrimSpace(word)) {
				return false
			}
		}
	}
	return true
}
