package routes

import (
	"strings"
	"testing"
)

func TestLooksLikeID(t *testing.T) {
	ids := []string{
		"0", "42", "7", // digits only
		"a1b2c3", "order-2024", "x123", // three digits
		"abcdefghijklmno1",                     // 16 bytes with a digit
		"3f2504e0-4f89-11d3-9a0c-0305e82c3301", // UUID
		"507f1f77bcf86cd799439011",             // MongoDB
		strings.Repeat("a", 41),
		"a%20b", "a;b", "a=b", "a:b", "a b", "*", "{id}", "@me", "a+b", "a,b", "caf\u00e9", "\xff", "\x00", "?",
	}
	words := []string{
		"", "users", "v1", "v12", "oauth2", "a1b2", ".", "..", "index.html", "~me", "snake_case", "kebab-case", "UPPER",
		"abcdefghijklmn1",  // 15 bytes with a digit
		"abcdefghijklmnop", // 16 bytes without
		strings.Repeat("a", 40),
	}
	for _, id := range ids {
		if !LooksLikeID([]byte(id)) {
			t.Errorf("%q is taken for a word", id)
		}
	}
	for _, word := range words {
		if LooksLikeID([]byte(word)) {
			t.Errorf("%q is taken for an id", word)
		}
	}
}

// TestLooksLikeIDFollowsItsDefinition states the definition that the kernel
// shares in its plainest form.
func TestLooksLikeIDFollowsItsDefinition(t *testing.T) {
	for _, filler := range []byte{'a', '-', '%'} {
		for n := range 50 {
			for d := range n + 1 {
				segment := strings.Repeat(string(filler), n-d) + strings.Repeat("5", d)
				x := strings.ContainsRune(segment, '%')
				want := n > 0 && (d == n || d >= 3 || (d >= 1 && n >= 16) || n > 40 || x)
				if got := LooksLikeID([]byte(segment)); got != want {
					t.Errorf("LooksLikeID(%q) = %t, want %t", segment, got, want)
				}
			}
		}
	}
	for c := range 256 {
		want := !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_.-~", rune(c))
		if got := LooksLikeID([]byte{byte(c)}); got != want {
			t.Errorf("LooksLikeID of byte %#x = %t, want %t", c, got, want)
		}
	}
}
