package mixin

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// dashboard is the part of Grafana's JSON model that the tests look at.
type dashboard struct {
	UID           string
	Title         string
	Description   string
	Tags          []string
	SchemaVersion int
	Panels        []panel
	Templating    struct{ List []variable }
}

type panel struct {
	ID          int
	Type        string
	Title       string
	Description string
	Datasource  reference
	Targets     []target
	GridPos     struct{ X, Y, W, H int }
	FieldConfig struct {
		Defaults struct {
			Unit  string
			Links []link
		}
		Overrides []struct {
			Matcher    struct{ ID, Options string }
			Properties []struct {
				ID    string
				Value any
			}
		}
	}
	Options struct {
		SortBy []struct{ DisplayName string }
	}
	Transformations []struct {
		ID     string
		Filter struct{ ID, Options string }
	}
}

type target struct {
	RefID        string
	Expr         string
	LegendFormat string
	Format       string
	Datasource   reference
	Instant      bool
	Exemplar     bool
}

type reference struct{ Type, UID string }

type link struct{ Title, URL string }

type variable struct {
	Name, Type string
	Query      any
	Datasource reference
	AllValue   string
	IncludeAll bool
}

// links are all links that lead away from a panel.
func (p panel) links() []link {
	links := slices.Clone(p.FieldConfig.Defaults.Links)
	for _, override := range p.FieldConfig.Overrides {
		for _, property := range override.Properties {
			values, _ := property.Value.([]any)
			if property.ID != "links" {
				continue
			}
			for _, value := range values {
				fields := value.(map[string]any)
				links = append(links, link{Title: fields["title"].(string), URL: fields["url"].(string)})
			}
		}
	}
	return links
}

func (p panel) overlaps(q panel) bool {
	a, b := p.GridPos, q.GridPos
	return a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H
}

var (
	// current are the panels that Grafana has now; graph, singlestat and the like
	// are gone.
	current = []string{"timeseries", "stat", "table", "heatmap", "text"}
	// hardCoded finds matchers on the labels that are for the viewer to choose.
	hardCoded = regexp.MustCompile(`\b(job|instance)\s*(=|!=|=~|!~)\s*"([^"]*)"`)
	// allUp are the targets that ought to be there, whatever the viewer finds to choose.
	allUp         = regexp.MustCompile(`\bup\{job="sonde", `)
	dashboardLink = regexp.MustCompile(`^/d/([^/?]+)\?`)
	// reads finds uses of variables: ${name}, ${name:format} or $name.
	reads = regexp.MustCompile(`\$(?:\{(\w+)(?::\w+)?\}|(\w+))`)
)

// TestDashboards: what Grafana would refuse, or what would confuse its users.
func TestDashboards(t *testing.T) {
	m := render(t, "")
	uids, titles := map[string]string{}, map[string]string{}
	for file, d := range m.dashboards {
		for what, taken := range map[string]map[string]string{d.UID: uids, d.Title: titles} {
			if other, exists := taken[what]; exists || what == "" {
				t.Errorf("%s and %s are both called %q", file, other, what)
			}
			taken[what] = file
		}
	}
	for file, d := range m.dashboards {
		t.Run(file, func(t *testing.T) {
			if d.SchemaVersion < 41 || d.Description == "" || len(d.Tags) == 0 || len(d.UID) > 40 {
				t.Errorf("schemaVersion %d, description %q, tags %q, uid %q", d.SchemaVersion, d.Description, d.Tags, d.UID)
			}
			checkVariables(t, d)
			checkLayout(t, d)
			for _, p := range d.Panels {
				if p.Type != "row" {
					t.Run(p.Title, func(t *testing.T) { checkPanel(t, d, p, uids) })
				}
			}
		})
	}
}

func checkVariables(t *testing.T, d dashboard) {
	t.Helper()
	if list := d.Templating.List; len(list) == 0 || list[0].Type != "datasource" || list[0].Name != "datasource" {
		t.Error("the first variable is not the data source")
	}
	known := map[string]bool{}
	for _, v := range d.Templating.List {
		if known[v.Name] {
			t.Errorf("there are two variables %s", v.Name)
		}
		if v.Type == "query" && v.Datasource.UID != "${datasource}" {
			t.Errorf("the variable %s asks %+v", v.Name, v.Datasource)
		}
		for _, name := range reads.FindAllStringSubmatch(labelQuery(v), -1) {
			if !known[name[1]+name[2]] {
				t.Errorf("the variable %s depends on %s, which does not stand before it", v.Name, name[0])
			}
		}
		known[v.Name] = true
	}
}

// labelQuery is the query of a variable that lists label values.
func labelQuery(v variable) string {
	if fields, ok := v.Query.(map[string]any); ok {
		return fmt.Sprint(fields["query"])
	}
	return ""
}

func checkLayout(t *testing.T, d dashboard) {
	t.Helper()
	ids := map[int]bool{}
	for i, p := range d.Panels {
		if ids[p.ID] || p.ID == 0 {
			t.Errorf("the id %d of %q is not its own", p.ID, p.Title)
		}
		ids[p.ID] = true
		if p.GridPos.W < 1 || p.GridPos.H < 1 || p.GridPos.X < 0 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("%q does not fit on the grid: %+v", p.Title, p.GridPos)
		}
		for _, q := range d.Panels[:i] {
			if p.overlaps(q) {
				t.Errorf("%q at %+v lies on %q at %+v", p.Title, p.GridPos, q.Title, q.GridPos)
			}
		}
	}
}

