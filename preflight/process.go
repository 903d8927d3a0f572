package preflight

import (
	"fmt"

	"sonde_exporter/probe"
)

func (f Facts) processRows() []Row {
	rows := f.capabilityRows()
	pid := vital("PID namespace", f.PIDNamespace, "the host's")
	return append(rows, pid, f.procfsRow())
}

func (f Facts) capabilityRows() []Row {
	if f.CapabilitiesErr != nil {
		return []Row{vital("capabilities", f.CapabilitiesErr, "")}
	}
	var rows []Row
	for _, c := range f.Capabilities {
		row := Row{Item: c.Name, State: OK, Says: c.Why, IsVital: true}
		switch {
		case c.ByAdmin:
			row.Says += " (CAP_SYS_ADMIN stands in)"
		case !c.Has:
			row.State, row.Remedy = Missing, probe.CapabilityRemedy
		}
		rows = append(rows, row)
	}
	return rows
}

func (f Facts) procfsRow() Row {
	p := f.Procfs
	if p.Err != nil || p.Processes == 0 {
		return vital("procfs", fmt.Errorf("no process is to be seen at %s; check --path.procfs", p.Path), "")
	}
	row := Row{Item: "procfs", State: OK, Says: fmt.Sprintf("%s, %s", p.Path, count(p.Processes, "process", "processes"))}
	if p.HidePID != "" {
		row.Says += ", hidepid=" + p.HidePID
	}
	if p.Denied == 0 {
		return row
	}
	row.Says += fmt.Sprintf(", of which %d cannot be read", p.Denied)
	if f.hasCapability("CAP_SYS_PTRACE") && p.Denied*10 < p.Processes {
		return row // Hosts protect one or the other.
	}
	row.State = Limited
	row.Says += ", nor how they are called"
	if f.hasCapability("CAP_SYS_PTRACE") {
		row.Remedy = "see whether AppArmor or SELinux keeps Sonde from reading other processes (ptrace read)"
	} else {
		row.Remedy = probe.CapabilityRemedy
	}
	return row
}

func count(n int, one, many string) string {
	if n == 1 {
		return "one " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func (f Facts) hasCapability(name string) bool {
	for _, c := range f.Capabilities {
		if c.Name == name {
			return c.Has
		}
	}
	return false
}

// canLoad says that the kernel lets this process load programs, as far as is known.
func (f Facts) canLoad() bool {
	return f.CapabilitiesErr != nil || f.hasCapability("CAP_BPF") && f.hasCapability("CAP_PERFMON")
}
