package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kingpin/v2"

	"sonde_exporter/config"
)

const configurationIntro = `<!-- Written by make docs. -->

# Configuration

Sonde needs no configuration. What it has comes from flags, environment variables and one YAML
file, ` + "`--config.file`" + `. A value is taken from the first of these that sets it: flag, variable,
file, default. ` + "`--config.check`" + ` prints the outcome; ` + "`SIGHUP`" + ` or a ` + "`POST`" + ` to
` + "`/-/reload`" + ` reads the file again.

Each flag has a variable: ` + "`SONDE_`" + ` and its name in capitals, with ` + "`_`" + ` for ` + "`.`" + ` and ` + "`-`" + `.
Secrets have variables, but no flags. A key that Sonde does not know is an error. Names of files
in the file are relative to it. A duration is a number with a unit, such as ` + "`500ms`, `10s` or `1h`" + `.

## An example

Every key, except those that say the same as another in a different way:

` + "```yaml\n%s```\n\n"

// configurationPage writes docs/configuration.md.
func configurationPage(t *testing.T) string {
	var o options
	app, _ := newCommandLine(&o)
	flags := map[string]*kingpin.FlagModel{}
	for _, flag := range app.Model().Flags {
		if !flag.Hidden {
			flags[flag.Name] = flag
		}
	}
	var page strings.Builder
	fmt.Fprintf(&page, configurationIntro, readText(t, exampleFile))
	keys := config.Reference()
	for _, s := range keySections() {
		var rows [][]string
		for _, key := range keys {
			if key.Section == s.section && (s.only == nil || slices.Contains(s.only, key.Name)) {
				rows = append(rows, keyRow(t, key, flags[key.Flag]))
				delete(flags, key.Flag)
			}
		}
		fmt.Fprintf(&page, "## %s\n\n%s\n\n", s.title, s.intro)
		table(&page, []string{"Key", "Type, default", "Meaning; flag and variables"}, rows)
	}
	writeStandard(&page)
	writeFlags(t, &page, flags)
	writeForeign(&page)
	return page.String()
}

// keySection is a part of the page.
type keySection struct {
	section, title, intro string
	only                  []string // keys; nil for all of the section
}

func keySections() []keySection {
	const receiver = "Where no endpoint is set, nothing is sent. Variables that begin with `OTEL_` and name one\n" +
		"signal outrank the file; those for all signals come after it."
	return []keySection{
		{"", "One rule in short", "These four keys at the top level make one more rule, the last of `discovery.services`. A selector\n" +
			"on the command line starts this rule afresh.", []string{"open_port", "executable_name", "service_name", "service_namespace"}},
		{"discovery", "discovery", "Which processes are services. `[]` is each rule of a list; every selector of a rule must match.", nil},
		{"routes", "routes", "How the path of a request becomes its route. In a pattern, `{name}` stands for one segment, and `*`\n" +
			"at the end for any rest.", nil},
		{"histogram", "histogram", "The classic histograms; native ones need no setting. A change takes a restart.", nil},
		{"series", "series", "The bounds of Sonde's memory. A higher `limit` takes a restart.", nil},
		{"otel_traces_export", "otel_traces_export", receiver, nil},
		{"otel_metrics_export", "otel_metrics_export", receiver, nil},
		{"grafana", "grafana", "A short way to send to Grafana Cloud. It gives an endpoint to the signals that have none, and\n" +
			"credentials to those that are sent over https without any.", nil},
		{"", "resource", "Counts where something is sent.", []string{"resource"}},
	}
}

func keyRow(t *testing.T, key config.Key, flag *kingpin.FlagModel) []string {
	help := key.Help
	if key.Flag != "" {
		if flag == nil {
			t.Fatalf("key %s.%s has the flag --%s, which does not exist", key.Section, key.Name, key.Flag)
		}
		help = withoutAlso(flag.Help)
	}
	if help == "" {
		t.Errorf("key %s.%s has no help", key.Section, key.Name)
	}
	about := key.Type
	if key.Default != "" {
		about += "<br>`" + key.Default + "`"
	}
	lines := []string{help}
	if flag != nil {
		lines = append(lines, "`"+flagName(flag)+"`")
	}
	for i, name := range key.Variables {
		text := "`" + name + "`"
		if i >= key.Own {
			text += ", after the file"
		}
		lines = append(lines, text)
	}
	if key.Beyla != nil {
		lines = append(lines, "In Beyla: "+code(key.Beyla, ", "))
	}
	return []string{"`" + key.Name + "`", about, strings.Join(lines, "<br>")}
}

// withoutAlso leaves out the names of variables, which have lines of their own.
func withoutAlso(help string) string {
	help, _, _ = strings.Cut(help, " Also $")
	return help
}

