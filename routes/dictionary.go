package routes

import (
	"strings"
	"sync"
)

// Limits of what strangers can make the heuristic learn.
const (
	maxServices = 500  // services with words of their own, 180 KB each at worst
	maxNodes    = 1000 // prefixes per service, as many as it may have series by default
	maxWords    = 100  // words beneath one prefix
	maxSegments = 8    // segments of a route
)

// placeholder stands for an id, or for words too many to name.
const placeholder = "*"

// dictionary holds the words seen so far, for each service.
type dictionary struct {
	mutex    sync.Mutex
	services map[string]*words
}

// words is the tree of the path segments of one service.
type words struct {
	root  wordNode
	nodes int
}

type wordNode struct {
	children map[string]*wordNode
	named    int // children that count towards maxWords
}

func newDictionary() *dictionary {
	return &dictionary{services: make(map[string]*words)}
}

func (d *dictionary) forget(service string) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	delete(d.services, service)
}

// route names a path that begins with a slash.
func (d *dictionary) route(service, path string) string {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	learned := d.services[service]
	if learned == nil {
		if len(d.services) >= maxServices {
			return anyPath
		}
		learned = &words{}
		d.services[service] = learned
	}
	return learned.route(path)
}

// route learns the words of a path as far as the limits allow. What was learned
// keeps its name, so a path never changes its route.
func (w *words) route(path string) string {
	var route strings.Builder
	route.Grow(min(len(path), maxRoute))
	node := &w.root
	rest, more := path[1:], true
	for depth := 1; more; depth++ {
		var name string
		name, rest, more = strings.Cut(rest, "/")
		if looksLikeID(name) {
			name = placeholder
		}
		tooDeep := depth == maxSegments && more
		// Room is kept for the /* that ends a route which is cut short.
		tooLong := route.Len()+len("/")+len(name) > maxRoute-len("/*")
		if tooDeep || tooLong {
			node = nil
		} else {
			name, node = w.descend(node, name)
		}
		if node == nil {
			name, more = placeholder, false
		}
		route.WriteByte('/')
		route.WriteString(name)
	}
	return route.String()
}

// descend returns the name that a word or placeholder gets beneath a node, and
// its own node, which is nil if the service has as many nodes as it may.
func (w *words) descend(node *wordNode, name string) (string, *wordNode) {
	if child := node.children[name]; child != nil {
		return name, child
	}
	// An empty name is no word: it comes from a trailing or doubled slash.
	isWord := name != placeholder && name != ""
	if isWord && node.named >= maxWords {
		return w.descend(node, placeholder)
	}
	if w.nodes >= maxNodes {
		return placeholder, nil
	}
	if node.children == nil {
		node.children = make(map[string]*wordNode)
	}
	child := &wordNode{}
	// The name is a part of the caller's buffer, which it would keep alive.
	node.children[strings.Clone(name)] = child
	w.nodes++
	if isWord {
		node.named++
	}
	return name, child
}
