package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// location is the place where a value was written.
type location struct {
	source string // "config file sonde.yml", "flag --series.limit", …
	line   int    // in a file, counted from 1
	key    string // in a file: "series.limit"; empty for the file as a whole
}

func inFile(name string, line int, key string) location {
	return location{source: "config file " + name, line: line, key: key}
}

func atFlag(name string) location { return location{source: "flag --" + name} }

func atEnv(name string) location { return location{source: "environment variable " + name} }

func (l location) isSet() bool { return l != location{} }

// isInFile tells that a line of a file is meant, not a flag or a variable.
func (l location) isInFile() bool { return l.line > 0 }

// file is the name of that file.
func (l location) file() string { return strings.TrimPrefix(l.source, inFile("", 0, "").source) }

// isStandard tells that a variable of the OpenTelemetry specification is meant.
func (l location) isStandard() bool { return strings.HasPrefix(l.source, atEnv("OTEL_").source) }

// String begins a sentence about the value.
func (l location) String() string {
	s := l.source
	if l.line > 0 {
		s += fmt.Sprintf(", line %d", l.line)
	}
	if l.key != "" {
		s += ": " + l.key
	}
	return s
}

// mention names the value within a sentence about another one.
func (l location) mention() string {
	if l.key == "" {
		return l.source
	}
	return fmt.Sprintf("%s (line %d)", l.key, l.line)
}

// under is the location of one part of the value.
func (l location) under(line int, part string) location {
	return location{source: l.source, line: line, key: l.key + part}
}

// located is a value and the place that set it. Without a place the value is a
// default.
type located[T any] struct {
	value T
	at    location
}

func (l located[T]) isSet() bool { return l.at.isSet() }

// problems collects everything that is wrong, one sentence each.
type problems struct {
	found    []problem
	warnings []problem // what does not keep Sonde from running
}

type problem struct {
	line int
	err  error
}

// add reports a sentence of its own.
func (p *problems) add(line int, err error) {
	p.found = append(p.found, problem{line: line, err: err})
}

// tell reports a sentence whose subject is the value at this place.
func (p *problems) tell(at location, format string, args ...any) {
	p.add(at.line, fmt.Errorf("%s %w", at, fmt.Errorf(format, args...)))
}

// wrap reports an error of the value at this place.
func (p *problems) wrap(at location, err error) {
	p.add(at.line, fmt.Errorf("%s: %w", at, err))
}

// warn is tell for what does not keep Sonde from running.
func (p *problems) warn(at location, format string, args ...any) {
	p.warnings = append(p.warnings, problem{at.line, fmt.Errorf("%s %w", at, fmt.Errorf(format, args...))})
}

// err joins all problems, those of the file first and in its order.
func (p *problems) err() error { return errors.Join(inOrder(p.found)...) }

// warned are the warnings in the same order; nil if there are none.
func (p *problems) warned() []string {
	var sentences []string
	for _, err := range inOrder(p.warnings) {
		sentences = append(sentences, err.Error())
	}
	return sentences
}

func inOrder(list []problem) []error {
	slices.SortStableFunc(list, func(a, b problem) int {
		if (a.line == 0) != (b.line == 0) {
			return cmp.Compare(b.line, a.line)
		}
		return cmp.Compare(a.line, b.line)
	})
	errs := make([]error, len(list))
	for i, problem := range list {
		errs[i] = problem.err
	}
	return errs
}

// maxQuoted bounds how much of a bad value an error repeats.
const maxQuoted = 80

func shorten(text string) string {
	if len(text) <= maxQuoted {
		return text
	}
	cut := maxQuoted
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// quote prints a bad value as one short line.
func quote(text string) string {
	quoted := fmt.Sprintf("%q", shorten(text))
	// Backslashes are common in regular expressions; doubled they confuse.
	if plain := `"` + shorten(text) + `"`; strings.ReplaceAll(quoted, `\\`, `\`) == plain {
		return plain
	}
	return quoted
}
