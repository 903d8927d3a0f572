package config

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxTextBytes bounds names and patterns: they become label values.
const maxTextBytes = 256

// checkText tells why text cannot become a label value.
func checkText(text string) error {
	switch {
	case !utf8.ValidString(text):
		return errors.New("is not valid UTF-8")
	case len(text) > maxTextBytes:
		return fmt.Errorf("has %d bytes; at most %d are allowed", len(text), maxTextBytes)
	case strings.ContainsFunc(text, unicode.IsControl):
		return errors.New("contains a control character; remove it")
	case strings.TrimSpace(text) != text:
		return errors.New("begins or ends with a space; remove it")
	}
	return nil
}
