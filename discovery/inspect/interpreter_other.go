package inspect

import (
	"path"
	"strings"
)

// dotnetName handles dotnet Shop.Api.dll, dotnet exec … Shop.Api.dll and
// dotnet run --project src/Shop.Api.
func dotnetName(p Process) string {
	args := p.Args[1:]
	for _, arg := range args {
		if strings.HasSuffix(arg, ".dll") {
			// The tools of the SDK are themselves started as …/sdk/8.0.100/dotnet.dll.
			if name := strings.TrimSuffix(baseName(arg), ".dll"); name != "dotnet" {
				return name
			}
		}
	}
	command, _ := operand(args, noValues)
	if command != "run" && command != "watch" {
		return ""
	}
	project := p.absolute(option(args, "--project"))
	if path.Ext(project) == ".csproj" || path.Ext(project) == ".fsproj" {
		return strings.TrimSuffix(baseName(project), path.Ext(project))
	}
	return projectName(project)
}

// perlName handles the servers of PSGI and Mojolicious, and plain scripts.
func perlName(p Process) string {
	if title, rewritten := p.title(); rewritten {
		return firstWord(title) // "starman master", "spamd child"
	}
	if runsInline(p.Args[1:], perlTakesValue, "-e", "-E") {
		return ""
	}
	script, rest := operand(p.Args[1:], perlTakesValue)
	switch server := baseName(script); server {
	case "":
		return ""
	case "plackup", "starman", "starlet", "twiggy", "hypnotoad", "morbo":
		return p.perlApplication(server, rest)
	}
	return p.scriptName(script)
}

func perlTakesValue(option string) bool { return option == "-I" }

// perlApplication names what a server serves: its application file, else the
// directory of that, else the server.
func (p Process) perlApplication(server string, args []string) string {
	app := option(args, "-a", "--app")
	for _, arg := range args {
		if app == "" && strings.HasSuffix(arg, ".psgi") {
			app = arg
		}
	}
	if app == "" && (server == "hypnotoad" || server == "morbo") {
		app, _ = operand(args, func(option string) bool { return option == "-l" || option == "-m" || option == "-w" })
	}
	dir := p.WorkingDir // Where plackup looks for app.psgi.
	if app != "" {
		dir = path.Dir(p.absolute(app))
		if name := trimExtension(baseName(app)); !saysNothing(name) {
			return name
		}
	}
	if name := projectName(dir); name != "" {
		return name
	}
	return server
}

// beamName names an Erlang or Elixir release: RELEASE_NAME, which the start
// script of Elixir exports, then the node, then the directory of a project that
// mix runs, then the release's own root.
func beamName(p Process) string {
	if name := p.Env[envReleaseName]; name != "" {
		return name
	}
	if node := option(p.Args, "-sname", "-name", "--sname", "--name"); node != "" {
		name, _, _ := strings.Cut(node, "@")
		return name
	}
	for _, arg := range p.Args {
		if baseName(arg) == "mix" {
			return projectName(p.WorkingDir)
		}
	}
	if root := option(p.Args, "-root"); baseName(root) != "erlang" {
		return projectName(root)
	}
	return ""
}
