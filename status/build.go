package status

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"sonde_exporter/amount"
	"sonde_exporter/probe"
	"sonde_exporter/tlstap"
)

// builder makes one status. What cannot be read becomes a warning, and does not
// take the rest away.
type builder struct {
	Options
	*Status
}

func (b *builder) warn(what string, err error) {
	if err == nil {
		return
	}
	warning := what + ": " + err.Error()
	if !slices.Contains(b.Warnings, warning) {
		b.Warnings = append(b.Warnings, warning)
		b.Logger.Error("the status page is incomplete", "err", warning)
	}
}

func (r *Reader) read(ctx context.Context) *Status {
	about := r.options.Describe()
	b := &builder{r.options, &Status{
		Time: tidy(time.Now()), Sonde: about.Sonde, Config: about.Config, Collectors: about.Collectors, Exports: about.Exports,
		Services: []Service{}, Excluded: []Excluded{}, Taps: []Tap{}, TLSFiles: []TLSFile{},
	}}
	b.Sonde.StartTime, b.Config.LoadTime = tidy(b.Sonde.StartTime), tidy(b.Config.LoadTime)
	b.Sonde.UptimeSeconds = b.Time.Sub(b.Sonde.StartTime).Seconds()

	now, err := r.sample(ctx)
	b.warn("requests and costs are not known", err)
	isRead := err == nil
	if !isRead {
		now = r.history.last
	}
	recent := r.history.window(now)
	b.Window = Window{BeginTime: tidy(recent.at), Seconds: b.Time.Sub(recent.at).Seconds(), Since: r.history.origin}

	b.addServices()
	if isRead {
		b.addRequests(now, recent)
	}
	b.addTaps()
	b.addCost(now, recent, about)
	return b.Status
}

// tidy is a time as one wants to read it.
func tidy(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// addTaps lists every tap with its hooks, and those of TLS also if there are none.
func (b *builder) addTaps() {
	hooks := map[string][]string{probe.TapTLS: nil}
	for _, tap := range b.Kernel.Taps() {
		hooks[tap.Name] = append(hooks[tap.Name], tap.Hook)
	}
	for name, hooks := range hooks {
		tap := Tap{Name: name, Shows: probe.TapMeanings()[name], Hooks: distinct(hooks)}
		if name == probe.TapTLS {
			tap.Reason = tlsReason(hooks, b.TLS.Failures())
		}
		b.Taps = append(b.Taps, tap)
	}
	slices.SortFunc(b.Taps, func(x, y Tap) int { return cmp.Compare(tapOrder(x.Name), tapOrder(y.Name)) })
	for _, file := range b.TLS.Files() {
		b.TLSFiles = append(b.TLSFiles, TLSFile{
			Path: file.Path, Library: file.Library.String(), Version: file.Version, Processes: file.Processes,
		})
	}
}

func distinct(texts []string) []string {
	all := append([]string{}, texts...)
	slices.Sort(all)
	return slices.Compact(all)
}

// tapOrder puts first what sees bytes.
func tapOrder(name string) int {
	return slices.Index([]string{probe.TapWire, probe.TapTLS, probe.TapSockets, probe.TapProcesses}, name)
}

// tlsReason says why the TLS tap is not attached, or not everywhere.
func tlsReason(hooks []string, failures []tlstap.Failure) string {
	var parts []string
	for _, failure := range failures {
		parts = append(parts, amount.Of(failure.Count, "attempt", "attempts")+" to attach to "+failure.Library.String()+
			" failed ("+failure.Reason+"); the log names file and remedy")
	}
	if len(hooks) == 0 && len(failures) == 0 {
		parts = append(parts, "not attached, because no service was seen to speak TLS by a library that can be watched")
	}
	return strings.Join(parts, "; ")
}
