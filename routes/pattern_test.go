package routes

import (
	"slices"
	"testing"
)

func TestPatterns(t *testing.T) {
	tests := []struct {
		name     string
		patterns []string
		path     string
		want     string // empty: no match
	}{
		{"literal", []string{"/users"}, "/users", "/users"},
		{"trailing slash of the path", []string{"/users"}, "/users/", "/users"},
		{"trailing slash of the pattern", []string{"/users/"}, "/users", "/users/"},
		{"case matters", []string{"/users"}, "/Users", ""},
		{"prefix is no match", []string{"/users"}, "/users/list", ""},
		{"shorter path", []string{"/users/list"}, "/users", ""},
		{"inner doubled slash", []string{"/users/list"}, "/users//list", ""},
		{"two trailing slashes", []string{"/users"}, "/users//", ""},
		{"leading doubled slash", []string{"/users"}, "//users", ""},

		{"root", []string{"/"}, "/", "/"},
		{"root alone", []string{"/"}, "/users", ""},

		{"placeholder", []string{"/users/{id}"}, "/users/42", "/users/{id}"},
		{"placeholder takes any bytes", []string{"/users/{id}"}, "/users/%2F;\xff", "/users/{id}"},
		{"placeholder and trailing slash", []string{"/users/{id}"}, "/users/42/", "/users/{id}"},
		{"placeholder is not empty", []string{"/users/{id}"}, "/users/", ""},
		{"placeholder is one segment", []string{"/users/{id}"}, "/users/42/orders", ""},

		{"star", []string{"/assets/*"}, "/assets/a.js", "/assets/*"},
		{"star over many segments", []string{"/assets/*"}, "/assets/a/b//c/", "/assets/*"},
		{"star and slash alone", []string{"/assets/*"}, "/assets/", "/assets/*"},
		{"star needs the slash", []string{"/assets/*"}, "/assets", ""},
		{"star at the root", []string{"/*"}, "/", "/*"},
		{"star at the root takes all", []string{"/*"}, "//a/b", "/*"},
		{"literal star in the path", []string{"/users/{id}"}, "/users/*", "/users/{id}"},

		{"literal beats placeholder", []string{"/users/{id}", "/users/me"}, "/users/me", "/users/me"},
		{"placeholder beats star", []string{"/users/*", "/users/{id}"}, "/users/42", "/users/{id}"},
		{"star takes what is left", []string{"/users/*", "/users/{id}"}, "/users/42/orders", "/users/*"},
		{"literal beats star at a slash", []string{"/assets/*", "/assets"}, "/assets/", "/assets"},
		{"longer star is more specific", []string{"/*", "/a/*", "/a/b/*"}, "/a/b/c", "/a/b/*"},
		{"left beats right", []string{"/{x}/b", "/a/*"}, "/a/b", "/a/*"},
		{"turns back from a dead end", []string{"/a/{x}/c", "/{y}/b/d"}, "/a/b/d", "/{y}/b/d"},
		{"turns back to a star", []string{"/a/b/c", "/a/*"}, "/a/b/d", "/a/*"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			reversed := slices.Clone(test.patterns)
			slices.Reverse(reversed)
			for _, order := range [][]string{test.patterns, reversed} {
				tree, err := newPatternTree(order)
				if err != nil {
					t.Fatalf("newPatternTree(%q): %v", order, err)
				}
				if got := tree.find(test.path); got != test.want {
					t.Errorf("patterns %q name %q as %q, want %q", order, test.path, got, test.want)
				}
			}
		})
	}
}
