package inspect

import (
	"strings"
	"testing"
)

func TestSanitize(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"plain", "shop-api", "shop-api"},
		{"space around", " \tshop api\n", "shop api"},
		{"control characters", "a\x00b\x1b[31mc\u0085", "ab[31mc"},
		{"direction marks", "a\u202eb\u200bc", "abc"},
		{"invalid", "a\xffb", "a\uFFFDb"},
		{"other scripts", "Bücher 書店", "Bücher 書店"},
		{"cut", strings.Repeat("a", 200), strings.Repeat("a", 128)},
		{"cut between runes", strings.Repeat("書", 60), strings.Repeat("書", 42)},
		{"cut at a space", strings.Repeat("a", 127) + " b", strings.Repeat("a", 127)},
		{"nothing left", "\x00\x01 ", ""},
		{"endless", strings.Repeat("\x00", 1<<20) + "a", ""},
	} {
		if got := Sanitize(test.in); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
