package otlp

import (
	"slices"
	"strings"
	"unicode"

	"sonde_exporter/config"
)

// longestLine bounds what a receiver can put into one line of the log, in bytes.
const longestLine = 300

// Redactor makes what a receiver says fit for a line of the log. Receivers may
// repeat the credentials that they were sent.
type Redactor struct {
	secrets *strings.Replacer
}

// NewRedactor knows the credentials of a target.
func NewRedactor(target config.Target) Redactor {
	secrets := []string{target.BasicAuth.Password}
	for _, value := range Headers(target) {
		_, credentials, _ := strings.Cut(value, " ") // Basic …, Bearer …
		secrets = append(secrets, value, credentials)
	}
	// The longest first: one may be part of another.
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, secret := range secrets {
		if secret != "" {
			pairs = append(pairs, secret, "REDACTED")
		}
	}
	return Redactor{strings.NewReplacer(pairs...)}
}

// Line returns the text as one line of bounded length without the credentials.
func (r Redactor) Line(text string) string {
	text = r.secrets.Replace(strings.ToValidUTF8(text, "\uFFFD"))
	text = strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return ' '
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > longestLine {
		text = strings.ToValidUTF8(text[:longestLine], "") + "…"
	}
	return text
}
