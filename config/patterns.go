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

// nameLetters are allowed in the name between braces.
const nameLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"

// checkPattern tells what is wrong with a route pattern.
func checkPattern(pattern string) error {
	if !strings.HasPrefix(pattern, "/") {
		return fmt.Errorf("pattern %s must begin with /", quote(pattern))
	}
	if err := checkText(pattern); err != nil {
		return fmt.Errorf("pattern %s %w", quote(pattern), err)
	}
	if strings.ContainsAny(pattern, "?#") {
		return fmt.Errorf("pattern %s must be a path; leave out the part from ? or #", quote(pattern))
	}
	segments := strings.Split(pattern[1:], "/")
	for i, segment := range segments {
		if err := checkSegment(segment, i == len(segments)-1); err != nil {
			return fmt.Errorf("pattern %s %w", quote(pattern), err)
		}
	}
	return nil
}

func checkSegment(segment string, isLast bool) error {
	switch {
	case segment == "" && !isLast:
		return errors.New("has an empty segment; remove one of the two slashes")
	case segment == "*" && !isLast:
		return errors.New("has * before its end; * is only allowed as the last segment, write {name} for one segment")
	case segment == "*":
		return nil
	case strings.Contains(segment, "*"):
		return fmt.Errorf("has * inside the segment %s; * must be a whole segment", quote(segment))
	case strings.HasPrefix(segment, ":"):
		return fmt.Errorf("has the segment %s; write {%s} instead", quote(segment), segment[1:])
	case !strings.ContainsAny(segment, "{}"):
		return nil
	case segment == "{}":
		return errors.New("has empty braces; write a name between them, such as {id}")
	case strings.Count(segment, "{") != strings.Count(segment, "}"):
		return fmt.Errorf("has an unpaired brace in the segment %s; write {name}", quote(segment))
	case segment[0] != '{' || strings.IndexByte(segment, '}') != len(segment)-1:
		return fmt.Errorf("has braces inside the segment %s; {name} must be a whole segment", quote(segment))
	case strings.Trim(segment[1:len(segment)-1], nameLetters) != "":
		return fmt.Errorf("has the name %s; use letters, digits and _ . - only", quote(segment[1:len(segment)-1]))
	}
	return nil
}

// shape is equal for patterns that match the same paths.
func shape(pattern string) string {
	segments := strings.Split(pattern, "/")
	for i, segment := range segments {
		if strings.HasPrefix(segment, "{") {
			segments[i] = "{}"
		}
	}
	return strings.Join(segments, "/")
}

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
