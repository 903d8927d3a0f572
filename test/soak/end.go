package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// freeing is how long the kernel may take to free what nobody holds any more: it
// waits until no processor is in a program that uses it.
const freeing = 5 * time.Second

// The only error that the run gives the exporter cause for, and how the web
// server says the same of a reload that was asked for by POST.
const (
	reloadRefused     = "configuration not reloaded"
	reloadRefusedPost = "The configuration was not reloaded"
)

func formatted(value float64) string { return strconv.FormatFloat(value, 'f', -1, 64) }

// checkLosses makes sure that the exporter has lost nothing by its own account.
func (l *load) checkLosses(sc *scope) {
	snap := l.exporter.Scrape(sc)
	var lost []string
	families := 0
	for name, family := range snap {
		if !strings.HasPrefix(name, "sonde_lost_") {
			continue
		}
		families++
		for _, m := range family.GetMetric() {
			if v := m.GetCounter().GetValue(); v > 0 {
				lost = append(lost, fmt.Sprintf("%s{%s} %s", name, reasonOf(m), formatted(v)))
			}
		}
	}
	sc.report.check("nothing was lost", len(lost) == 0 && families > 0, "%s", strings.Join(lost, ", "))
	overflow := snap.Value("sonde_series_overflow_total", nil)
	sc.report.check("the bomb overflowed", overflow > 0, "%s requests in overflow series, %s responses without a request",
		formatted(overflow), formatted(snap.Value("sonde_unsolicited_responses_total", nil)))
}

func reasonOf(m *dto.Metric) string {
	for _, pair := range m.GetLabel() {
		if pair.GetName() == "reason" {
			return pair.GetValue()
		}
	}
	return ""
}

// checkEnd stops the exporter and looks for what it leaves behind.
func (l *load) checkEnd(sc *scope) {
	held := heldBy(sc, l.exporter.PID)
	began := time.Now()
	err := l.exporter.Stop()
	sc.report.check("SIGTERM", err == nil, "ended after %v %s", time.Since(began).Round(time.Millisecond), problem(err))
	l.checkLog(sc)
	left := held.remaining()
	for deadline := time.Now().Add(freeing); len(left) > 0 && time.Now().Before(deadline); left = held.remaining() {
		time.Sleep(50 * time.Millisecond)
	}
	sc.report.check("nothing stays in the kernel", len(left) == 0 && len(held.programs) > 0 && len(held.links) > 0,
		"of %d programs, %d attachments and %d maps", len(held.programs), len(held.links), len(held.maps))
	list(sc, left)
}

// problem is the first line of an error; empty for none.
func problem(err error) string {
	if err == nil {
		return ""
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return first
}

// checkLog demands one error for each bad configuration, and no other.
func (l *load) checkLog(sc *scope) {
	var unexpected []string
	refused, warnings := uint64(0), 0
	for line := range strings.Lines(l.exporter.Log()) {
		switch {
		case strings.Contains(line, "level=WARN"):
			warnings++
		case strings.Contains(line, "level=ERROR") && strings.Contains(line, reloadRefused):
			refused++
		case strings.Contains(line, reloadRefusedPost):
		case strings.Contains(line, "level=ERROR"), strings.HasPrefix(line, "panic:"):
			unexpected = append(unexpected, strings.TrimSpace(line))
		}
	}
	sc.report.check("log", len(unexpected) == 0 && refused == l.badReloads.Load(),
		"%d errors without cause, %d for %d bad configurations, %d warnings", len(unexpected), refused, l.badReloads.Load(), warnings)
	list(sc, unexpected)
}
