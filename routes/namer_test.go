package routes

import (
	"strings"
	"testing"
)

func newTestNamer(t testing.TB, options Options) *Namer {
	t.Helper()
	namer, err := New(options)
	if err != nil {
		t.Fatalf("New(%+v): %v", options, err)
	}
	return namer
}

func requireRoute(t *testing.T, namer *Namer, path, want string) {
	t.Helper()
	route, ignored := namer.Route("shop", path)
	if route != want || ignored {
		t.Errorf("Route(%q) = %q, ignored %t, want %q", path, route, ignored, want)
	}
}

func TestUnmatched(t *testing.T) {
	tests := []struct{ path, heuristic, wildcard, rawPath string }{
		{"/", "/", "/**", "/"},
		{"", "/", "/**", "/"},
		{"/users/42", "/users/*", "/**", "/users/42"},
		{"*", "*", "/**", "*"},
		{"example.com:443", "*", "/**", "example.com:443"},
		{"http://example.com", "/", "/**", "/"},
		{"http://example.com/users/42", "/users/*", "/**", "/users/42"},
		{"HTTPS://me:secret@[::1]:80/a", "/a", "/**", "/a"},
		{"no-slash/at-start", "*", "/**", "no-slash/at-start"},
		{"//users//list/", "//users//list/", "/**", "//users//list/"},
		{"/a/../b/.", "/a/../b/.", "/**", "/a/../b/."},
		{"/a%2Fb/c", "/*/c", "/**", "/a%2Fb/c"},
		{"/login;jsessionid=A1", "/*", "/**", "/login;jsessionid=A1"},
		{"/login?password=x", "/*", "/**", "/login"},
		{"/a\xff\xfe/b", "/*/b", "/**", "/a\uFFFD\uFFFD/b"},
		{"/caf\u00e9", "/*", "/**", "/caf\u00e9"},
		{"/a\x00\r\nb\u0085", "/*", "/**", "/a\uFFFD\uFFFD\uFFFDb\uFFFD"},
	}
	namers := make(map[string]*Namer)
	for _, unmatched := range []string{"", UnmatchedHeuristic, UnmatchedUnset, UnmatchedWildcard, UnmatchedPath} {
		namers[unmatched] = newTestNamer(t, Options{Unmatched: unmatched})
	}
	for _, test := range tests {
		t.Run(test.path, func(t *testing.T) {
			requireRoute(t, namers[""], test.path, test.heuristic)
			requireRoute(t, namers[UnmatchedHeuristic], test.path, test.heuristic)
			requireRoute(t, namers[UnmatchedUnset], test.path, "")
			requireRoute(t, namers[UnmatchedWildcard], test.path, test.wildcard)
			requireRoute(t, namers[UnmatchedPath], test.path, test.rawPath)
		})
	}
}

func TestPathIsCutBetweenRunes(t *testing.T) {
	namer := newTestNamer(t, Options{Unmatched: UnmatchedPath})
	requireRoute(t, namer, "/"+strings.Repeat("a", 127), "/"+strings.Repeat("a", 127))
	requireRoute(t, namer, "/"+strings.Repeat("a", 128), "/"+strings.Repeat("a", 127))
	requireRoute(t, namer, "/"+strings.Repeat("\u20ac", 100), "/"+strings.Repeat("\u20ac", 42))
	requireRoute(t, namer, "/"+strings.Repeat("\U0001F600", 100), "/"+strings.Repeat("\U0001F600", 31))
	requireRoute(t, namer, "/"+strings.Repeat("\xff", 100), "/"+strings.Repeat("\uFFFD", 42))
}

func TestPatternsComeBeforeTheHeuristic(t *testing.T) {
	namer := newTestNamer(t, Options{Patterns: []string{"/users/{id}"}})
	requireRoute(t, namer, "/users/ann", "/users/{id}")
	requireRoute(t, namer, "http://example.com/users/42", "/users/{id}")
	requireRoute(t, namer, "/orders/42", "/orders/*")
	requireRoute(t, namer, "*", "*")
}

func TestIgnoredPatternsWin(t *testing.T) {
	namer := newTestNamer(t, Options{
		Patterns: []string{"/health/report", "/users/{id}"},
		Ignored:  []string{"/health/*", "/metrics"},
	})
	tests := []struct {
		path, route string
		ignored     bool
	}{
		{"/metrics", "/metrics", true},
		{"/metrics/", "/metrics", true},
		{"/metrics/sub", "/metrics/sub", false},
		{"/health/ready", "/health/*", true},
		{"/health/report", "/health/*", true},
		{"/users/1", "/users/{id}", false},
	}
	for _, test := range tests {
		if route, ignored := namer.Route("shop", test.path); route != test.route || ignored != test.ignored {
			t.Errorf("Route(%q) = %q, ignored %t, want %q, %t", test.path, route, ignored, test.route, test.ignored)
		}
	}
}

func TestFoldsIDs(t *testing.T) {
	tests := []struct {
		name    string
		options Options
		want    bool
	}{
		{"nothing set", Options{}, true},
		{"words and placeholders", Options{Patterns: []string{"/users/{id}", "/assets/*", "/"}}, true},
		{"a version is no id", Options{Patterns: []string{"/api/v1/users"}}, true},
		{"literal digits", Options{Patterns: []string{"/errors/404"}}, false},
		{"literal beneath a placeholder", Options{Patterns: []string{"/{a}/{b}/oauth2.0-x12"}}, false},
		{"literal that needs encoding", Options{Patterns: []string{"/caf%C3%A9"}}, false},
		{"ignored literal digits", Options{Ignored: []string{"/generate_204"}}, false},
		{"digits in a placeholder's name", Options{Patterns: []string{"/{id123}"}}, true},
		{"unset", Options{Unmatched: UnmatchedUnset}, true},
		{"wildcard", Options{Unmatched: UnmatchedWildcard}, true},
		{"raw paths", Options{Unmatched: UnmatchedPath}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := newTestNamer(t, test.options).FoldsIDs(); got != test.want {
				t.Errorf("FoldsIDs() = %t, want %t", got, test.want)
			}
		})
	}
}

func TestNewRejects(t *testing.T) {
	tests := []struct {
		name    string
		options Options
		message string
	}{
		{"mode", Options{Unmatched: "auto"}, `routes.unmatched: "auto" is not known: use heuristic, unset, wildcard or path`},
		{"empty", patterns(""), `routes.patterns: "" must begin with /`},
		{"no slash", patterns("users"), `"users" must begin with /`},
		{"repeated", patterns("/a", "/a"), `"/a" matches the same paths as "/a"`},
		{"trailing slash", patterns("/a", "/a/"), `"/a/" matches the same paths as "/a"`},
		{"other name", patterns("/a/{x}/b", "/a/{y}/b"), `"/a/{y}/b" matches the same paths as "/a/{x}/b"`},
		{"two stars", patterns("/{a}/*", "/{b}/*"), `"/{b}/*" matches the same paths as "/{a}/*"`},
		{"ignored", Options{Ignored: []string{"x"}}, `routes.ignored_patterns: "x" must begin with /`},
		{"both", Options{Patterns: []string{"/a/{x}"}, Ignored: []string{"/a/{y}"}}, `routes.ignored_patterns: "/a/{y}" is also in routes.patterns as "/a/{x}"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := New(test.options)
			if err == nil || !strings.Contains(err.Error(), test.message) {
				t.Errorf("New(%+v) = %v, want an error with %q", test.options, err, test.message)
			}
		})
	}
}

func patterns(patterns ...string) Options { return Options{Patterns: patterns} }
