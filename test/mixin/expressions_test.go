package mixin

import (
	"regexp"
	"strings"
	"testing"
)

// question is something that the mixin asks of Prometheus.
type question struct {
	name   string // of what asks it
	expr   string
	labels []string // that the answer has to have
}

var (
	inLegend = regexp.MustCompile(`\{\{\s*([a-z_]+)\s*\}\}`)
	// maybeEmpty are labels that many series do not have.
	maybeEmpty = map[string]bool{"service_namespace": true}
)

// viewer is what somebody has chosen in a dashboard.
type viewer map[string]string

// fill puts values in place of variables, as Grafana does before it asks.
func (v viewer) fill(t *testing.T, text string) string {
	t.Helper()
	return reads.ReplaceAllStringFunc(text, func(found string) string {
		name := strings.Trim(found, "${}")
		value, known := v[name]
		if !known {
			t.Errorf("nothing defines the variable %s in %s", name, text)
		}
		return value
	})
}

// questionsOf are the queries of all panels.
func questionsOf(t *testing.T, m mixin, v viewer) (all []question) {
	t.Helper()
	for file, d := range m.dashboards {
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				if q.LegendFormat == "others" { // there are only few in the tests
					for _, part := range measured(t, v.fill(t, q.Expr)) {
						all = append(all, question{name: file + ": " + p.Title + " " + q.RefID, expr: part})
					}
					continue
				}
				asked := question{
					name: file + ": " + p.Title + " " + q.RefID, expr: v.fill(t, q.Expr),
				}
				for _, label := range inLegend.FindAllStringSubmatch(q.LegendFormat, -1) {
					if !maybeEmpty[label[1]] && q.Format != "heatmap" {
						asked.labels = append(asked.labels, label[1])
					}
				}
				all = append(all, asked)
			}
		}
	}
	return all
}

// questionsOfRules are the expressions of rules, what they record, and what alerts
// look at.
func questionsOfRules(t *testing.T, m mixin) (all []question) {
	t.Helper()
	for _, r := range m.rules.rules() {
		all = append(all, question{name: r.Record, expr: r.Expr}, question{name: r.Record + ", recorded", expr: r.Record})
	}
	for _, r := range m.alerts.rules() {
		for _, part := range measured(t, r.Expr) {
			all = append(all, question{name: r.Alert, expr: part})
		}
	}
	return all
}
