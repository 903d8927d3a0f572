package routes

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// sanitize makes a raw path fit for a label: valid UTF-8 without control
// characters, at most maxRoute bytes, and without a query, which may hold secrets.
func sanitize(path string) string {
	if end := strings.IndexAny(path, "?#"); end >= 0 {
		path = path[:end]
	}
	// Replacing never shortens, so a cut beforehand bounds the work.
	path = path[:min(len(path), maxRoute+utf8.UTFMax)]
	path = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return utf8.RuneError
		}
		return r // bytes that are no UTF-8 arrive here as RuneError
	}, path)
	if len(path) <= maxRoute {
		return path
	}
	end := maxRoute
	for !utf8.RuneStart(path[end]) {
		end--
	}
	return path[:end]
}
