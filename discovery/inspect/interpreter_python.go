package inspect

import (
	"path"
	"regexp"
	"strings"
)

// pythonTarget is what a command line asks Python to run.
type pythonTarget struct {
	module string
	script string
	args   []string
}

// parsePython follows python's own reading of its command line: options may
// stand together (-Im module) and hold their value (-mmodule); -m, -c and the
// first operand end the options.
func parsePython(args []string) pythonTarget {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "-" || arg == "":
			return pythonTarget{}
		case arg == "--check-hash-based-pycs":
			i++
			continue
		case strings.HasPrefix(arg, "--"):
			continue
		case arg[0] != '-':
			return pythonTarget{script: arg, args: args[i+1:]}
		}
		at := strings.IndexAny(arg, "cmQWX")
		if at < 0 {
			continue
		}
		value, rest := arg[at+1:], args[i+1:]
		if value == "" && len(rest) > 0 {
			value, rest = rest[0], rest[1:]
			i++
		}
		switch arg[at] {
		case 'c':
			return pythonTarget{args: rest}
		case 'm':
			return pythonTarget{module: value, args: rest}
		}
	}
	return pythonTarget{}
}

func pythonName(p Process) string {
	if title, rewritten := p.title(); rewritten {
		return p.pythonTitle(title)
	}
	target := parsePython(p.Args[1:])
	// Workers of multiprocessing's spawn method (uvicorn --workers) are started as
	// python -c '…' --multiprocessing-fork: they run what their parent runs.
	if len(target.args) > 0 && target.args[0] == "--multiprocessing-fork" {
		return p.parentName(languagePython)
	}
	if target.module != "" {
		if name := p.pythonServer(target.module, target.args); name != "" {
			return name
		}
		return strings.TrimSuffix(target.module, ".__main__")
	}
	if target.script == "" {
		return ""
	}
	if trimExtension(baseName(target.script)) == "manage" {
		return p.djangoProject(path.Dir(p.absolute(target.script)))
	}
	if name := p.pythonServer(trimExtension(baseName(target.script)), target.args); name != "" {
		return name
	}
	return p.scriptName(target.script)
}

// parentName names a worker after its parent when that runs the same language.
// One step is enough, and a limit against loops.
func (p Process) parentName(language string) string {
	parent, err := p.files.Process(p.Parent)
	if err != nil || parent.Language != language || parent.Parent == p.PID {
		return ""
	}
	if len(parent.Args) > 0 && parent.Args[len(parent.Args)-1] == "--multiprocessing-fork" {
		return ""
	}
	return interpreterName(parent).Name
}

// pythonServer names the application that a known server was asked to serve. It
// returns "" for programs that it does not know.
func (p Process) pythonServer(server string, args []string) string {
	switch server {
	case "gunicorn", "gunicorn.app.wsgiapp":
		if name := option(args, "--name", "-n"); name != "" {
			return name
		}
		return p.application("gunicorn", findApplication(args), option(args, "--chdir"))
	case "uvicorn", "hypercorn", "daphne", "granian", "waitress-serve", "waitress", "sanic":
		return p.application(server, findApplication(args), option(args, "--app-dir", "--working-dir"))
	case "flask", "quart", "celery", "litestar":
		app := option(args, "--app", "-A")
		if app == "" && server == "flask" {
			app = p.Env[envFlaskApp]
		}
		return p.application(server, app, "")
	case "uwsgi", "pyuwsgi":
		return p.uwsgiApplication(args)
	case "django-admin", "django":
		return p.djangoProject(p.WorkingDir)
	case "fastapi", "streamlit":
		// fastapi run FILE, streamlit run FILE
		for _, arg := range args {
			if strings.HasSuffix(arg, ".py") {
				return p.scriptName(arg)
			}
		}
		return p.application(server, "", "")
	}
	return ""
}

