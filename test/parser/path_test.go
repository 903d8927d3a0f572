package parser

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// looksLikeID is the rule that the kernel and routes.LooksLikeID share, stated anew.
func looksLikeID(segment string) bool {
	n, digits, odd := len(segment), 0, false
	for i := range n {
		c := segment[i]
		switch {
		case '0' <= c && c <= '9':
			digits++
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', strings.IndexByte("_.~-", c) >= 0:
		default:
			odd = true
		}
	}
	return n > 0 && (digits == n || digits >= 3 || (digits >= 1 && n >= 16) || n > 40 || odd)
}

// hashOf returns the hash of the operation that a path becomes.
func hashOf(t testing.TB, path string, fold bool) uint64 {
	t.Helper()
	l := newLink(Server)
	l.host.SetFoldIDs(fold)
	l.send(true, []byte("GET "+path+" HTTP/1.1\r\n\r\n"), false)
	if len(l.told) != 1 {
		t.Fatalf("%q: %d operations were told, want 1", path, len(l.told))
	}
	return l.told[0].Key.Hash
}

// isFolded tells whether the kernel takes a segment for an id.
func isFolded(t testing.TB, segment string) bool {
	t.Helper()
	return hashOf(t, "/a/"+segment+"/b", true) == hashOf(t, "/a/0/b", true)
}

// isPathByte says that the byte may stand in a segment: it does not end it.
func isPathByte(c byte) bool {
	return c > ' ' && c != 0x7f && c != '/' && c != '?' && c != '#'
}

func TestLooksLikeID(t *testing.T) {
	check := func(segment string) {
		t.Helper()
		if got, want := isFolded(t, segment), looksLikeID(segment); got != want {
			t.Errorf("%q: taken for an id: %t, want %t", segment, got, want)
		}
	}
	for c := range 256 {
		if isPathByte(byte(c)) {
			check(string([]byte{byte(c)}))
			check("word" + string([]byte{byte(c)}))
		}
	}
	for _, filler := range []string{"a", "-", "%"} {
		for n := range 60 {
			for digits := range min(n, 18) + 1 {
				check(strings.Repeat(filler, n-digits) + strings.Repeat("5", digits))
			}
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	const alphabet = "abcXYZ0123456789_.~-%:"
	for range 5000 {
		segment := make([]byte, random.IntN(50))
		letters := 1 + random.IntN(len(alphabet))
		for i := range segment {
			segment[i] = alphabet[random.IntN(letters)]
		}
		check(string(segment))
	}
}

// TestPathHash: two paths are one operation if they differ in ids only.
func TestPathHash(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	words := []string{"", "users", "orders", "v1", "a", "b", "ab", "index.html", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}
	ids := []string{"1", "42", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "a%20b", "{id}", "x123"}
	paths := map[string][]string{} // by the path with a placeholder for each id
	for range 3000 {
		var path, folded strings.Builder
		for range 1 + random.IntN(5) {
			segment := words[random.IntN(len(words))]
			shown := segment
			if random.IntN(3) == 0 {
				segment, shown = ids[random.IntN(len(ids))], "*"
			}
			path.WriteString("/" + segment)
			folded.WriteString("/" + shown)
		}
		paths[folded.String()] = append(paths[folded.String()], path.String())
	}
	byHash, byPath := map[uint64]string{}, map[uint64]string{}
	for folded, same := range paths {
		for _, path := range same {
			hash := hashOf(t, path, true)
			if other, known := byHash[hash]; known && other != folded {
				t.Errorf("%s and %s have one hash", folded, other)
			}
			byHash[hash] = folded
			if first := hashOf(t, same[0], true); first != hash {
				t.Errorf("%s and %s differ in ids only but have two hashes", same[0], path)
			}
			raw := hashOf(t, path, false)
			if other, known := byPath[raw]; known && other != path {
				t.Errorf("%s and %s have one hash although ids are not folded", path, other)
			}
			byPath[raw] = path
		}
	}
}

// TestPathHashEnds: the query is not part of it, and neither is what follows.
func TestPathHashEnds(t *testing.T) {
	want := hashOf(t, "/a/b", true)
	for _, path := range []string{"/a/b?", "/a/b?c=d", "/a/b#e", "/a/b f"} {
		if hashOf(t, path, true) != want {
			t.Errorf("%q is not the operation /a/b", path)
		}
	}
	for _, path := range []string{"/a/b/", "/a", "/a/bb", "a/b", "//a/b", "/b/a"} {
		if hashOf(t, path, true) == want {
			t.Errorf("%q is the operation /a/b", path)
		}
	}
}
