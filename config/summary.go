package config

import (
	"os"
	"slices"
	"strings"

	"sonde_exporter/amount"
)

// Overrides names the flags and variables that have a say besides the file, in
// order and without their values.
func (f *Flags) Overrides() []string {
	var names []string
	add := func(o *option) {
		switch {
		case o.isTyped:
			names = append(names, "--"+o.flag)
		case o.isSet() || o.isSecret && os.Getenv(EnvName(o.flag)) != "":
			names = append(names, EnvName(o.flag))
		case o.shortEnv != "" && os.Getenv(o.shortEnv) != "":
			names = append(names, o.shortEnv)
		}
	}
	for _, o := range []*option{
		f.port, f.exe, f.name, f.namespace, f.excludePort, f.excludeExe, f.patterns, f.ignoredPatterns, f.unmatched,
		f.buckets, f.limit, f.limitPerService, f.retention,
	} {
		add(o)
	}
	for _, export := range f.exports {
		add(export.option)
	}
	return append(names, standardVariables()...)
}

// standardVariables are those of OpenTelemetry for exporters that are set. They
// count only where something is sent.
func standardVariables() []string {
	var names []string
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		isExport := strings.HasPrefix(name, "OTEL_EXPORTER_OTLP_") || strings.HasPrefix(name, "OTEL_TRACES_") ||
			name == "OTEL_METRICS_EXPORTER" || name == "OTEL_METRIC_EXPORT_INTERVAL" || name == "OTEL_RESOURCE_ATTRIBUTES"
		if isExport && value != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Summary says in a few words which processes are services.
func (d Discovery) Summary() string {
	summary := "every process that listens is a service"
	if n := len(d.Services); n > 0 {
		summary = amount.Of(n, "rule selects", "rules select") + " services"
	}
	if n := len(d.Exclude); n > 0 {
		summary += ", " + amount.Of(n, "rule excludes", "rules exclude") + " some"
	}
	return summary
}
