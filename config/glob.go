package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// ParseGlob makes of a glob the regular expression that matches the same texts.
// Globs are those of Grafana Beyla, which matches them with gobwas/glob and no
// separators: * and ** are any text, also across slashes, ? is one character,
// [abc], [!abc], [a-z] and [!a-z] are one of some characters, {a,b*} is one of
// some globs, and \ takes the next character as it is. The whole text must match.
// Faults of that library are not copied: in 0.2.3, /opt/*/app matches /opt/app too,
// and {*,a} does not match every text before another part.
func ParseGlob(pattern string) (Regexp, error) {
	g := globReader{text: []rune(pattern)}
	if err := g.read(); err != nil {
		return Regexp{}, fmt.Errorf("glob %s is not valid at position %d: %w", quote(pattern), g.next, err)
	}
	expression := g.expression()
	if len(expression) > maxRegexpBytes {
		return Regexp{}, fmt.Errorf("glob has %d bytes as a regular expression; at most %d are allowed", len(expression), maxRegexpBytes)
	}
	return ParseRegexp(expression)
}

// globReader goes through a glob and writes the regular expression.
type globReader struct {
	text  []rune
	next  int // index of the rune to read next
	depth int // how many braces are open
	out   strings.Builder
	// hasAny tells that some characters are matched whatever they are.
	hasAny bool
}

func (g *globReader) read() error {
	for {
		r, ok := g.take()
		switch {
		case !ok:
			return nil
		case r == '*':
			for g.takeIf('*') {
			}
			g.any(".*")
		case r == '?':
			g.any(".")
		case r == '[':
			if err := g.class(); err != nil {
				return err
			}
		case r == '{':
			g.depth++
			g.out.WriteString("(?:")
		case r == ',' && g.depth > 0:
			g.out.WriteString("|")
		case r == '}' && g.depth > 0:
			g.depth--
			g.out.WriteString(")")
		case r == '\\':
			if escaped, ok := g.take(); ok {
				g.literal(escaped)
			}
		default:
			g.literal(r)
		}
	}
}

// class reads what follows an opening bracket.
func (g *globReader) class() error {
	opening := "["
	if g.takeIf('!') {
		opening = "[^"
	}
	g.out.WriteString(opening)
	defer g.out.WriteString("]")
	if g.next+1 < len(g.text) && g.text[g.next+1] == '-' {
		return g.span()
	}
	for first := true; ; first = false {
		r, ok := g.take()
		switch {
		case !ok:
			return errors.New(`the closing "]" is missing; write \[ for a bracket in the text`)
		case r == ']' && first:
			return errors.New(`there is nothing between the brackets; write \[ for a bracket in the text`)
		case r == ']':
			return nil
		case r == '\\':
			if r, ok = g.take(); !ok {
				continue
			}
		}
		g.member(r)
	}
}

// span reads a range such as a-z and the closing bracket.
func (g *globReader) span() error {
	from, _ := g.take()
	g.next++ // the dash
	to, ok := g.take()
	switch {
	case !ok:
		return errors.New("the end of the range is missing; write one such as [a-z]")
	case to < from:
		return fmt.Errorf("the range %c-%c is reversed", from, to)
	case !g.takeIf(']'):
		g.next++
		return fmt.Errorf(`"]" must follow the range %c-%c; to have several ranges, write {[a-z],[0-9]}`, from, to)
	}
	g.member(from)
	g.out.WriteString("-")
	g.member(to)
	return nil
}

func (g *globReader) take() (rune, bool) {
	if g.next >= len(g.text) {
		return 0, false
	}
	g.next++
	return g.text[g.next-1], true
}

func (g *globReader) takeIf(r rune) bool {
	if g.next < len(g.text) && g.text[g.next] == r {
		g.next++
		return true
	}
	return false
}

func (g *globReader) any(expression string) {
	g.hasAny = true
	g.out.WriteString(expression)
}

func (g *globReader) literal(r rune) { g.out.WriteString(regexp.QuoteMeta(string(r))) }

// member writes a character within brackets, where a dash means more.
func (g *globReader) member(r rune) {
	if r == '-' {
		g.out.WriteString(`\`)
	}
	g.literal(r)
}

// expression is what was written, for the whole of a text. Braces that are still
// open end with the glob, as in Beyla.
func (g *globReader) expression() string {
	whole := "^" + g.out.String() + strings.Repeat(")", g.depth) + "$"
	if g.hasAny {
		return "(?s)" + whole // a path may have line ends
	}
	return whole
}
