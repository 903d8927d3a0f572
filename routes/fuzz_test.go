package routes

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func requireSane(t *testing.T, path, route string) {
	t.Helper()
	if len(route) > maxRoute {
		t.Errorf("Route(%q) = %q is %d bytes long", path, route, len(route))
	}
	if !utf8.ValidString(route) {
		t.Errorf("Route(%q) = %q is not UTF-8", path, route)
	}
}

func FuzzRoute(f *testing.F) {
	for _, path := range []string{
		"", "/", "*", "//", "/users/42", "/users/me", "/a/b/../%2F", "http://h/p", "://", "h:443", "/a;b=c/\xff",
		"/" + strings.Repeat("a", 200), strings.Repeat("/\xe2\x82\xac", 70), strings.Repeat("/a", 70),
	} {
		f.Add(path, "7")
	}
	f.Fuzz(func(t *testing.T, path, id string) {
		for _, unmatched := range []string{UnmatchedHeuristic, UnmatchedUnset, UnmatchedWildcard, UnmatchedPath} {
			namer, err := New(Options{
				Patterns:  []string{"/users/{id}", "/users/me", "/{a}/b/*", "/"},
				Ignored:   []string{"/health/*"},
				Unmatched: unmatched,
			})
			if err != nil {
				t.Fatal(err)
			}
			route, ignored := namer.Route("shop", path)
			requireSane(t, path, route)
			if !namer.FoldsIDs() {
				continue
			}
			// The kernel asks for one of all paths that differ in their ids.
			twin := withOtherIDs(path, id)
			if twinRoute, twinIgnored := namer.Route("shop", twin); twinRoute != route || twinIgnored != ignored {
				t.Errorf("%s: Route(%q) = %q, but Route(%q) = %q", unmatched, path, route, twin, twinRoute)
			}
		}
	})
}

// withOtherIDs replaces every segment that looks like an id.
func withOtherIDs(path, id string) string {
	if strings.Contains(id, "/") || !looksLikeID(id) {
		id = "0"
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if looksLikeID(segment) {
			segments[i] = id
		}
	}
	return strings.Join(segments, "/")
}

// FuzzPattern checks that an accepted pattern names a path made from it.
func FuzzPattern(f *testing.F) {
	for _, pattern := range []string{"/", "/*", "/users/{id}", "/a/{b}/c/*", "/a/", "/{", "/}{", "/{}", "//", "/:x", "/a/*/"} {
		f.Add(pattern)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		namer, err := New(Options{Patterns: []string{pattern}})
		if err != nil {
			return
		}
		segments := patternSegments(pattern)
		for i, segment := range segments {
			if isPlaceholder(segment) || segment == "*" {
				segments[i] = "x"
			}
		}
		path := "/" + strings.Join(segments, "/")
		route, _ := namer.Route("shop", path)
		requireSane(t, path, route)
		if route != pattern {
			t.Errorf("Route(%q) = %q, want the pattern %q", path, route, pattern)
		}
	})
}
