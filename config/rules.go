package config

// validateRules reports rules that can do nothing and rules that contradict
// one another.
func validateRules(services, exclude []ruleDraft, p *problems) {
	for _, list := range [][]ruleDraft{services, exclude} {
		for i := range list {
			list[i].validate(p)
		}
	}
	for i, r := range exclude {
		if r.broken {
			continue
		}
		if r.name.value != "" || r.namespace.value != "" {
			p.tell(r.at, "names a service, but excluded processes have no name; remove %s", r.words("name and namespace", "service_name and service_namespace"))
		}
		for _, earlier := range exclude[:i] {
			if !r.isGlob && sameSelectors(earlier, r) {
				p.tell(r.at, "repeats %s; remove one of the two", earlier.at.mention())
				break
			}
		}
	}
	for i, r := range services {
		if r.broken {
			continue
		}
		compareWithEarlier(r, services[:i], p)
		for _, e := range exclude {
			if !e.broken && covers(e, r) {
				p.tell(r.at, "selects only processes that %s excludes; remove one of the two", e.at.mention())
				break
			}
		}
	}
}

// validate checks one rule by itself and marks it broken if it selects nothing.
func (r *ruleDraft) validate(p *problems) {
	for _, name := range []located[string]{r.name, r.namespace} {
		if err := checkText(name.value); err != nil {
			p.tell(name.at, "%w", err)
		}
	}
	if r.broken || !r.port.value.IsZero() || !r.exe.value.IsZero() {
		return
	}
	r.broken = true
	p.tell(r.at, "selects no process by itself; set %s too", r.words("open_ports or exe_path", "open_port or executable_name"))
}

// words are those that the list of the rule uses.
func (r *ruleDraft) words(ofGlobs, ofOthers string) string {
	if r.isGlob {
		return ofGlobs
	}
	return ofOthers
}

// compareWithEarlier reports a rule that never applies because the first rule
// that matches a process wins. Rules with globs may overlap, as in Beyla.
func compareWithEarlier(r ruleDraft, earlier []ruleDraft, p *problems) {
	for _, e := range earlier {
		if e.broken || e.isGlob || r.isGlob || !covers(e, r) {
			continue
		}
		switch {
		case !sameSelectors(e, r):
			p.tell(r.at, "never applies, because %s comes first and selects all its processes; put the narrower rule first",
				e.at.mention())
		case e.name.value != r.name.value || e.namespace.value != r.namespace.value:
			p.tell(r.at, "selects the same processes as %s but names them otherwise; keep one of the two", e.at.mention())
		default:
			p.tell(r.at, "repeats %s; remove one of the two", e.at.mention())
		}
		return
	}
}

// covers tells that wide surely matches every process that narrow matches. Two
// different regular expressions are never taken to cover each other.
func covers(wide, narrow ruleDraft) bool {
	ports, narrowPorts := wide.port.value, narrow.port.value
	if !ports.IsZero() && (narrowPorts.IsZero() || !ports.covers(narrowPorts)) {
		return false
	}
	exe := wide.exe.value
	return exe.IsZero() || exe.String() == narrow.exe.value.String()
}

func sameSelectors(a, b ruleDraft) bool { return covers(a, b) && covers(b, a) }
