package inspect

import (
	"path"
	"strings"
)

// phpName handles php -S (the built-in server), artisan of Laravel, bin/console
// of Symfony, and plain scripts.
func phpName(p Process) string {
	args := p.Args[1:]
	if option(args, "-S") != "" {
		if name := projectName(p.absolute(option(args, "-t"))); name != "" {
			return name
		}
	}
	if runsInline(args, phpTakesValue, "-r", "-R") {
		return ""
	}
	script := option(args, "-f")
	if script == "" {
		script, _ = operand(args, phpTakesValue)
	}
	if script == "" {
		return ""
	}
	switch baseName(script) {
	case "artisan", "console", "yii", "spark":
		if name := projectName(path.Dir(p.absolute(script))); name != "" {
			return name
		}
	}
	return p.scriptName(script)
}

func phpTakesValue(option string) bool {
	switch option {
	case "-c", "-d", "-z", "-t", "-S", "-f", "-B", "-F", "-E":
		return true
	}
	return false
}

// fpmName names a worker of PHP-FPM by its pool, unless that has the name which
// distributions give to the only one. The master serves all pools.
func fpmName(p Process) string {
	title, _ := p.title()
	pool, found := strings.CutPrefix(title, "php-fpm: pool ")
	if !found || pool == "www" {
		return ""
	}
	return pool
}
