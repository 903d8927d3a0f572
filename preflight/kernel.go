package preflight

import (
	"errors"
	"fmt"
	"strings"

	"sonde_exporter/probe"
)

const (
	// triedKernels are the kernels that every release is tried on.
	triedKernels = "6.1, 6.12, 6.18, 7.3"

	oldestMajor, oldestMinor = 6, 1
)

func (f Facts) kernelRows() []Row {
	return []Row{
		f.releaseRow(), f.btfRow(), f.lockdownRow(), f.seccompRow(), f.profileRow(),
		told("unprivileged BPF", unprivilegedSays(f.Unprivileged)),
		told("kprobes", hasOrNot(f.Kprobes)),
		told("fentry", hasOrNot(f.Fentry)),
		told("tracefs", "hooks are BTF tracepoints, uprobes come without it"),
	}
}

func told(item, says string) Row { return Row{Item: item, State: NotNeeded, Says: says} }

func hasOrNot(has bool) string {
	if has {
		return "this kernel has them; Sonde does without"
	}
	return "this kernel has none; Sonde does without"
}

func (f Facts) releaseRow() Row {
	row := Row{Item: "Linux", State: OK, Says: fmt.Sprintf("%s, %s (tried: %s)", f.Release, f.Machine, triedKernels)}
	if isOlder(f.Release) {
		row.State = Limited
		row.Says = fmt.Sprintf("%s, %s: older than %d.%d, the oldest that is tried", f.Release, f.Machine, oldestMajor, oldestMinor)
		row.Remedy = fmt.Sprintf("use Linux %d.%d or newer", oldestMajor, oldestMinor)
	}
	return row
}

func isOlder(release string) bool {
	var major, minor int
	if _, err := fmt.Sscanf(release, "%d.%d", &major, &minor); err != nil {
		return false
	}
	return major < oldestMajor || major == oldestMajor && minor < oldestMinor
}

func (f Facts) btfRow() Row { return vital("BTF", f.BTF, probe.KernelBTF) }

// vital is a row of something that Sonde does not start without.
func vital(item string, err error, says string) Row {
	if err == nil {
		return Row{Item: item, State: OK, Says: says, IsVital: true}
	}
	lack, remedy := split(err)
	return Row{Item: item, State: Missing, Says: lack, Remedy: remedy, IsVital: true}
}

// split takes an error apart into what is wrong and what to do. Sentences of
// Sonde have both, in this order.
func split(err error) (lack, remedy string) {
	var shortage *probe.Shortage
	if errors.As(err, &shortage) {
		return shortage.Lack.Error(), shortage.Remedy
	}
	text := strings.Join(strings.Fields(err.Error()), " ")
	lack, remedy, _ = strings.Cut(text, "; ")
	return lack, remedy
}

func (f Facts) lockdownRow() Row {
	row := Row{Item: "lockdown", State: OK, Says: f.Lockdown}
	switch f.Lockdown {
	case "":
		row.Says = "not in this kernel, or not to be seen"
	case "confidentiality":
		row.State, row.Says = Limited, "confidentiality: BPF programs must not read the kernel's memory"
		row.Remedy = "boot with lockdown=integrity, or without"
	}
	return row
}

func (f Facts) seccompRow() Row {
	switch {
	case !f.Seccomp:
		return Row{Item: "seccomp", State: OK, Says: "no filter"}
	case f.Trial.Load == nil:
		return Row{Item: "seccomp", State: OK, Says: "a filter is in force, and lets bpf(2) pass"}
	}
	return Row{
		Item: "seccomp", State: Limited, Says: "a filter is in force, and may forbid bpf(2) or perf_event_open(2)",
		Remedy: "allow both (docker run --security-opt seccomp=unconfined, SystemCallFilter= in a systemd unit)",
	}
}

func (f Facts) profileRow() Row {
	const item = "AppArmor, SELinux"
	switch {
	case f.Profile == "" || strings.HasPrefix(f.Profile, "unconfined"):
		return Row{Item: item, State: OK, Says: "nothing in force for this process"}
	case f.Trial.Load == nil:
		return Row{Item: item, State: OK, Says: f.Profile}
	}
	return Row{
		Item: item, State: Limited, Says: f.Profile + " is in force, and may forbid bpf(2)",
		Remedy: "see what it logs (journalctl -k), or run unconfined (docker run --security-opt apparmor=unconfined)",
	}
}

func unprivilegedSays(setting string) string {
	if setting == "" {
		return "kernel.unprivileged_bpf_disabled cannot be read"
	}
	return "kernel.unprivileged_bpf_disabled=" + setting
}
