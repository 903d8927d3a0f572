package otlp

import (
	"strings"
	"testing"
	"unicode/utf8"

	"sonde_exporter/config"
)

func TestRedactor(t *testing.T) {
	r := NewRedactor(config.Target{
		BasicAuth: config.BasicAuth{Username: "user", Password: "hunter2"},
		Headers:   config.Headers{"X-Key": "k-123", "X-Empty": "", "X-Token": "Bearer abc", "X-Long": "k-123456"},
	})
	tests := []struct{ text, want string }{
		{"", ""},
		{"full\nup\x00 \u202etoday", "full up today"},
		{"not\xffUTF-8", "not\uFFFDUTF-8"},
		{"the key k-123 of user:hunter2 is wrong", "the key REDACTED of user:REDACTED is wrong"},
		{"Basic dXNlcjpodW50ZXIy or dXNlcjpodW50ZXIy", "REDACTED or REDACTED"},
		{"k-123456 and k-1234", "REDACTED and REDACTED4"},
		{"abc is no token", "REDACTED is no token"},
		{strings.Repeat("x", longestLine) + "yz", strings.Repeat("x", longestLine) + "…"},
	}
	for _, test := range tests {
		if got := r.Line(test.text); got != test.want {
			t.Errorf("%q becomes %q, want %q", test.text, got, test.want)
		}
	}
	if got := r.Line(strings.Repeat("書", 200)); !utf8.ValidString(got) || len(got) > longestLine+len("…") {
		t.Errorf("a cut text is %d bytes long, valid: %t", len(got), utf8.ValidString(got))
	}
}
