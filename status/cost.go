package status

import (
	"cmp"
	"slices"
	"time"

	"sonde_exporter/probe"
	"sonde_exporter/procfile"
)

// addCost tells what Sonde costs, and what it could not do.
func (b *builder) addCost(now, recent sample, about Description) {
	overflow, err := b.Overflow()
	b.warn("overflow is not known", err)
	limit, err := b.Kernel.SeriesLimit()
	b.warn("the limit of series is not known", err)
	b.Cost = Cost{
		Process: Process{CPURatio: rate(recent.cpu.Seconds(), b.Window.Seconds), ResidentBytes: procfile.ResidentBytes("/proc")},
		Kernel:  Kernel{Programs: []Program{}, Reason: about.Untimed},
		Losses:  []Loss{}, Maps: []Map{},
		Series: Series{
			Count: uint64(b.Kernel.SeriesCount()), Limit: uint64(limit),
			LimitPerService: uint64(about.LimitPerService), Overflow: overflow,
		},
	}
	b.addPrograms(now, recent)
	b.addLosses()
	b.addMaps()
}

func (b *builder) addPrograms(now, recent sample) {
	cost := &b.Cost.Kernel
	for _, p := range now.programs {
		program := Program{Name: p.Name, Type: p.Type, Runs: p.Runs, RunSeconds: p.Time.Seconds()}
		in := recent.programs[p.Name]
		program.RunsPerSecond = rate(float64(in.Runs), b.Window.Seconds)
		program.CPURatio = rate(in.Time.Seconds(), b.Window.Seconds)
		if in.Runs > 0 {
			each := float64(in.Time/time.Nanosecond) / float64(in.Runs)
			program.NanosecondsPerRun = &each
		}
		cost.CPURatio += program.CPURatio
		cost.Programs = append(cost.Programs, program)
	}
	slices.SortFunc(cost.Programs, func(x, y Program) int {
		return cmp.Or(cmp.Compare(y.CPURatio, x.CPURatio), cmp.Compare(y.RunSeconds, x.RunSeconds), cmp.Compare(x.Name, y.Name))
	})
}

func (b *builder) addLosses() {
	losses, err := b.Kernel.Losses()
	b.warn("losses are not known", err)
	for _, loss := range losses {
		of := map[probe.Lost]string{probe.LostObservation: "observation", probe.LostEvent: "event", probe.LostSpan: "span"}[loss.Of]
		b.Cost.Losses = append(b.Cost.Losses, Loss{
			Reason: loss.Reason, Of: of, Meaning: loss.Meaning, Count: loss.Count,
		})
	}
}

func (b *builder) addMaps() {
	maps, err := b.Kernel.Maps()
	b.warn("the fill of maps is not known", err)
	for _, m := range maps {
		b.Cost.Maps = append(b.Cost.Maps, Map{Name: m.Name, Entries: m.Entries, MaxEntries: m.Capacity})
	}
	slices.SortStableFunc(b.Cost.Maps, func(x, y Map) int { return cmp.Compare(fill(y), fill(x)) })
}

func fill(m Map) float64 { return float64(m.Entries) / max(1, float64(m.MaxEntries)) }
