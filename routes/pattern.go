package routes

import (
	"fmt"
	"strings"
)

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
		if err := CheckPattern(pattern); err != nil {
			return nil, fmt.Errorf("%q %w", pattern, err)
		}
		if twin := root.twin(pattern); twin != "" {
			return nil, fmt.Errorf("%q matches the same paths as %q: remove one of them", pattern, twin)
		}
		root.insert(pattern)
	}
	return root, nil
}

// patternSegments leaves out the slash at the end, which makes no difference.
func patternSegments(pattern string) []string {
	return strings.Split(strings.Trim(pattern, "/"), "/")
}

// isPlaceholder expects a segment of a pattern that was checked.
func isPlaceholder(segment string) bool { return strings.HasPrefix(segment, "{") }

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
