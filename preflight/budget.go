package preflight

import "fmt"

func (f Facts) memoryRows() []Row {
	return []Row{
		told("RLIMIT_MEMLOCK", "since Linux 5.11 the cgroup counts the memory of maps"),
		f.mapRow(), f.limitRow(),
	}
}

func (f Facts) mapRow() Row {
	m := f.Trial.Memory
	if m.Now == 0 {
		return Row{Item: "maps", State: NotNeeded, Says: "no estimate, as the programs are not loaded"}
	}
	return Row{Item: "maps", State: OK, Says: fmt.Sprintf("%s at the start; %s if every map were full", megabytes(m.Now), megabytes(m.Most))}
}

// limitRow compares with what the cgroup allows. Memory of maps is charged to the
// cgroup of the process that made them.
func (f Facts) limitRow() Row {
	row := Row{Item: "memory.max", State: OK, Says: "no limit for this process"}
	if f.Memory.Limit == 0 {
		return row
	}
	row.Says = fmt.Sprintf("%s (%s)", megabytes(f.Memory.Limit), f.Memory.LimitAt)
	if most := f.Trial.Memory.Most + f.Memory.Resident; f.Memory.Limit < most {
		row.State = Limited
		row.Says += fmt.Sprintf(", and Sonde may come to %s", megabytes(most))
		row.Remedy = fmt.Sprintf("raise it to %s (MemoryMax= in a systemd unit, limits.memory of a pod), or lower series.limit", megabytes(most))
	}
	return row
}

func megabytes(bytes uint64) string { return fmt.Sprintf("%d MB", (bytes+999_999)/1_000_000) }
