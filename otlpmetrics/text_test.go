package otlpmetrics

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"sonde_exporter/config"
)

func TestLoggable(t *testing.T) {
	e := &Exporter{secrets: secretsOf(config.Target{
		BasicAuth: config.BasicAuth{Username: "user", Password: "hunter2"},
		Headers:   config.Headers{"X-Key": "k-123", "X-Empty": "", "X-Token": "Bearer abc", "X-Long": "k-123456"},
	})}
	tests := []struct{ text, want string }{
		{"", ""},
		{"full\nup\x00 \u202etoday", "full up today"},
		{"not\xffUTF-8", "not\uFFFDUTF-8"},
		{"the key k-123 of user:hunter2 is wrong", "the key REDACTED of user:REDACTED is wrong"},
		{"Basic dXNlcjpodW50ZXIy or dXNlcjpodW50ZXIy", "REDACTED or REDACTED"},
		{"k-123456 and k-1234", "REDACTED and REDACTED4"},
		{"abc is no token", "REDACTED is no token"},
		{strings.Repeat("x", longestText) + "yz", strings.Repeat("x", longestText) + "…"},
	}
	for _, test := range tests {
		if got := e.loggable(test.text); got != test.want {
			t.Errorf("%q becomes %q, want %q", test.text, got, test.want)
		}
	}
	if got := e.loggable(strings.Repeat("書", 200)); !utf8.ValidString(got) || len(got) > longestText+len("…") {
		t.Errorf("a cut text is %d bytes long, valid: %t", len(got), utf8.ValidString(got))
	}
}

// TestEchoedCredentials: some proxies repeat the request in their answer.
func TestEchoedCredentials(t *testing.T) {
	r := startReceiver(t, nil)
	r.answer = func(w http.ResponseWriter, _ int) {
		http.Error(w, "bad header Authorization: "+r.headers[0].Get("Authorization"), http.StatusUnauthorized)
	}
	target := httpTarget(r.URL)
	target.BasicAuth = config.BasicAuth{Username: "user", Password: "hunter2"}
	e, log := newExporter(t, target, time.Minute)
	e.exportWithin(t.Context(), time.Second)
	if !strings.Contains(log.String(), "401 Unauthorized: bad header Authorization: REDACTED") {
		t.Errorf("want the answer without credentials: %s", log)
	}
}
