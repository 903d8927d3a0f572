package collector

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"sonde_exporter/metric"
	"sonde_exporter/probe"
)

func programRuns() metric.Family {
	return metric.Counter("sonde_bpf_program_runs_total", "How often a BPF program ran; absent if the kernel does not measure it.", programLabels()...)
}

func programSeconds() metric.Family {
	return metric.Counter("sonde_bpf_program_run_seconds_total", "How long a BPF program ran in all.", programLabels()...)
}

func programLabels() []metric.Label {
	return []metric.Label{
		{Name: "program", Meaning: "The name of the program."},
		{Name: "type", Meaning: "The kernel's type of the program, which tells where it can be attached."},
	}
}

func updateProgram(s *scrape, ch chan<- prometheus.Metric) error {
	programs, err := s.Probe.Programs()
	if err != nil {
		return err
	}
	// Zeros of a kernel that does not measure would say that Sonde costs nothing.
	ran := func(p probe.ProgramStats) bool { return p.Runs > 0 }
	if !slices.ContainsFunc(programs, ran) {
		return nil
	}
	runs, seconds := programRuns().Sender(ch), programSeconds().Sender(ch)
	for _, p := range programs {
		runs(float64(p.Runs), p.Name, p.Type)
		seconds(p.Time.Seconds(), p.Name, p.Type)
	}
	return nil
}

func mapEntries() metric.Family {
	return metric.Gauge("sonde_bpf_map_entries", "Entries of a BPF map.", mapLabel())
}

func mapCapacity() metric.Family {
	return metric.Gauge("sonde_bpf_map_max_entries", "Entries for which a BPF map has room.", mapLabel())
}

func mapLabel() metric.Label { return metric.Label{Name: "map", Meaning: "The name of the map."} }

func updateMap(s *scrape, ch chan<- prometheus.Metric) error {
	maps, err := s.Probe.Maps()
	if err != nil {
		return err
	}
	entries, capacity := mapEntries().Sender(ch), mapCapacity().Sender(ch)
	for _, m := range maps {
		entries(float64(m.Entries), m.Name)
		capacity(float64(m.Capacity), m.Name)
	}
	return nil
}
