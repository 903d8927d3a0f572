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

// patternNode is one segment in the tree of patterns. A tree is not changed
// after it was built.
type patternNode struct {
	literals    map[string]*patternNode
	placeholder *patternNode // beneath {…}
	pattern     string       // as the operator wrote it, where one ends here
	rest        string       // likewise, where one ends in * beneath here
}

func newPatternTree(patterns []string) (*patternNode, error) {
	root := &patternNode{}
	for _, pattern := range patterns {
		if err := checkPattern(pattern); err != nil {
			return nil, fmt.Errorf("%q %w", pattern, err)
		}
		if twin := root.twin(pattern); twin != "" {
			return nil, fmt.Errorf("%q matches the same paths as %q: remove one of them", pattern, twin)
		}
		root.insert(pattern)
	}
	return root, nil
}

func checkPattern(pattern string) error {
	switch {
	case !strings.HasPrefix(pattern, "/"):
		return errors.New("does not begin with a slash: write it as a path such as /users/{id}")
	case len(pattern) > maxRoute:
		return fmt.Errorf("is %d bytes long: shorten it to %d", len(pattern), maxRoute)
	case !utf8.ValidString(pattern) || strings.ContainsFunc(pattern, unicode.IsControl):
		return errors.New("holds bytes that are not printable UTF-8: percent-encode them")
	case strings.ContainsAny(pattern, "?#"):
		return errors.New("holds a query or fragment: remove it, only paths are compared")
	case strings.Contains(pattern, "//"):
		return errors.New("holds an empty segment: remove one of the two slashes")
	}
	segments := patternSegments(pattern)
	for i, segment := range segments {
		switch last := i == len(segments)-1; {
		case segment == "*" && !last:
			return errors.New("has a * before its end: write {name} for a single segment")
		case segment == "*" || isPlaceholder(segment):
		case strings.HasPrefix(segment, ":"):
			return fmt.Errorf("has the segment %q: write {%s} for a placeholder", segment, segment[1:])
		case strings.ContainsAny(segment, "*{}"):
			return fmt.Errorf("has the segment %q: a placeholder or * must be a whole segment", segment)
		}
	}
	return nil
}

// patternSegments leaves out a trailing slash, which makes no difference.
func patternSegments(pattern string) []string {
	return strings.Split(strings.TrimSuffix(pattern[1:], "/"), "/")
}

func isPlaceholder(segment string) bool {
	return len(segment) >= 2 && segment[0] == '{' && segment[len(segment)-1] == '}' &&
		!strings.ContainsAny(segment[1:len(segment)-1], "*{}")
}

func (n *patternNode) insert(pattern string) {
	for _, segment := range patternSegments(pattern) {
		switch {
		case segment == "": // the root, from the pattern /
		case segment == "*":
			n.rest = pattern
			return
		case isPlaceholder(segment):
			if n.placeholder == nil {
				n.placeholder = &patternNode{}
			}
			n = n.placeholder
		default:
			if n.literals == nil {
				n.literals = make(map[string]*patternNode)
			}
			if n.literals[segment] == nil {
				n.literals[segment] = &patternNode{}
			}
			n = n.literals[segment]
		}
	}
	n.pattern = pattern
}

// twin returns the pattern in the tree that matches the same paths, if any.
func (n *patternNode) twin(pattern string) string {
	for _, segment := range patternSegments(pattern) {
		switch {
		case n == nil:
			return ""
		case segment == "":
		case segment == "*":
			return n.rest
		case isPlaceholder(segment):
			n = n.placeholder
		default:
			n = n.literals[segment]
		}
	}
	if n == nil {
		return ""
	}
	return n.pattern
}

// find returns the most specific pattern that matches a path. Segments are
// compared from left to right: a literal beats a placeholder beats *. It visits
// each node of the tree at most once, however long the path, which begins with
// a slash.
func (n *patternNode) find(path string) string {
	return n.findBeneath(path[1:], true)
}

// findBeneath matches the part of a path behind this node's segment. Without a
// slash the path ends here.

func (n *patternNode) findBeneath(path string, slash bool) string {
	if n == nil {
		return ""
	}
	trailing := path == "" && n.pattern != ""
	if !slash || trailing {
		return n.pattern
	}
	segment, tail, slash := strings.Cut(path, "/")
	if segment != "" {
		if pattern := n.literals[segment].findBeneath(tail, slash); pattern != "" {
			return pattern
		}
		if pattern := n.placeholder.findBeneath(tail, slash); pattern != "" {
			return pattern
		}
	}
	return n.rest
}

// hasLiteralID reports whether a literal of the tree looks like an id.
func (n *patternNode) hasLiteralID() bool {
	if n == nil {
		return false
	}
	for literal, child := range n.literals {
		if looksLikeID(literal) || child.hasLiteralID() {
			return true
		}
	}
	return n.placeholder.hasLiteralID()
}
