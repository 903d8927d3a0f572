package config

import "strings"

// Load reads the file, lays environment and flags over it, and checks the
// whole. It may be called again at any time to read the file anew. All problems
// are in the one error that is returned, a line each.
func (f *Flags) Load() (*Config, error) {
	d, p := newDraft(), &problems{}
	if name := f.file.text(); name != "" {
		text, err := readFile(name, f.file.at())
		if err != nil {
			p.add(0, err)
		} else {
			parseFile(d, name, text, p)
		}
	}
	f.overlayShorthand(&d.shorthand, p)
	f.overlayExclude(d, p)
	f.overlayRoutes(d)
	overlay(f.buckets, &d.buckets, boundList, p)
	overlay(f.limit, &d.limit, wholeNumber, p)
	overlay(f.limitPerService, &d.limitPerService, wholeNumber, p)
	overlay(f.retention, &d.retention, duration, p)
	f.overlayExports(d, p)
	d.overlayStandard(p)
	return d.finish(p)
}

// overlay replaces a value if flag or environment set it, and tells whether
// that went well.
func overlay[T any](o *option, value *located[T], parse func(string) (T, error), p *problems) bool {
	text := o.setting(p)
	if !text.isSet() {
		return true
	}
	parsed, err := parse(text.value)
	if err != nil {
		p.wrap(text.at, err)
		return false
	}
	*value = located[T]{parsed, text.at}
	return true
}

// overlayShorthand lays flags and environment over the shorthands of the file.
func (f *Flags) overlayShorthand(r *ruleDraft, p *problems) {
	port, exe, name, namespace := f.port, f.exe, f.name, f.namespace
	if port.isTyped || exe.isTyped {
		// A selector on the command line starts the rule afresh.
		*r = ruleDraft{}
		port, exe, name, namespace = port.onlyTyped(), exe.onlyTyped(), name.onlyTyped(), namespace.onlyTyped()
	}
	r.overlaySelectors(port, exe, p)
	plain := func(text string) (string, error) { return text, nil }
	overlay(name, &r.name, plain, p)
	overlay(namespace, &r.namespace, plain, p)
}

// overlayExclude makes one more exclude rule of flags and environment.
func (f *Flags) overlayExclude(d *draft, p *problems) {
	var r ruleDraft
	r.overlaySelectors(f.excludePort, f.excludeExe, p)
	if r.at = r.firstPlace(); r.at.isSet() {
		d.exclude = append(d.exclude, r)
	}
}

func (r *ruleDraft) overlaySelectors(port, exe *option, p *problems) {
	portOK := overlay(port, &r.port, ParsePorts, p)
	exeOK := overlay(exe, &r.exe, ParseRegexp, p)
	r.broken = r.broken || !portOK || !exeOK
}

func (f *Flags) overlayRoutes(d *draft) {
	if list := f.patterns.list(); list != nil {
		d.patterns = list
	}
	if list := f.ignoredPatterns.list(); list != nil {
		d.ignoredPatterns = list
	}
	if f.unmatched.isSet() {
		d.unmatched = located[string]{strings.TrimSpace(f.unmatched.text()), f.unmatched.at()}
	}
}

// boundList reads bounds separated by commas.
func boundList(text string) ([]float64, error) {
	var bounds []float64
	for item := range strings.SplitSeq(text, ",") {
		seconds, err := bound(item)
		if err != nil {
			return nil, err
		}
		bounds = append(bounds, seconds)
	}
	return bounds, nil
}
