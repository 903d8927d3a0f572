// Package routes gives request paths low-cardinality names: the operator's
// patterns first, then a heuristic that learns the words of each service.
package routes

import (
	"fmt"
	"strings"
)

// The values of Options.Unmatched: what a path that matches no pattern becomes.
const (
	UnmatchedHeuristic = "heuristic" // ids become *, words are learned within limits
	UnmatchedUnset     = "unset"     // no route
	UnmatchedWildcard  = "wildcard"  // the route /**
	UnmatchedPath      = "path"      // the path itself, without a bound on its values
)

// anyPath is the route of paths about which nothing more is said.
const anyPath = "/**"

// Options configure a Namer.
//
// A pattern is a path whose segments are literals, placeholders such as {id}
// that match one segment, or a final * that matches all that follows. It is
// compared with the bytes as sent: percent-encoding, . and .. are not resolved,
// because servers differ in how they resolve them.
type Options struct {
	Patterns  []string // paths that match one get it as their route
	Ignored   []string // paths that match one are to be left out; they win over Patterns
	Unmatched string   // one of the Unmatched constants; empty means UnmatchedHeuristic
}

// Namer names the routes of paths. It is safe for concurrent use.
type Namer struct {
	patterns  *patternNode
	ignored   *patternNode
	unmatched string
	foldsIDs  bool
	learned   *dictionary
}

// New checks the options and returns a Namer for them.
func New(options Options) (*Namer, error) {
	n := &Namer{unmatched: options.Unmatched, learned: newDictionary()}
	switch n.unmatched {
	case "":
		n.unmatched = UnmatchedHeuristic
	case UnmatchedHeuristic, UnmatchedUnset, UnmatchedWildcard, UnmatchedPath:
	default:
		return nil, fmt.Errorf("routes.unmatched: %q is not known: use %s, %s, %s or %s", n.unmatched,
			UnmatchedHeuristic, UnmatchedUnset, UnmatchedWildcard, UnmatchedPath)
	}

	var err error
	if n.patterns, err = newPatternTree(options.Patterns); err != nil {
		return nil, fmt.Errorf("routes.patterns: %w", err)
	}
	if n.ignored, err = newPatternTree(options.Ignored); err != nil {
		return nil, fmt.Errorf("routes.ignored_patterns: %w", err)
	}
	for _, pattern := range options.Ignored {
		if twin := n.patterns.twin(pattern); twin != "" {
			return nil, fmt.Errorf("routes.ignored_patterns: %q is also in routes.patterns as %q: remove one of them", pattern, twin)
		}
	}
	n.foldsIDs = n.unmatched != UnmatchedPath && !n.patterns.hasLiteralID() && !n.ignored.hasLiteralID()
	return n, nil
}

// FoldsIDs reports whether all paths that differ only in segments for which
// LooksLikeID is true get the same route. If so, the kernel may count them as
// one operation and need not ask again for every id.
func (n *Namer) FoldsIDs() bool { return n.foldsIDs }

// Route names the route of a request target without its query, as bytes from
// the network. The route is valid UTF-8 of at most 128 bytes, and empty if it
// is to be left unset. If ignored is true the request matches an ignored
// pattern, which is then the route.
//
// The words of each service are learned apart, until Forget.
func (n *Namer) Route(service, path string) (route string, ignored bool) {
	path, isPath := originForm(path)
	if isPath {
		if pattern := n.ignored.find(path); pattern != "" {
			return pattern, true
		}
		if pattern := n.patterns.find(path); pattern != "" {
			return pattern, false
		}
	}
	switch n.unmatched {
	case UnmatchedUnset:
		return "", false
	case UnmatchedWildcard:
		return anyPath, false
	case UnmatchedPath:
		return sanitize(path), false
	}
	if !isPath {
		return placeholder, false
	}
	return n.learned.route(service, path), false
}

// Source says what decides on the route of a path: "ignored pattern", "pattern",
// or the way of paths that no pattern matches.
func (n *Namer) Source(path string) string {
	if path, isPath := originForm(path); isPath {
		if n.ignored.find(path) != "" {
			return "ignored pattern"
		}
		if n.patterns.find(path) != "" {
			return "pattern"
		}
	}
	return n.unmatched
}

// Masked is a path fit for a log: what looks like an id, and may be a secret, is
// left out, and so is the query.
func Masked(path string) string {
	if end := strings.IndexAny(path, "?#"); end >= 0 {
		path = path[:end]
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if looksLikeID(segment) {
			segments[i] = placeholder
		}
	}
	return sanitize(strings.Join(segments, "/"))
}

// Forget drops the words learned for a service that has gone.
func (n *Namer) Forget(service string) { n.learned.forget(service) }

// originForm reduces a request target to its path. RFC 9112, section 3.2, knows
// four forms: a path, an absolute URI as sent to proxies, the host:port of
// CONNECT, and the * of OPTIONS. The last two are no paths.
func originForm(target string) (path string, isPath bool) {
	if target == "" {
		return "/", true
	}
	slash := strings.IndexByte(target, '/')
	if slash == 0 {
		return target, true
	}
	if slash < 0 || !strings.HasPrefix(target[slash:], "//") {
		return target, false
	}
	// The scheme is not looked at, as the kernel folds it like an id.
	authority := target[slash+len("//"):]
	if end := strings.IndexByte(authority, '/'); end >= 0 {
		return authority[end:], true
	}
	return "/", true
}
