package routes

import (
	"strings"
	"testing"
)

func TestSource(t *testing.T) {
	namer, err := New(Options{Patterns: []string{"/users/{id}"}, Ignored: []string{"/health"}})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/users/7": "pattern", "/health": "ignored pattern", "/else": UnmatchedHeuristic, "http://a/users/7": "pattern", "*": UnmatchedHeuristic,
	} {
		if got := namer.Source(path); got != want {
			t.Errorf("the route of %q comes from %q, want %q", path, got, want)
		}
	}
}

// TestMasked: what may be a secret does not get into a log.
func TestMasked(t *testing.T) {
	for path, want := range map[string]string{
		"/users/12345/orders":                     "/users/*/orders",
		"/reset/0f1e2d3c4b5a69788796a5b4c3d2e1f0": "/reset/*",
		"/search?password=x":                      "/search",
		"/a\x1b[31m\xff":                          "/*",
		"/" + strings.Repeat("/word", 100):        "/" + strings.Repeat("/word", 25) + "/w",
		"":                                        "",
	} {
		if got := Masked(path); got != want {
			t.Errorf("Masked(%q) is %q, want %q", path, got, want)
		}
	}
}
