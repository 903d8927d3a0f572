package inspect

import (
	"regexp"
	"slices"
	"strings"
)

// Values of telemetry.sdk.language, and the three that OpenTelemetry lacks.
const (
	languageBun    = "bun"
	languageCPP    = "cpp"
	languageDeno   = "deno"
	languageDotnet = "dotnet"
	languageErlang = "erlang"
	languageGo     = "go"
	languageJava   = "java"
	languageNode   = "nodejs"
	languagePerl   = "perl"
	languagePHP    = "php"
	languagePython = "python"
	languageRuby   = "ruby"
	languageRust   = "rust"
	languageSwift  = "swift"
)

// Languages are all values of [Process.Language] but the empty one.
func Languages() []string {
	return []string{
		languageBun, languageCPP, languageDeno, languageDotnet, languageErlang, languageGo, languageJava, languageNode,
		languagePerl, languagePHP, languagePython, languageRuby, languageRust, languageSwift,
	}
}

// family is a kind of interpreter: its own plain name, its language, and how to
// tell what it runs ("" when it cannot be told).
type family struct {
	plain    string
	language string
	name     func(Process) string
}

// interpreterVersion is what distributions append: python3.11, php-fpm8.2,
// ruby-3.1, and the t of a free-threaded python3.13t.
var interpreterVersion = regexp.MustCompile(`[-.]?\d[\d.]*t?$`)

// familyOf recognises an interpreter by the base name of its executable.
func familyOf(program string) (family, bool) {
	plain := interpreterVersion.ReplaceAllString(program, "")
	switch plain {
	case "python", "pypy":
		return family{plain, languagePython, pythonName}, true
	case "uwsgi", "uwsgi-core":
		return family{"uwsgi", languagePython, uwsgiName}, true
	case "node", "nodejs":
		return family{"node", languageNode, nodeName}, true
	case "deno":
		return family{plain, languageDeno, denoName}, true
	case "bun":
		return family{plain, languageBun, bunName}, true
	case "java":
		return family{plain, languageJava, javaName}, true
	case "ruby":
		return family{plain, languageRuby, rubyName}, true
	case "php", "php-cgi":
		return family{plain, languagePHP, phpName}, true
	case "php-fpm":
		return family{plain, languagePHP, fpmName}, true
	case "dotnet":
		return family{plain, languageDotnet, dotnetName}, true
	case "perl":
		return family{plain, languagePerl, perlName}, true
	case "beam.smp", "beam":
		return family{"beam", languageErlang, beamName}, true
	}
	return family{}, false
}

func interpreterName(p Process) Identity {
	family, known := familyOf(p.program())
	if !known || len(p.Args) == 0 {
		return Identity{}
	}
	return Identity{Name: family.name(p), Source: SourceInterpreter}
}

// title returns the command line of a process that wrote one sentence over it,
// as nginx, puma and setproctitle do. There are no arguments to read then.
func (p Process) title() (string, bool) {
	if len(p.Args) != 1 || p.Args[0] == p.Executable {
		return "", false
	}
	text := strings.TrimSpace(p.Args[0])
	return text, strings.ContainsRune(text, ' ')
}

// operand returns the first argument that is neither an option nor the value of
// one, and what follows it. takesValue tells the options whose value is the next
// argument.
func operand(args []string, takesValue func(option string) bool) (first string, rest []string) {
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "--":
			if i+1 < len(args) {
				return args[i+1], args[i+2:]
			}
			return "", nil
		case !strings.HasPrefix(args[i], "-"):
			return args[i], args[i+1:]
		case takesValue(args[i]):
			i++
		}
	}
	return "", nil
}

// option returns the value of the first of the named options, in both ways of
// writing: --app shop and --app=shop.
func option(args []string, names ...string) string {
	for i, arg := range args {
		for _, name := range names {
			if arg == name && i+1 < len(args) {
				return args[i+1]
			}
			if value, found := strings.CutPrefix(arg, name+"="); found {
				return value
			}
		}
	}
	return ""
}

// runsInline says whether one of the flags, which carry code instead of naming a
// file, stands among the options of the interpreter itself.
func runsInline(args []string, takesValue func(option string) bool, flags ...string) bool {
	for i := 0; i < len(args) && strings.HasPrefix(args[i], "-"); i++ {
		if slices.Contains(flags, args[i]) {
			return true
		}
		if takesValue(args[i]) {
			i++
		}
	}
	return false
}

func noValues(string) bool { return false }
