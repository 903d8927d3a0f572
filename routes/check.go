package routes

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxRoute is the longest route in bytes, so that no label grows beyond it.
const maxRoute = 128

// nameLetters are allowed in the name between braces.
const nameLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"

// CheckPattern tells what is wrong with a pattern, in words that follow it.
func CheckPattern(pattern string) error {
	switch {
	case !strings.HasPrefix(pattern, "/"):
		return errors.New("must begin with /")
	case !utf8.ValidString(pattern):
		return errors.New("is not valid UTF-8; percent-encode it")
	case len(pattern) > maxRoute:
		return fmt.Errorf("has %d bytes; at most %d are allowed", len(pattern), maxRoute)
	case strings.ContainsFunc(pattern, unicode.IsControl):
		return errors.New("contains a control character; remove it")
	case strings.TrimSpace(pattern) != pattern:
		return errors.New("begins or ends with a space; remove it")
	case strings.ContainsAny(pattern, "?#"):
		return errors.New("must be a path; leave out the part from ? or #")
	}
	segments := strings.Split(pattern[1:], "/")
	for i, segment := range segments {
		if err := checkSegment(segment, i == len(segments)-1); err != nil {
			return err
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
		return fmt.Errorf("has * inside the segment %q; * must be a whole segment", segment)
	case strings.HasPrefix(segment, ":"):
		return fmt.Errorf("has the segment %q; write {%s} instead", segment, segment[1:])
	case !strings.ContainsAny(segment, "{}"):
		return nil
	case segment == "{}":
		return errors.New("has empty braces; write a name between them, such as {id}")
	case strings.Count(segment, "{") != strings.Count(segment, "}"):
		return fmt.Errorf("has an unpaired brace in the segment %q; write {name}", segment)
	case segment[0] != '{' || strings.IndexByte(segment, '}') != len(segment)-1:
		return fmt.Errorf("has braces inside the segment %q; {name} must be a whole segment", segment)
	case strings.Trim(segment[1:len(segment)-1], nameLetters) != "":
		return fmt.Errorf("has the name %q; use letters, digits and _ . - only", segment[1:len(segment)-1])
	}
	return nil
}

// Shape is equal for patterns that match the same paths.
func Shape(pattern string) string {
	segments := patternSegments(pattern)
	for i, segment := range segments {
		if isPlaceholder(segment) {
			segments[i] = "{}"
		}
	}
	return strings.Join(segments, "/")
}