func (p Process) djangoProject(dir string) string {
	if name := projectName(dir); name != "" {
		return name
	}
	if settings := p.Env[envDjangoSettings]; settings != "" {
		name, _, _ := strings.Cut(settings, ".settings")
		return name
	}
	return "django"
}

// application names what a server serves: the module without its telling-nothing
// ends (shop.wsgi:app is shop), else the project's directory, else the server.
func (p Process) application(server, spec, dir string) string {
	if name := moduleName(spec); name != "" {
		return name
	}
	if dir == "" && strings.Contains(spec, "/") { // A file, as in uwsgi --wsgi-file.
		dir = path.Dir(spec)
	}
	if name := projectName(p.absolute(dir)); name != "" {
		return name
	}
	return server
}

func moduleName(spec string) string {
	module, _, _ := strings.Cut(spec, ":")
	module = trimExtension(baseName(module))
	parts := strings.Split(strings.TrimPrefix(module, "src."), ".")
	for len(parts) > 0 && saysNothing(parts[len(parts)-1]) {
		parts = parts[:len(parts)-1]
	}
	return strings.Join(parts, ".")
}

var (
	applicationSpec = regexp.MustCompile(`^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(\(.*\))?$`)
	moduleSpec      = regexp.MustCompile(`^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$`)
)

// findApplication finds MODULE:NAME or MODULE among the arguments of a server.
// Knowing which of the servers' many options take values is not needed: what
// looks like MODULE:NAME is it, then a lone module, then a module behind an
// option that may be a mere switch.
func findApplication(args []string) string {
	var behindOption string
	for i, arg := range args {
		if applicationSpec.MatchString(arg) && (i == 0 || !namesOtherModule(args[i-1])) {
			return arg
		}
	}
	for i, arg := range args {
		if !moduleSpec.MatchString(arg) || strings.HasSuffix(arg, ".py") {
			continue
		}
		if i == 0 || !strings.HasPrefix(args[i-1], "-") || strings.Contains(args[i-1], "=") {
			return arg
		}
		if behindOption == "" && strings.Contains(arg, ".") && !namesOtherModule(args[i-1]) {
			behindOption = arg
		}
	}
	return behindOption
}

// namesOtherModule tells options whose value looks like a module but is not the
// application.
func namesOtherModule(option string) bool {
	switch option {
	case "-k", "--worker-class", "-c", "--config", "--logger-class", "--log-config", "-b", "--bind", "--host",
		"--http", "--ws", "--loop", "--lifespan", "--paste":
		return true
	}
	return false
}

// gunicornTitle is what gunicorn shows when setproctitle is installed.
var gunicornTitle = regexp.MustCompile(`^gunicorn: \w+ \[(.+)\]$`)

func (p Process) pythonTitle(title string) string {
	if match := gunicornTitle.FindStringSubmatch(title); match != nil {
		return p.application("gunicorn", match[1], "")
	}
	name := firstWord(strings.TrimLeft(title, "["))
	if _, interpreter := familyOf(name); interpreter {
		return ""
	}
	return name
}

// uwsgiName names the application of uWSGI's own executable.
func uwsgiName(p Process) string {
	return p.uwsgiApplication(p.Args[1:])
}

func (p Process) uwsgiApplication(args []string) string {
	if spec := option(args, "--module", "-w", "--wsgi", "--wsgi-file", "--file"); spec != "" {
		return p.application("uwsgi", spec, option(args, "--chdir"))
	}
	// Distributions name each application's file: apps-enabled/shop.ini.
	config := option(args, "--ini", "--yaml", "--yml", "--xml", "--json")
	for _, arg := range args {
		if config == "" && !strings.HasPrefix(arg, "-") && strings.HasSuffix(arg, ".ini") {
			config = arg
		}
	}
	name := strings.TrimSuffix(baseName(config), path.Ext(config))
	if name == "" || name == "uwsgi" || saysNothing(name) {
		return p.application("uwsgi", "", option(args, "--chdir"))
	}
	return name
}
