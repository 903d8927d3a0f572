package discovery

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"sonde_exporter/amount"
)

const (
	// namesTold and portsTold bound the line that sums up what was found: more is
	// on the status page and in sonde_service_info.
	namesTold = 8
	portsTold = 4
)

// Settle ends the start: in one line it tells what was found so far. What comes
// later is news, and has a line of its own.
func (r *Registry) Settle() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.settled = true
	found := r.found()
	r.logger.Info(found.String(), "services", len(found.services), "excluded", found.excluded)
}

// tell explains one decision. It is news if something is measured, or is no more.
func (r *Registry) tell(instance *Instance, wasMeasured bool) {
	ctx, level := context.Background(), slog.LevelDebug
	if r.settled && (instance.Selected || wasMeasured) {
		level = slog.LevelInfo
	}
	if !r.logger.Enabled(ctx, level) {
		return
	}
	message := "measuring a service"
	if !instance.Selected {
		message = "not measuring a process that listens"
	}
	process := &instance.Process
	attrs := []any{
		"name", instance.Identity.Name, "named_by", instance.Identity.Source, "pid", process.PID,
		"ports", listed(instance.Ports, len(instance.Ports)), "reason", instance.Reason,
	}
	if r.logger.Enabled(ctx, slog.LevelDebug) {
		for _, detail := range []slog.Attr{
			slog.String("executable", process.Executable), slog.String("language", process.Language),
			slog.String("unit", process.SystemdUnit), slog.String("container", process.ContainerID),
			slog.String("passed_over", explain(r.rules, process.Executable, instance.Ports)),
		} {
			if detail.Value.String() != "" {
				attrs = append(attrs, detail)
			}
		}
	}
	r.logger.Log(ctx, level, message, attrs...)
}

// found is what there is at one moment.
type found struct {
	services []foundService // in the order of names
	excluded int            // processes that listen and are not measured
}

type foundService struct {
	name  string
	ports []uint16
}

func (r *Registry) found() found {
	var all found
	ports := map[Service][]uint16{}
	for _, instance := range r.instances {
		if !instance.Selected {
			all.excluded++
			continue
		}
		ports[instance.Service()] = append(ports[instance.Service()], instance.Ports...)
	}
	for service, list := range ports {
		slices.Sort(list)
		all.services = append(all.services, foundService{service.Name, slices.Compact(list)})
	}
	slices.SortFunc(all.services, func(a, b foundService) int {
		return cmp.Or(strings.Compare(a.name, b.name), slices.Compare(a.ports, b.ports))
	})
	return all
}

// String is a sentence for the log.
func (f found) String() string {
	var left string
	if f.excluded > 0 {
		left = "; " + amount.Of(f.excluded, "process that listens is", "processes that listen are") + " left out by rules"
	}
	if len(f.services) == 0 {
		return "measuring no service yet: nobody listens whom the configuration selects" + left
	}
	names := make([]string, 0, namesTold)
	for _, service := range f.services[:min(len(f.services), namesTold)] {
		name := service.name
		if len(service.ports) > 0 {
			name += " (" + listed(service.ports, portsTold) + ")"
		}
		names = append(names, name)
	}
	list := strings.Join(names, ", ")
	if more := len(f.services) - len(names); more > 0 {
		list += fmt.Sprintf(", … and %d more", more)
	}
	return "measuring " + amount.Of(len(f.services), "service", "services") + ": " + list + left
}

// listed writes ports with commas, most of them at the most.
func listed(ports []uint16, most int) string {
	var b strings.Builder
	for i, port := range ports {
		if i == most {
			b.WriteString(", …")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprint(&b, port)
	}
	return b.String()
}
