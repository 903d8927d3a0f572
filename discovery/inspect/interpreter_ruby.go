package inspect

import (
	"regexp"
	"strings"
)

var (
	// Puma ends its title with the name of its directory: puma 6.4.0 (tcp://0.0.0.0:3000) [shop].
	pumaTitle = regexp.MustCompile(`^puma.*\[([^\]]+)\]$`)
	// Passenger RubyApp: /var/www/shop (production)
	passengerTitle = regexp.MustCompile(`^Passenger [A-Za-z]+: (/\S*)`)
)

func rubyName(p Process) string {
	if title, rewritten := p.title(); rewritten {
		return p.rubyTitle(title)
	}
	if runsInline(p.Args[1:], rubyTakesValue, "-e") {
		return ""
	}
	script, _ := operand(p.Args[1:], rubyTakesValue)
	if script == "" {
		return ""
	}
	name := trimExtension(baseName(script))
	if runsRubyProject(name) {
		return p.rubyProject(name)
	}
	return p.scriptName(script)
}

func rubyTakesValue(option string) bool {
	switch option {
	case "-I", "-r", "-C", "-E":
		return true
	}
	return false
}

func (p Process) rubyTitle(title string) string {
	if match := pumaTitle.FindStringSubmatch(title); len(match) > 1 && !layoutDirectory(match[1]) {
		return match[1]
	}
	if match := passengerTitle.FindStringSubmatch(title); match != nil {
		if name := projectName(match[1]); name != "" {
			return name
		}
	}
	name := firstWord(title)
	if runsRubyProject(name) {
		return p.rubyProject(name)
	}
	return name
}

// rubyProject names a server by the project in whose directory it was started.
func (p Process) rubyProject(server string) string {
	if name := projectName(p.WorkingDir); name != "" {
		return name
	}
	return server
}

func runsRubyProject(name string) bool {
	switch strings.ToLower(name) {
	case "rails", "puma", "pumactl", "unicorn", "unicorn_rails", "rackup", "thin", "falcon", "bundle", "passenger",
		"sidekiq", "rake", "spring", "shotgun", "rerun", "iodine":
		return true
	}
	return false
}