func flagName(flag *kingpin.FlagModel) string {
	if flag.IsBoolFlag() && (len(flag.Default) > 0 && flag.Default[0] == "true") {
		return "--[no-]" + flag.Name
	}
	return "--" + flag.Name
}

func writeStandard(page *strings.Builder) {
	page.WriteString("## Standard variables without a key\n\nThey count where something is sent.\n\n")
	table(page, []string{"Variable", "Meaning"}, [][]string{
		{"`OTEL_EXPORTER_OTLP_TRACES_INSECURE`<br>`OTEL_EXPORTER_OTLP_METRICS_INSECURE`<br>`OTEL_EXPORTER_OTLP_INSECURE`",
			"Whether an endpoint that is a host and a port only is reached without TLS."},
		{"`OTEL_TRACES_EXPORTER`<br>`OTEL_METRICS_EXPORTER`",
			"`none` keeps a signal from `OTEL_EXPORTER_OTLP_ENDPOINT`; other values mean nothing."},
	})
}

// writeFlags lists the flags that have no key, by the first word of their names.
func writeFlags(t *testing.T, page *strings.Builder, flags map[string]*kingpin.FlagModel) {
	page.WriteString("## Flags without a key\n\n")
	groups := []struct{ title, prefix string }{
		{"Web", "web."}, {"Collectors", "collector."}, {"Log", "log."}, {"Paths", "path."}, {"Program", ""},
	}
	for _, group := range groups {
		var rows [][]string
		for _, name := range sortedFlags(flags, group.prefix) {
			flag := flags[name]
			delete(flags, name)
			if flag.Help == "" {
				t.Errorf("--%s has no help", name)
			}
			first := "`" + flagName(flag) + "`"
			if flag.Envar != "" {
				first += "<br>`" + flag.Envar + "`"
			}
			rows = append(rows, []string{first, defaultOf(flag), oneLine(flag.Help)})
		}
		fmt.Fprintf(page, "### %s\n\n", group.title)
		table(page, []string{"Flag and variable", "Default", "Meaning"}, rows)
	}
}

func sortedFlags(flags map[string]*kingpin.FlagModel, prefix string) []string {
	var names []string
	for name := range flags {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func defaultOf(flag *kingpin.FlagModel) string {
	texts := slices.DeleteFunc(slices.Clone(flag.Default), func(text string) bool { return text == "" })
	if len(texts) == 0 && flag.IsBoolFlag() && flag.Envar != "" {
		return "`false`"
	}
	return code(texts, ", ")
}

// oneLine is a text as it is, for a cell of a table: stars would make it slanted.
func oneLine(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "*", "\\*")
}

// writeForeign lists what files of Beyla may have and Sonde has not, one row for
// each advice.
func writeForeign(page *strings.Builder) {
	page.WriteString("## Keys of Beyla\n\n" +
		"`discovery.instrument` and `discovery.exclude_instrument` are lists of rules with `open_ports`, `exe_path`, `name` and\n" +
		"`namespace`, where `exe_path` is a glob for the whole path; [coming-from-beyla.md](coming-from-beyla.md#rules-of-discovery)\n" +
		"has more. `prometheus_export.port` and `prometheus_export.path` say where the metrics are, unless\n" +
		"`--web.listen-address`, `--web.systemd-socket` or `--web.telemetry-path` say otherwise; a change takes a restart.\n\n" +
		"## Keys of Beyla that Sonde does not have\n\n" +
		"An error says that something else would be measured or exported without the key. A warning says\n" +
		"that the key has no effect. Neither is said of a value that asks for what Sonde does anyway. Keys of\n" +
		"`discovery.services` are meant in all lists of rules.\n\n")
	type row struct {
		advice string
		keys   []string
	}
	for _, kind := range []struct {
		title      string
		isHarmless bool
	}{{"Errors", false}, {"Warnings", true}} {
		var rows []*row
		for _, key := range config.ForeignKeys() {
			if key.IsHarmless != kind.isHarmless {
				continue
			}
			text := "`" + key.Name + "`"
			if key.Same != nil {
				text += " (but " + code(key.Same, ", ") + ")"
			}
			i := slices.IndexFunc(rows, func(r *row) bool { return r.advice == key.Advice })
			if i < 0 {
				rows, i = append(rows, &row{advice: key.Advice}), len(rows)
			}
			rows[i].keys = append(rows[i].keys, text)
		}
		var cells [][]string
		for _, r := range rows {
			cells = append(cells, []string{strings.Join(r.keys, "<br>"), oneLine(sentence(r.advice))})
		}
		fmt.Fprintf(page, "### %s\n\n", kind.title)
		table(page, []string{"Key", "What to do"}, cells)
	}
}
