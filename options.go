package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"
	promslogflag "github.com/prometheus/common/promslog/flag"
	"github.com/prometheus/common/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	toolkitflag "github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"sonde_exporter/collector"
	"sonde_exporter/config"
)

// defaultAddress is where Sonde listens unless told otherwise.
const defaultAddress = ":19100"

// helpEnd is below the flags, where a terminal shows it.
const helpEnd = `
docs/configuration.md tells all keys of --config.file with their flags and variables.
--config.check prints the configuration in force, --preflight what this machine offers.
`

// options is the command line.
type options struct {
	config *config.Flags
	log    *promslog.Config
	web    *toolkit.FlagConfig

	typed                  placeFlags
	telemetryPath          string
	maxRequests            int
	disableExporterMetrics bool
	collectors             []string // names of those in use
	procfs, rootfs         string
	checkOnly, preflight   bool
}

// parseOptions reads flags and their environment variables: SONDE_ and the name
// of the flag, see config.EnvName.
func parseOptions(args []string) (options, error) {
	var o options
	app, choose := newCommandLine(&o)
	if _, err := app.Parse(args); err != nil {
		return o, explainFlag(err)
	}
	if o.maxRequests < 0 {
		return o, fmt.Errorf("flag --web.max-requests must be a number of scrapes, or 0 for no limit, not %d", o.maxRequests)
	}
	o.collectors = choose()
	return o, nil
}

// newCommandLine registers all flags. The returned function tells, after parsing,
// which collectors are in use.
func newCommandLine(o *options) (*kingpin.Application, func() []string) {
	app := kingpin.New("sonde_exporter", "Measures every service on this host with eBPF, for Prometheus.")
	app.Version(version.Print("sonde_exporter"))
	app.HelpFlag.Short('h')
	app.UsageTemplate(kingpin.DefaultUsageTemplate + helpEnd)
	*o = options{
		config: config.RegisterFlags(app),
		log:    &promslog.Config{},
		web:    toolkitflag.AddFlags(app, defaultAddress),
	}
	app.GetFlag(addressFlag).IsSetByUser(&o.typed.address)
	promslogflag.AddFlags(app, o.log)
	app.Flag(pathFlag, "Path under which to expose metrics.").Default("/metrics").IsSetByUser(&o.typed.path).StringVar(&o.telemetryPath)
	app.Flag("web.max-requests", "Maximum number of scrapes at the same time; 0 means no limit.").Default("40").IntVar(&o.maxRequests)
	app.Flag("web.disable-exporter-metrics", "Leave out metrics about the exporter's own process (promhttp_*, process_*, go_*).").BoolVar(&o.disableExporterMetrics)
	app.Flag("path.procfs", "Where procfs is mounted.").Default("/proc").StringVar(&o.procfs)
	app.Flag("path.rootfs", "Where the host's root file system is mounted.").Default("/").StringVar(&o.rootfs)
	app.Flag("config.check", "Check the configuration, print the one in force, and exit.").BoolVar(&o.checkOnly)
	app.Flag("preflight", "Try what this machine offers to Sonde, print it as a table, and exit: with 1 if Sonde cannot run here.").BoolVar(&o.preflight)
	choose := registerCollectors(app)
	addEnvironment(app)
	return app, choose
}

// registerCollectors adds --[no-]collector.NAME flags. The returned function
// tells, after parsing, which collectors are in use.
func registerCollectors(app *kingpin.Application) func() []string {
	disabled := app.Flag("collector.disable-defaults", "Use only the collectors that are asked for by --collector.NAME.").Bool()
	type choice struct{ enabled, asked bool }
	choices := map[string]*choice{}
	help := collector.Help()
	for _, name := range slices.Sorted(maps.Keys(help)) {
		c := &choice{}
		choices[name] = c
		app.Flag("collector."+name, "Expose "+help[name]+".").Default("true").IsSetByUser(&c.asked).BoolVar(&c.enabled)
	}
	return func() []string {
		var names []string
		for name, c := range choices {
			_, asked := os.LookupEnv(config.EnvName("collector." + name))
			if c.enabled && (c.asked || asked || !*disabled) {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		return names
	}
}

// addEnvironment gives every flag that has none its environment variable.
func addEnvironment(app *kingpin.Application) {
	for _, flag := range app.Model().Flags {
		if flag.Envar == "" && !strings.HasPrefix(flag.Name, "help") && flag.Name != "version" && !strings.HasPrefix(flag.Name, "completion") {
			app.GetFlag(flag.Name).Envar(config.EnvName(flag.Name))
		}
	}
}
