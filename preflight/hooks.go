package preflight

import (
	"fmt"
	"slices"

	"sonde_exporter/probe"
)

func (f Facts) hookRows() []Row {
	rows := []Row{f.cgroupRow()}
	for _, m := range f.Trial.Maps {
		rows = append(rows, f.tried(vital(m.Name, m.Err, "")))
	}
	for _, hook := range f.hooks() {
		rows = append(rows, hook.row(f))
	}
	return append(rows, f.uprobeRow(), f.statsRow())
}

func (f Facts) cgroupRow() Row {
	says := f.Trial.Cgroup
	if f.Trial.CgroupIsOurs {
		says = "not mounted; Sonde mounts it for itself, and unmounts it in the end"
	}
	return vital("cgroup v2", f.Trial.CgroupErr, says)
}

// tried puts the blame where it belongs if something failed because of what
// another row tells.
func (f Facts) tried(row Row) Row {
	if reason := f.untried(); row.State != OK && reason != "" {
		row.State, row.Says, row.Remedy = NotTried, reason, ""
	}
	return row
}

// untried is why no hook could be tried, or "".
func (f Facts) untried() string {
	switch {
	case !f.canLoad():
		return "this process must not load programs"
	case f.BTF != nil:
		return "there is no BTF"
	}
	return ""
}

// triedHook is one place in the kernel, with all programs that go there.
type triedHook struct {
	name string
	taps []string
	err  error
}

// hooks are those of the trial, each once.
func (f Facts) hooks() []triedHook {
	var all []triedHook
	for _, trial := range f.Trial.Hooks {
		i := slices.IndexFunc(all, func(h triedHook) bool { return h.name == trial.Hook })
		if i < 0 {
			i = len(all)
			all = append(all, triedHook{name: trial.Hook})
		}
		if !slices.Contains(all[i].taps, trial.Name) {
			all[i].taps = append(all[i].taps, trial.Name)
		}
		if all[i].err == nil {
			all[i].err = trial.Err
		}
	}
	return all
}

func (h triedHook) row(f Facts) Row {
	return f.tried(vital(h.name, h.err, ""))
}

func (f Facts) uprobeRow() Row {
	row := Row{Item: "uprobes", State: OK, Says: "one uprobe_multi link for each file"}
	if !f.Trial.UprobeMulti {
		row.Says = "one perf event for each function; Linux 6.6 has uprobe_multi"
	}
	switch {
	case f.Trial.Load != nil:
		row.State, row.Says = NotTried, "the other programs cannot be loaded"
	case f.Trial.TLS != nil:
		row.State = Missing
		row.Says, row.Remedy = split(f.Trial.TLS)
		if row.Remedy == "" {
			row.Remedy = "give Sonde CAP_SYS_ADMIN, or use Linux 6.6 or newer; HTTP without TLS is measured all the same"
		}
	}
	return f.tried(row)
}

func (f Facts) statsRow() Row {
	if f.Trial.Stats == nil {
		return Row{Item: "BPF statistics", State: OK, Says: "the cost of Sonde's programs is measured"}
	}
	return Row{
		Item: "BPF statistics", State: Limited, Says: f.Trial.Stats.Error(),
		Remedy: "grant CAP_SYS_ADMIN, or run sysctl kernel.bpf_stats_enabled=1, or live without sonde_bpf_program_run_seconds_total",
	}
}

// tapRows sum up: each row is a way to see, or to know who is who.
func (f Facts) tapRows(works bool) []Row {
	rows := []Row{
		f.tapRow(probe.TapWire, "HTTP/1 of all TCP connections", works),
		f.tapRow(probe.TapSockets, "which connection belongs to whom", works),
		f.tapRow(probe.TapProcesses, "which process belongs to which service", works),
	}
	tls := Row{Item: probe.TapTLS, State: OK, Says: "HTTP/1 inside OpenSSL, GnuTLS and Go"}
	if f.Trial.TLS != nil || !works {
		tls.State, tls.Says = Missing, "HTTP inside TLS is counted as connections only"
	}
	return append(rows, f.tried(tls))
}

func (f Facts) tapRow(tap, says string, works bool) Row {
	row := Row{Item: tap, State: OK, Says: says, IsVital: true}
	if f.untried() != "" {
		row.State, row.Says = NotTried, "Sonde does not start without what is missing above"
		return row
	}
	for _, hook := range f.hooks() {
		if slices.Contains(hook.taps, tap) && hook.err != nil {
			return Row{Item: tap, State: Missing, Says: fmt.Sprintf("it needs %s", hook.name), IsVital: true}
		}
	}
	if !works {
		row.State, row.Says = Missing, "Sonde does not start without what is missing above"
	}
	return row
}
