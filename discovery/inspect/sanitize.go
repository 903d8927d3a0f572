package inspect

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxName is the greatest length of a service name or namespace, in bytes.
const MaxName = 128

// Sanitize makes bytes from a stranger fit for a label: valid UTF-8, without
// control and other invisible characters, without surrounding space, and at
// most [MaxName] bytes long. It returns "" when nothing is left.
func Sanitize(s string) string {
	// A name that begins with this much that is invisible is not worth a search.
	if len(s) > 16*MaxName {
		s = s[:16*MaxName]
	}
	s = strings.ToValidUTF8(s, string(utf8.RuneError))
	s = strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return -1
		}
		return r
	}, s)
	s = strings.TrimSpace(s)
	if len(s) > MaxName {
		end := MaxName
		for !utf8.RuneStart(s[end]) {
			end--
		}
		s = strings.TrimSpace(s[:end])
	}
	return s
}
