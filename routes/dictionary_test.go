package routes

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

// word spells a number in letters, as an attacker might.
func word(i int) string {
	return "w" + strings.Map(func(digit rune) rune { return digit - '0' + 'a' }, fmt.Sprint(i))
}

func TestWordsBeneathOnePrefixAreLimited(t *testing.T) {
	namer := newTestNamer(t, Options{})
	for i := range maxWords {
		requireRoute(t, namer, "/shop/"+word(i), "/shop/"+word(i))
	}
	requireRoute(t, namer, "/shop/"+word(maxWords), "/shop/*")
	requireRoute(t, namer, "/shop/"+word(maxWords)+"/orders", "/shop/*/orders")
	requireRoute(t, namer, "/shop/"+word(3), "/shop/"+word(3))
	requireRoute(t, namer, "/shop/42", "/shop/*")
	requireRoute(t, namer, "/shop/", "/shop/")
	requireRoute(t, namer, "/other/"+word(maxWords), "/other/"+word(maxWords))
}

func TestDepthIsLimited(t *testing.T) {
	namer := newTestNamer(t, Options{})
	requireRoute(t, namer, "/a/b/c/d/e/f/g/h", "/a/b/c/d/e/f/g/h")
	requireRoute(t, namer, "/a/b/c/d/e/f/g/h/i", "/a/b/c/d/e/f/g/*")
	requireRoute(t, namer, "/a/b/c/d/e/f/g/h/", "/a/b/c/d/e/f/g/*")
	requireRoute(t, namer, strings.Repeat("/", 10_000), "////////*")
}

func TestLengthIsLimited(t *testing.T) {
	namer := newTestNamer(t, Options{})
	a, b, c := strings.Repeat("a", 40), strings.Repeat("b", 40), strings.Repeat("c", 40)
	requireRoute(t, namer, "/"+a+"/"+b+"/"+c, "/"+a+"/"+b+"/"+c) // 123 bytes
	requireRoute(t, namer, "/"+a+"/"+b+"/"+c+"/de", "/"+a+"/"+b+"/"+c+"/de")
	requireRoute(t, namer, "/"+a+"/"+b+"/"+c+"/def", "/"+a+"/"+b+"/"+c+"/*")
	requireRoute(t, namer, "/"+a+"/"+b+"/"+c+"/de/f", "/"+a+"/"+b+"/"+c+"/de/*")
}

func TestNodesPerServiceAreLimited(t *testing.T) {
	namer := newTestNamer(t, Options{})
	for i := range 2 * maxNodes {
		namer.Route("shop", "/"+word(i%50)+"/"+word(i))
	}
	if nodes := namer.learned.services["shop"].nodes; nodes != maxNodes {
		t.Errorf("the service has %d nodes, want %d", nodes, maxNodes)
	}
	requireRoute(t, namer, "/"+word(1)+"/"+word(1), "/"+word(1)+"/"+word(1))
	requireRoute(t, namer, "/"+word(1)+"/unheard", "/"+word(1)+"/*")
	requireRoute(t, namer, "/unheard/of/this", "/*")
	if route, _ := namer.Route("another", "/unheard/of/this"); route != "/unheard/of/this" {
		t.Errorf("another service gets %q: it has to be independent", route)
	}
}

func TestServicesAreLimited(t *testing.T) {
	namer := newTestNamer(t, Options{Patterns: []string{"/users/{id}"}})
	for i := range maxServices {
		if route, _ := namer.Route(word(i), "/a"); route != "/a" {
			t.Fatalf("service %d gets %q", i, route)
		}
	}
	requireRoute(t, namer, "/a", "/**")
	requireRoute(t, namer, "/users/1", "/users/{id}")
	namer.Forget(word(0))
	requireRoute(t, namer, "/a", "/a")
}

func TestForgetStartsAnew(t *testing.T) {
	namer := newTestNamer(t, Options{})
	for i := range maxWords + 1 {
		namer.Route("shop", "/"+word(i))
	}
	requireRoute(t, namer, "/late", "/*")
	namer.Forget("shop")
	namer.Forget("never seen")
	requireRoute(t, namer, "/late", "/late")
}

// TestCardinalityBomb sends paths of many shapes, and asks for each once more
// at the end: a route that changed would count one operation twice.
func TestCardinalityBomb(t *testing.T) {
	namer := newTestNamer(t, Options{})
	random := rand.New(rand.NewPCG(1, 2))
	seen := make(map[string]string)
	routes := make(map[string]bool)
	for range 100_000 {
		path := randomPath(random)
		route, _ := namer.Route("shop", path)
		requireSane(t, path, route)
		seen[path] = route
		routes[route] = true
	}
	// Each route ends at a node, or one * beneath it.
	if limit := 2 * (maxNodes + 1); len(routes) > limit {
		t.Errorf("%d distinct routes, want at most %d", len(routes), limit)
	}
	if nodes := namer.learned.services["shop"].nodes; nodes > maxNodes {
		t.Errorf("%d nodes, want at most %d", nodes, maxNodes)
	}
	for path, route := range seen {
		if again, _ := namer.Route("shop", path); again != route {
			t.Fatalf("%q was %q and is %q now", path, route, again)
		}
	}
}

func randomPath(random *rand.Rand) string {
	var path strings.Builder
	for range 1 + random.IntN(12) {
		path.WriteByte('/')
		switch random.IntN(5) {
		case 0:
			path.WriteString(word(random.IntN(20)))
		case 1:
			path.WriteString(word(random.IntN(1_000_000)))
		case 2:
			fmt.Fprint(&path, random.Uint64())
		case 3:
			for range random.IntN(60) {
				path.WriteByte(byte(random.Uint32()))
			}
		}
	}
	return path.String()
}

func TestRouteIsSafeForConcurrentUse(t *testing.T) {
	namer := newTestNamer(t, Options{Patterns: []string{"/users/{id}"}})
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range 2000 {
				service := word(i % 3)
				namer.Route(service, "/"+word(i)+"/"+word(worker))
				if i%100 == 0 {
					namer.Forget(service)
				}
			}
		})
	}
	group.Wait()
}
