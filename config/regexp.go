package config

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// maxRegexpBytes keeps a pattern readable in an error and cheap to compile.
const maxRegexpBytes = 1024

// Regexp is a regular expression in RE2 syntax. It may match anywhere in the
// text unless ^ and $ say otherwise. The zero value is not set and matches
// everything.
type Regexp struct{ re *regexp.Regexp }

// ParseRegexp compiles pattern.
func ParseRegexp(pattern string) (Regexp, error) {
	if pattern == "" {
		return Regexp{}, errors.New("regular expression is empty; leave it out, or write .* to match everything")
	}
	if len(pattern) > maxRegexpBytes {
		return Regexp{}, fmt.Errorf("regular expression has %d bytes; at most %d are allowed", len(pattern), maxRegexpBytes)
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return Regexp{}, explainRegexp(pattern, err)
	}
	return Regexp{re: re}, nil
}

// MatchString tells whether the expression matches somewhere in text.
func (r Regexp) MatchString(text string) bool { return r.re == nil || r.re.MatchString(text) }

// IsZero tells that no expression is set.
func (r Regexp) IsZero() bool { return r.re == nil }

// String is the expression as it was written; empty if not set.
func (r Regexp) String() string {
	if r.re == nil {
		return ""
	}
	return r.re.String()
}

// MarshalYAML prints the expression as it was written.
func (r Regexp) MarshalYAML() (any, error) { return r.String(), nil }

func explainRegexp(pattern string, err error) error {
	var broken *syntax.Error
	if !errors.As(err, &broken) {
		return fmt.Errorf("regular expression %s is not valid: %w", quote(pattern), err)
	}
	hint := ""
	if broken.Code == syntax.ErrMissingRepeatArgument {
		hint = `; to match any text write ".*"`
	}
	return fmt.Errorf("regular expression %s is not valid at position %d: %s%s",
		quote(pattern), mistakeAt(pattern, broken)+1, broken.Code, hint)
}

// mistakeAt finds the byte offset that package regexp does not report. It mostly
// names the faulty part. Where it names the whole pattern (a parenthesis) or
// nothing (a backslash), the mistake follows the longest start that compiles.
func mistakeAt(pattern string, broken *syntax.Error) int {
	if broken.Expr != "" && broken.Expr != pattern {
		return max(0, strings.Index(pattern, broken.Expr))
	}
	for end := len(pattern) - 1; end > 0; end-- {
		if _, err := syntax.Parse(pattern[:end], syntax.Perl); err == nil {
			return end
		}
	}
	return 0
}
