package config

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// maxItems bounds each list, because rules and patterns are compared with one
// another.
const maxItems = 1000

// readValue takes over the value of one key. Aliases are resolved and empty
// values left out before it is called.
type readValue func(node *yaml.Node, at location)

// keys are the keys that a mapping may have.
type keys map[string]readValue

// mapping reads each known key and reports keys that are unknown, repeated, or
// said twice in different spellings. It tells whether the keys were all right.
// other maps the other spellings of keys to their names here.
func (f *fileReader) mapping(node *yaml.Node, at location, known keys, other map[string]string) bool {
	allRight := true
	seen := map[string]*yaml.Node{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := resolve(node.Content[i]), resolve(node.Content[i+1])
		name := key.Value
		if canonical, ok := other[name]; ok {
			name = canonical
		}
		read, ok := known[name]
		switch earlier := seen[name]; {
		case key.Kind == yaml.ScalarNode && !ok && isBeyla(key.Value, at):
			allRight = f.beyla(&key, &value, at) && allRight
		case key.Kind != yaml.ScalarNode || !ok:
			f.unknown(&key, at, known, other)
			allRight = false
		case earlier != nil:
			f.repeated(&key, at, earlier)
			allRight = false
		default:
			seen[name] = &key
			if !isNull(&value) {
				read(&value, at.under(key.Line, dotted(at, key.Value)))
			}
		}
	}
	return allRight
}

func dotted(at location, key string) string {
	if at.key == "" {
		return key
	}
	return "." + key
}

// unknown reports a key that does not exist, with the key that was meant.
func (f *fileReader) unknown(key *yaml.Node, at location, known keys, other map[string]string) {
	place := inFile(f.name, key.Line, "")
	if key.Kind != yaml.ScalarNode {
		f.problems.wrap(place, errors.New("a key must be a plain word"))
		return
	}
	if key.Value == "<<" {
		f.problems.wrap(place, errors.New(`merging with "<<" is not supported; write the keys out`))
		return
	}
	within := ""
	if at.key != "" {
		within = " in " + at.key
	}
	advice := "remove it"
	names := slices.Sorted(maps.Keys(known))
	if meant := nearest(key.Value, slices.Concat(names, slices.Collect(maps.Keys(other)))); meant != "" {
		advice = fmt.Sprintf("did you mean %q?", meant)
	} else if section := f.sectionOf(key.Value); section != "" {
		advice = fmt.Sprintf("it belongs in %s", section)
	} else if len(names) > 0 {
		advice = "known keys are " + strings.Join(names, ", ")
	}
	f.problems.wrap(place, fmt.Errorf("unknown key %s%s; %s", quote(key.Value), within, advice))
}

// sectionOf names the top-level section that knows the key.
func (f *fileReader) sectionOf(key string) string {
	sections := f.sections()
	for _, section := range slices.Sorted(maps.Keys(sections)) {
		if _, ok := sections[section][key]; ok {
			return section
		}
	}
	return ""
}

func (f *fileReader) repeated(key *yaml.Node, at location, earlier *yaml.Node) {
	place := at.under(key.Line, dotted(at, key.Value))
	if key.Value == earlier.Value {
		f.problems.tell(place, "is set already in line %d; keep one of the two", earlier.Line)
		return
	}
	f.problems.tell(place, "means the same as %s in line %d; keep one of the two", earlier.Value, earlier.Line)
}

// resolve follows an alias (*name) to the node that it stands for. The copy
// keeps the line of the alias.
func resolve(node *yaml.Node) yaml.Node {
	resolved := *node
	if node.Kind == yaml.AliasNode && node.Alias != nil {
		resolved = *node.Alias
		resolved.Line = node.Line
	}
	return resolved
}

func isNull(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null"
}

// isMapping reports a value that is not a mapping.
func (f *fileReader) isMapping(node *yaml.Node, at location, example string) bool {
	if node.Kind != yaml.MappingNode {
		f.problems.tell(at, "must be a mapping, such as %s", example)
		return false
	}
	return true
}

// items returns the items of a list, or reports that it is none.
func (f *fileReader) items(node *yaml.Node, at location, of string) []yaml.Node {
	if node.Kind != yaml.SequenceNode {
		f.problems.tell(at, "must be a list of %s", of)
		return nil
	}
	if len(node.Content) > maxItems {
		f.problems.tell(at, "has %d items; at most %d are allowed", len(node.Content), maxItems)
		return nil
	}
	items := make([]yaml.Node, len(node.Content))
	for i, item := range node.Content {
		items[i] = resolve(item)
	}
	return items
}

// text returns a string, or reports that the value is none.
func (f *fileReader) text(node *yaml.Node, at location) (string, bool) {
	if node.Kind == yaml.ScalarNode && node.ShortTag() == "!!str" {
		return node.Value, true
	}
	advice := ""
	if node.Kind == yaml.ScalarNode && node.Value != "" {
		advice = fmt.Sprintf("; write '%s' in quotes", shorten(node.Value))
	}
	f.problems.tell(at, "must be a string%s", advice)
	return "", false
}

// texts returns a list of strings, each with its place.
func (f *fileReader) texts(node *yaml.Node, at location) []located[string] {
	items := f.items(node, at, "strings")
	texts := make([]located[string], 0, len(items))
	for i := range items {
		if items[i].Kind != yaml.ScalarNode {
			f.problems.tell(at, "must be a list of strings")
			return nil
		}
		place := at.under(items[i].Line, fmt.Sprintf("[%d]", i))
		if text, ok := f.text(&items[i], place); ok {
			texts = append(texts, located[string]{text, place})
		}
	}
	return texts
}

// wholeNumber reads a number without fraction.
func wholeNumber(text string) (int, error) {
	number, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		return 0, fmt.Errorf("%s is not a whole number; write one such as 10000", quote(text))
	}
	return number, nil
}

// duration reads a time such as 90s, 5m or 1h30m.
func duration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(strings.TrimSpace(text))
	if err != nil {
		return 0, fmt.Errorf("%s is not a duration; write a number and a unit such as 90s, 5m or 1h30m", quote(text))
	}
	return d, nil
}

// bound reads one bucket's upper bound in seconds.
func bound(text string) (float64, error) {
	text = strings.TrimSpace(text)
	// YAML, Go and Prometheus write infinity differently.
	if strings.EqualFold(strings.Trim(text, "+."), "inf") {
		return 0, errors.New("the +Inf bucket is always there; leave it out")
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(seconds) || math.IsInf(seconds, 0) {
		return 0, fmt.Errorf("%s is not a number of seconds; write one such as 0.25", quote(text))
	}
	return seconds, nil
}
