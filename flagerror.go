package main

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"sonde_exporter/collector"
)

// explainFlag puts what the flag library says of a command line into words that
// say what to write instead.
func explainFlag(err error) error {
	text := err.Error()
	switch {
	case named(text, `^unknown long flag '--(?:no-)?collector\.(.*)'$`) != "":
		return fmt.Errorf("there is no collector %q; there are %s",
			named(text, `collector\.(.*)'$`), strings.Join(slices.Sorted(maps.Keys(collector.Help())), ", "))
	case named(text, `^unknown (?:long|short) flag '(.*)'$`) != "":
		text = "unknown flag " + named(text, `'(.*)'`)
	case named(text, `^flag '(.*)' cannot be repeated$`) != "":
		return fmt.Errorf("flag --%s is there twice; leave one of the two out", named(text, `'(.*)'`))
	case named(text, `^unexpected (\S+)$`) != "":
		text = fmt.Sprintf("%q is no flag", named(text, `^unexpected (\S+)$`))
	}
	return errors.New(text + "; see sonde_exporter --help")
}

// named is what the group of a pattern matches, empty if it does not.
func named(text, pattern string) string {
	match := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if match == nil {
		return ""
	}
	return match[1]
}