func checkPanel(t *testing.T, d dashboard, p panel, uids map[string]string) {
	t.Helper()
	if !slices.Contains(current, p.Type) {
		t.Errorf("there is no panel %q in Grafana any more", p.Type)
	}
	if p.Title == "" || p.Description == "" || p.FieldConfig.Defaults.Unit == "" || len(p.Targets) == 0 {
		t.Errorf("description %q, unit %q, %d queries", p.Description, p.FieldConfig.Defaults.Unit, len(p.Targets))
	}
	ours := reference{Type: "prometheus", UID: "${datasource}"}
	if p.Datasource != ours {
		t.Errorf("the data source is %+v, want %+v", p.Datasource, ours)
	}
	refs := map[string]bool{}
	for _, q := range p.Targets {
		if q.Datasource != ours || refs[q.RefID] || q.RefID == "" {
			t.Errorf("the query %q has the data source %+v", q.RefID, q.Datasource)
		}
		refs[q.RefID] = true
		for _, found := range hardCoded.FindAllStringSubmatch(allUp.ReplaceAllString(q.Expr, "up{"), -1) {
			if !strings.HasPrefix(found[3], "$") {
				t.Errorf("%s has a %s of its own: %s", q.RefID, found[1], found[0])
			}
		}
		if strings.Count(q.Expr, "topk(") > 0 && !strings.Contains(q.Expr, "[$__range] @ end()") {
			t.Errorf("%s has other members at every step: %s", q.RefID, q.Expr)
		}
		if p.Type != "table" && q.Format == "table" || (p.Type == "heatmap") != (q.Format == "heatmap") {
			t.Errorf("%s has the format %q in a %s", q.RefID, q.Format, p.Type)
		}
	}
	for _, l := range p.links() {
		checkLink(t, d, l, uids)
	}
	checkColumns(t, p)
	checkTrends(t, p)
}

// checkLink: links within Grafana lead to dashboards that are there, and set only
// variables that these have.
func checkLink(t *testing.T, d dashboard, l link, uids map[string]string) {
	t.Helper()
	if strings.HasPrefix(l.URL, "/explore?") {
		if strings.Contains(l.URL, "${tempo}") && !slices.ContainsFunc(d.Templating.List, func(v variable) bool { return v.Name == "tempo" }) {
			t.Errorf("%q needs the variable tempo", l.Title)
		}
		return
	}
	to := dashboardLink.FindStringSubmatch(l.URL)
	if to == nil || uids[to[1]] == "" {
		t.Errorf("%q leads to %s, where nothing is", l.Title, l.URL)
	}
}

// checkColumns: a table sorts by a column that it has, and each column comes from a
// query or a label.
func checkColumns(t *testing.T, p panel) {
	t.Helper()
	if p.Type != "table" {
		return
	}
	names := map[string]bool{}
	tables := 0
	for _, q := range p.Targets {
		if q.Format == "table" {
			tables++
		}
	}
	for _, o := range p.FieldConfig.Overrides {
		field := o.Matcher.Options
		for _, property := range o.Properties {
			if property.ID == "displayName" {
				names[property.Value.(string)] = true
			}
		}
		kind, ref, _ := strings.Cut(field, " #")
		switch i := slices.IndexFunc(p.Targets, func(q target) bool { return q.RefID == ref }); {
		case field == "Value" && tables == 1:
		case kind == "Value" && i >= 0 && p.Targets[i].Format == "table":
		case kind == "Trend" && i >= 0 && !p.Targets[i].Instant:
		case slices.ContainsFunc(p.Targets, func(q target) bool { return strings.Contains(q.Expr, field) }):
		default:
			t.Errorf("no query has the column %q", field)
		}
	}
	for _, by := range p.Options.SortBy {
		if !names[by.DisplayName] {
			t.Errorf("it is sorted by %q, of which there is no column", by.DisplayName)
		}
	}
}

// checkTrends: only queries over time become lines. Grafana takes a table of one row for
// a series over time, and what is made a line of it is no number any more.
func checkTrends(t *testing.T, p panel) {
	t.Helper()
	var over []string
	for _, q := range p.Targets {
		if p.Type == "table" && !q.Instant {
			over = append(over, q.RefID)
		}
	}
	made := 0
	for _, transformation := range p.Transformations {
		if transformation.ID != "timeSeriesTable" {
			continue
		}
		made++
		want := "/^(?:" + strings.Join(over, "|") + ")$/"
		if filter := transformation.Filter; filter.ID != "byRefId" || filter.Options != want {
			t.Errorf("lines are made of the queries %s %q, want byRefId %q", filter.ID, filter.Options, want)
		}
	}
	if want := min(len(over), 1); made != want {
		t.Errorf("there are %d transformations into lines, want %d for the queries %q", made, want, over)
	}
}

// TestDownForLong: a Sonde that has been down since before the time range has nothing
// that a viewer could choose, and must not be forgotten. Targets that are no Sondes must
// not count.
func TestDownForLong(t *testing.T) {
	d := render(t, `{ _config+:: { sondeSelector: 'job="ours"' } }`).dashboards["sonde-itself.json"]
	for _, v := range d.Templating.List {
		if v.Name == "instance" && v.AllValue != ".*" {
			t.Errorf("all instances are %q, want .*", v.AllValue)
		}
	}
	found := 0
	for _, p := range d.Panels {
		for _, q := range p.Targets {
			if !regexp.MustCompile(`\bup\{`).MatchString(q.Expr) {
				continue
			}
			found++
			if want := `up{job="ours", instance=~"$instance"}`; !strings.Contains(q.Expr, want) {
				t.Errorf("%s asks %s, want %s in it", p.Title, q.Expr, want)
			}
		}
	}
	if found < 2 {
		t.Errorf("%d panels tell what is up, want a share and a list", found)
	}
}
