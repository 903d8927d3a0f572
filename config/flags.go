package config

import (
	"os"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"sonde_exporter/routes"
)

// EnvName is the environment variable of a flag: --series.limit-per-service is
// SONDE_SERIES_LIMIT_PER_SERVICE.
func EnvName(flag string) string {
	return "SONDE_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(flag))
}

// Flags are the command line flags of the configuration.
type Flags struct {
	file                                 *option
	port, exe, name, namespace           *option
	excludePort, excludeExe              *option
	patterns, ignoredPatterns, unmatched *option
	buckets                              *option
	limit, limitPerService, retention    *option
	exports                              []boundFlag
}

// option is one flag and its environment variable, as text: what the text
// means is checked in Load, together with everything else.
type option struct {
	flag     string
	shortEnv string   // a second environment variable, if any
	values   []string // several only if the flag may be repeated
	isTyped  bool     // set on the command line, not by the environment
	isSecret bool     // set by the environment only, and never printed
}

// RegisterFlags adds a flag for each key of the configuration to app. The
// values are there after app has parsed the command line.
func RegisterFlags(app *kingpin.Application) *Flags {
	one := func(flag, placeholder, help string) *option {
		o := &option{flag: flag}
		o.register(app, placeholder, help).SetValue((*single)(o))
		return o
	}
	many := func(flag, placeholder, help string) *option {
		o := &option{flag: flag}
		o.register(app, placeholder, help).StringsVar(&o.values)
		return o
	}
	short := func(env string, o *option) *option {
		o.shortEnv = env
		return o
	}
	return &Flags{
		file: one("config.file", "FILE",
			"YAML configuration file."),
		port: short("SONDE_OPEN_PORT", one("discovery.open-port", "PORTS",
			"Measure processes that listen on these ports, such as 80,8000-8999. Also $SONDE_OPEN_PORT.")),
		exe: short("SONDE_EXECUTABLE_NAME", one("discovery.executable-name", "REGEXP",
			"Measure processes whose executable path matches. Also $SONDE_EXECUTABLE_NAME.")),
		name: short("SONDE_SERVICE_NAME", one("discovery.service-name", "NAME",
			"Service name of the selected processes. Also $SONDE_SERVICE_NAME.")),
		namespace: short("SONDE_SERVICE_NAMESPACE", one("discovery.service-namespace", "NAME",
			"Service namespace of the selected processes. Also $SONDE_SERVICE_NAMESPACE.")),
		excludePort: one("discovery.exclude.open-port", "PORTS",
			"Leave out processes that listen on these ports."),
		excludeExe: one("discovery.exclude.executable-name", "REGEXP",
			"Leave out processes whose executable path matches; with ports, both must match."),
		patterns: many("routes.pattern", "/users/{id}",
			"Route pattern; repeatable."),
		ignoredPatterns: many("routes.ignored-pattern", "/health",
			"Pattern of paths that are not measured; repeatable."),
		unmatched: one("routes.unmatched", routes.UnmatchedHeuristic,
			"Route of a path that no pattern matches: heuristic, unset, wildcard or path."),
		buckets: one("histogram.buckets", "0.005,0.01,…,10",
			"Upper bounds of the classic buckets in seconds."),
		limit: one("series.limit", "10000",
			"Most series in all; what is beyond goes to each service's series \"other\"."),
		limitPerService: one("series.limit-per-service", "1000",
			"Most series of one service."),
		retention: one("series.retention", "5m",
			"How long series outlive their service."),
		exports: registerExports(app),
	}
}

// File is the path of the configuration file, empty if there is none.
func (f *Flags) File() string { return f.file.text() }

// register adds the flag and its variable; the caller says what takes the text.
func (o *option) register(app *kingpin.Application, placeholder, help string) *kingpin.FlagClause {
	return app.Flag(o.flag, help).PlaceHolder(placeholder).Envar(EnvName(o.flag)).IsSetByUser(&o.isTyped)
}

// single makes a kingpin value of an option that takes one text.
type single option

// Set is called by kingpin for the flag, or else for its variable if not empty.
func (s *single) Set(text string) error {
	s.values = []string{text}
	return nil
}

// String returns the text, empty if not set.
func (s *single) String() string {
	if len(s.values) == 0 {
		return ""
	}
	return s.values[0]
}

// onOffSingle is a single that needs no text: --name sets true, --no-name false.
type onOffSingle option

// Set is called by kingpin as that of single.
func (s *onOffSingle) Set(text string) error { return (*single)(s).Set(text) }

// String returns the text, empty if not set.
func (s *onOffSingle) String() string { return (*single)(s).String() }

// IsBoolFlag tells kingpin that no text follows the flag.
func (s *onOffSingle) IsBoolFlag() bool { return true }

func (o *option) isSet() bool { return len(o.values) > 0 }

func (o *option) text() string { return (*single)(o).String() }

// onlyTyped is the option without what the environment says.
func (o *option) onlyTyped() *option {
	if o.isTyped {
		return o
	}
	return &option{flag: o.flag}
}

func (o *option) at() location {
	if o.isTyped {
		return atFlag(o.flag)
	}
	return atEnv(EnvName(o.flag))
}

// list returns the values of a repeatable flag. In the environment, where
// kingpin splits at line ends, commas separate as well.
func (o *option) list() []located[string] {
	values := o.values
	if !o.isTyped {
		values = strings.FieldsFunc(strings.Join(values, "\n"), func(r rune) bool { return r == ',' || r == '\n' })
	}
	var all []located[string]
	for _, value := range values {
		if value = strings.TrimSpace(value); value != "" || o.isTyped {
			all = append(all, located[string]{value, o.at()})
		}
	}
	return all
}

// setting is the text of an option and the place that set it. The short
// variable is read here because kingpin knows one variable a flag.
func (o *option) setting(p *problems) located[string] {
	long := o.long()
	short := located[string]{os.Getenv(o.shortEnv), atEnv(o.shortEnv)}
	switch {
	case o.isTyped || short.value == "":
		return long
	case long.isSet() && long.value != short.value && o.isSecret:
		p.tell(short.at, "and %s are both set but differ; unset one of the two", EnvName(o.flag))
	case long.isSet() && long.value != short.value:
		p.tell(short.at, "is %s but %s is %s; unset one of the two",
			quote(short.value), EnvName(o.flag), quote(long.value))
	}
	return short
}

// long is what the flag or the variable of its name say. The variable of a
// secret is read here because kingpin does not know it.
func (o *option) long() located[string] {
	if text := os.Getenv(EnvName(o.flag)); o.isSecret && text != "" {
		return located[string]{text, o.at()}
	}
	if !o.isSet() {
		return located[string]{}
	}
	return located[string]{o.text(), o.at()}
}
