package routes

import (
	"math/rand/v2"
	"testing"
)

func BenchmarkRoute(b *testing.B) {
	options := Options{Patterns: []string{"/users/{id}", "/users/{id}/orders/{order}", "/assets/*", "/login"}}
	for name, path := range map[string]string{
		"pattern": "/users/42/orders/4711",
		"learned": "/api/v1/projects/42/members",
	} {
		b.Run(name, func(b *testing.B) {
			namer := newTestNamer(b, options)
			b.ReportAllocs()
			for b.Loop() {
				namer.Route("shop", path)
			}
		})
	}
	b.Run("bomb", func(b *testing.B) {
		namer := newTestNamer(b, options)
		random := rand.New(rand.NewPCG(1, 2))
		paths := make([]string, 4096)
		for i := range paths {
			paths[i] = randomPath(random)
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			namer.Route("shop", paths[i%len(paths)])
		}
	})
}

func BenchmarkLooksLikeID(b *testing.B) {
	segment := []byte("3f2504e0-4f89-11d3-9a0c-0305e82c3301")
	for b.Loop() {
		LooksLikeID(segment)
	}
}
