package routes

import (
	"strings"
	"testing"
)

func TestCheckPattern(t *testing.T) {
	for _, pattern := range []string{
		"/", "/users", "/users/", "/users/{id}", "/users/{id}/orders/{order_id}", "/assets/*", "/*",
		"/v1/messages:send", "/café", "/a.b-c_d", "/{v1.2-x}",
	} {
		if err := CheckPattern(pattern); err != nil {
			t.Errorf("%s is refused: %v", pattern, err)
		}
	}
	for pattern, want := range map[string]string{
		"":              `must begin with /`,
		"users":         `must begin with /`,
		"http://a/b":    `must begin with /`,
		"//a":           `has an empty segment; remove one of the two slashes`,
		"/a//b":         `has an empty segment; remove one of the two slashes`,
		"/a/{}":         `has empty braces; write a name between them, such as {id}`,
		"/a/{b":         `has an unpaired brace in the segment "{b"; write {name}`,
		"/a/b}":         `has an unpaired brace in the segment "b}"; write {name}`,
		"/a/{{b}":       `has an unpaired brace in the segment "{{b}"; write {name}`,
		"/a/x{b}":       `has braces inside the segment "x{b}"; {name} must be a whole segment`,
		"/a/{b}.json":   `has braces inside the segment "{b}.json"; {name} must be a whole segment`,
		"/a/{b}{c}":     `has braces inside the segment "{b}{c}"; {name} must be a whole segment`,
		"/a/}{":         `has braces inside the segment "}{"; {name} must be a whole segment`,
		"/a/{{b}}":      `has braces inside the segment "{{b}}"; {name} must be a whole segment`,
		"/a/{b c}":      `has the name "b c"; use letters, digits and _ . - only`,
		"/a/*/b":        `has * before its end; * is only allowed as the last segment, write {name} for one segment`,
		"/a/*.css":      `has * inside the segment "*.css"; * must be a whole segment`,
		"/a/**":         `has * inside the segment "**"; * must be a whole segment`,
		"/a/:id":        `has the segment ":id"; write {id} instead`,
		"/a?b=c":        `must be a path; leave out the part from ? or #`,
		"/a#b":          `must be a path; leave out the part from ? or #`,
		"/a ":           `begins or ends with a space; remove it`,
		"/a\x00b":       `contains a control character; remove it`,
		"/a\xff":        `is not valid UTF-8; percent-encode it`,
		longPath("/aa"): `has 303 bytes; at most 128 are allowed`,
	} {
		if err := CheckPattern(pattern); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", pattern, err, want)
		}
	}
}

func longPath(start string) string { return start + strings.Repeat("b", 300) }

func TestShape(t *testing.T) {
	for _, same := range [][2]string{{"/a", "/a/"}, {"/{a}/b", "/{b}/b"}, {"/a/*", "/a/*"}} {
		if Shape(same[0]) != Shape(same[1]) {
			t.Errorf("%s and %s match the same paths, but have the shapes %q and %q", same[0], same[1], Shape(same[0]), Shape(same[1]))
		}
	}
	for _, other := range [][2]string{{"/a", "/b"}, {"/{a}", "/a"}, {"/a/*", "/a"}, {"/", "/{a}"}} {
		if Shape(other[0]) == Shape(other[1]) {
			t.Errorf("%s and %s do not match the same paths, but have one shape %q", other[0], other[1], Shape(other[0]))
		}
	}
}
