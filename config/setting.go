package config

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// setting is a key of a section that flags and variables set as text, too.
type setting struct {
	name  string // as in the file, dotted below the section
	value setter
	// instead is the key that says the same in another way, such as
	// password_file beside password; nil if there is none.
	instead setter
}

// setter takes the text of a flag, of a variable or of a plain value in the
// file.
type setter interface {
	set(text string, at location) error
	place() location
	clear()
}

// nodeSetter takes lists and mappings of the file besides.
type nodeSetter interface {
	setter
	setNode(f *fileReader, node *yaml.Node, at location)
}

// put sets the value, unless another key has said the same already.
func (s setting) put(text string, at location, p *problems) {
	if !s.claim(at, p) {
		return
	}
	if err := s.value.set(text, at); err != nil {
		p.wrap(at, err)
	}
}

// claim makes way for a value: what flags and variables say replaces what the
// file says. It reports two keys of one rank that say the same.
func (s setting) claim(at location, p *problems) bool {
	if earlier := s.value.place(); earlier.isInFile() && at.isInFile() {
		p.tell(at, "means the same as %s; keep one of the two", earlier.mention())
		return false
	}
	if s.instead == nil || !s.instead.place().isSet() {
		return true
	}
	if other := s.instead.place(); at.isInFile() || !other.isInFile() {
		p.tell(at, "and %s are both set; remove one of the two", other.mention())
		return false
	}
	s.instead.clear()
	return true
}

// isSetAbove tells that the value was said by something that outranks the file.
func (s setting) isSetAbove() bool {
	outranks := func(at location) bool { return at.isSet() && !at.isInFile() }
	return outranks(s.value.place()) || s.instead != nil && outranks(s.instead.place())
}

// isSet tells that the value was said at all.
func (s setting) isSet() bool {
	return s.value.place().isSet() || s.instead != nil && s.instead.place().isSet()
}

// field is the setter of one value of a draft.
type field[T any] struct {
	value *located[T]
	parse func(text string) (T, error)
}

func (f field[T]) set(text string, at location) error {
	value, err := f.parse(text)
	if err == nil {
		*f.value = located[T]{value, at}
	}
	return err
}

func (f field[T]) place() location { return f.value.at }
func (f field[T]) clear()          { *f.value = located[T]{} }

func word(value *located[string]) setter {
	return field[string]{value, func(text string) (string, error) { return strings.TrimSpace(text), nil }}
}

// pathField is the name of a file; in the file it is relative to the file.
type pathField struct{ field[string] }

func path(value *located[string]) setter {
	return pathField{field[string]{value: value}}
}

func (f pathField) set(text string, at location) error {
	*f.value = located[string]{text, at}
	if at.isInFile() {
		f.value.value = beside(at.file(), text)
	}
	return nil
}

// secretField is set even if it is wrong, so that it does not also count as
// missing.
type secretField struct{ field[string] }

func secret(value *located[string]) setter { return secretField{field[string]{value: value}} }

func (f secretField) set(text string, at location) error {
	*f.value = located[string]{text, at}
	if err := checkSecret(text); err != nil {
		return fmt.Errorf("the secret %w", err)
	}
	return nil
}

func number(value *located[int]) setter { return field[int]{value, wholeNumber} }

func onOff(value *located[bool]) setter { return field[bool]{value, boolean} }

func boolean(text string) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, fmt.Errorf("%s is neither true nor false", quote(text))
}

// wordsField is a list: with commas as text, or a list in the file.
type wordsField struct{ field[[]string] }

func words(value *located[[]string]) setter {
	return wordsField{field[[]string]{value, func(text string) ([]string, error) {
		var list []string
		for item := range strings.SplitSeq(text, ",") {
			if item = strings.TrimSpace(item); item != "" {
				list = append(list, item)
			}
		}
		return list, nil
	}}}
}

func (w wordsField) setNode(f *fileReader, node *yaml.Node, at location) {
	if node.Kind != yaml.SequenceNode {
		f.problems.tell(at, "must be a list of strings")
		return
	}
	*w.value = located[[]string]{values(f.texts(node, at)), at}
}

// headersField is "name=value,name=value" as text, or a mapping in the file.
type headersField struct{ field[Headers] }

func headers(value *located[Headers]) setter {
	return headersField{field[Headers]{value, headerList}}
}

func (h headersField) setNode(f *fileReader, node *yaml.Node, at location) {
	if !f.isMapping(node, at, "X-Scope-OrgID: tenant") {
		return
	}
	all := Headers{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := resolve(node.Content[i]), resolve(node.Content[i+1])
		place := at.under(name.Line, "")
		if name.Kind != yaml.ScalarNode || value.Kind != yaml.ScalarNode {
			f.problems.tell(place, "must be a mapping of names to values, such as X-Scope-OrgID: tenant")
			return
		}
		if err := all.add(name.Value, value.Value); err != nil {
			f.problems.wrap(place, err)
			return
		}
	}
	*h.value = located[Headers]{all, at}
}

// settings makes the keys of a section. A dot in a name opens a mapping.
func (f *fileReader) settings(list []setting) keys {
	all := keys{}
	below := map[string][]setting{}
	for _, s := range list {
		outer, inner, isBelow := strings.Cut(s.name, ".")
		if isBelow {
			below[outer] = append(below[outer], setting{inner, s.value, s.instead})
			continue
		}
		all[outer] = func(node *yaml.Node, at location) { f.setting(s, node, at) }
	}
	for name, inner := range below {
		all[name] = func(node *yaml.Node, at location) {
			if f.isMapping(node, at, inner[0].name+": …") {
				f.mapping(node, at, f.settings(inner), nil)
			}
		}
	}
	return all
}

// setting reads the value of one key. Any plain value serves as text: Beyla's
// documentation writes numbers where it wants strings.
func (f *fileReader) setting(s setting, node *yaml.Node, at location) {
	if node.Kind == yaml.ScalarNode {
		if node.Value != "" || node.ShortTag() != "!!str" {
			s.put(node.Value, at, f.problems)
		}
		return
	}
	nested, takesNodes := s.value.(nodeSetter)
	switch {
	case !takesNodes:
		f.problems.tell(at, "must be a single value")
	case s.claim(at, f.problems):
		nested.setNode(f, node, at)
	}
}
