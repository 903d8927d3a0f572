package config

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
)

// instrumentKeys are the lists of Beyla 2 and later in which executables are
// matched by globs. Sonde says the same in services and exclude.
func (f *fileReader) instrumentKeys() keys {
	return keys{
		"instrument":         f.globList(&f.draft.instrument),
		"exclude_instrument": f.globList(&f.draft.excludeInstrument),
	}
}

func (f *fileReader) globList(list *[]ruleDraft) readValue {
	return func(node *yaml.Node, at location) {
		for i, item := range f.items(node, at, "rules, such as - open_ports: 443") {
			r := ruleDraft{at: at.under(item.Line, fmt.Sprintf("[%d]", i)), isGlob: true}
			if !f.isMapping(&item, r.at, "open_ports: 443") || !f.mapping(&item, r.at, f.globKeys(&r), nil) {
				r.broken = true
			}
			*list = append(*list, r)
		}
	}
}

// globKeys are the keys of a rule of these lists, which Beyla has in no other
// spelling.
func (f *fileReader) globKeys(r *ruleDraft) keys {
	same := f.ruleKeys(r)
	return keys{
		"open_ports": same["open_port"],
		"name":       same["service_name"],
		"namespace":  same["service_namespace"],
		"exe_path": func(node *yaml.Node, at location) {
			text, ok := f.text(node, at)
			if !ok || text == "" { // Beyla takes an empty glob for none
				r.broken = r.broken || !ok
				return
			}
			expression, err := ParseGlob(text)
			if err != nil {
				f.problems.wrap(at, err)
				r.broken = true
			}
			r.exe = located[Regexp]{expression, at}
		},
		"executable_name": func(_ *yaml.Node, at location) {
			f.problems.tell(at, "is a regular expression, but this list takes globs; write exe_path, or use discovery.services and discovery.exclude")
			r.broken = true
		},
	}
}

// takeInstrument puts the rules of Beyla's lists among those of Sonde.
func (d *draft) takeInstrument() {
	if len(d.instrument) > 0 {
		d.services = namedLast(slices.Concat(d.instrument, d.services))
	}
	d.exclude = slices.Concat(d.excludeInstrument, d.exclude)
}

// refuseBothKinds reports rules with regular expressions beside rules with globs:
// Beyla looks at the latter only.
func (d *draft) refuseBothKinds(p *problems) {
	globs := slices.Concat(d.instrument, d.excludeInstrument)
	if len(globs) == 0 {
		return
	}
	var ignored location // flags and variables are no matter of Beyla
	for _, r := range slices.Concat(d.services, d.exclude) {
		if r.at.isInFile() {
			ignored = r.at
			break
		}
	}
	if exe := d.shorthand.exe.at; !ignored.isSet() && len(d.instrument) > 0 && exe.isInFile() {
		ignored = exe
	}
	if ignored.isSet() {
		p.tell(globs[0].at, "has globs, beside which Beyla ignores %s; keep one of the two", ignored.mention())
	}
}

// namedLast orders rules for the first that matches to decide. In Beyla all that
// match do: the last of them that has a name names the service.
func namedLast(list []ruleDraft) []ruleDraft {
	var named, others []ruleDraft
	for _, r := range slices.Backward(list) {
		if r.name.value != "" || r.namespace.value != "" {
			named = append(named, r)
		}
	}
	for _, r := range list {
		if r.name.value == "" && r.namespace.value == "" {
			others = append(others, r)
		}
	}
	return slices.Concat(named, others)
}
