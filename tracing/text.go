package tracing

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxText   = 1024 // bytes of the value of an attribute
	maxMethod = 32   // bytes of a method that is not known
)

// clean makes bytes from a stranger fit for an attribute: valid UTF-8, without
// control characters, and at most limit bytes long.
func clean(text string, limit int) string {
	text = cut(text, limit)
	text = strings.ToValidUTF8(text, string(utf8.RuneError))
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return utf8.RuneError
		}
		return r
	}, text)
	return cut(text, limit) // a replacement is longer than what it replaces
}

// cut shortens text to limit bytes, and does not leave half a character behind.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := limit
	for end > 0 && limit-end < utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}
