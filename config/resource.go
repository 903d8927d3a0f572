package config

import (
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// resource reads the mapping of attributes that every resource gets.
func (f *fileReader) resource(node *yaml.Node, at location) {
	if !f.isMapping(node, at, "deployment.environment.name: production") {
		return
	}
	if count := len(node.Content) / 2; count > maxPairs {
		f.problems.tell(at, "has %d attributes; at most %d are allowed", count, maxPairs)
		return
	}
	attributes := map[string]located[string]{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := resolve(node.Content[i]), resolve(node.Content[i+1])
		place := at.under(name.Line, "")
		if name.Kind != yaml.ScalarNode || value.Kind != yaml.ScalarNode {
			f.problems.tell(place, "must be a mapping of names to values, such as deployment.environment.name: production")
			return
		}
		if _, ok := attributes[name.Value]; ok {
			f.problems.tell(place, "has %s twice; remove one of the two", quote(name.Value))
			continue
		}
		attributes[name.Value] = located[string]{value.Value, place}
	}
	f.draft.resource = attributes
}

// overlayResource adds what OTEL_RESOURCE_ATTRIBUTES says and the file does
// not: it is a variable for all signals.
func (d *draft) overlayResource(p *problems) {
	text := variable("OTEL_RESOURCE_ATTRIBUTES")
	if !text.isSet() {
		return
	}
	pairs, err := pairList(text.value)
	if err != nil {
		p.wrap(text.at, err)
		return
	}
	if d.resource == nil {
		d.resource = map[string]located[string]{}
	}
	for _, pair := range pairs {
		if known, ok := d.resource[pair.name]; !ok || !known.at.isInFile() {
			d.resource[pair.name] = located[string]{pair.value, text.at}
		}
	}
}

// attributes checks the attributes and returns them, nil if there are none.
func (d *draft) attributes(p *problems) map[string]string {
	var all map[string]string
	for name, attribute := range d.resource {
		if err := checkAttribute(name, attribute.value); err != nil {
			p.wrap(attribute.at, err)
			continue
		}
		if all == nil {
			all = map[string]string{}
		}
		all[name] = attribute.value
	}
	return all
}

func checkAttribute(name, value string) error {
	if name == "" {
		return errors.New("an attribute has no name; write name: value")
	}
	if err := checkText(name); err != nil {
		return fmt.Errorf("attribute %s %w", quote(name), err)
	}
	if err := checkText(value); err != nil {
		return fmt.Errorf("the value of attribute %s %w", quote(name), err)
	}
	return nil
}
