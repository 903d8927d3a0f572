package otlpmetrics

import (
	"slices"
	"strings"
	"unicode"

	"sonde_exporter/config"
	"sonde_exporter/otlp"
)

// longestText bounds what an endpoint can put into one line of the log, in bytes.
const longestText = 300

// secretsOf replaces the credentials of a target, which an endpoint may repeat
// in its answer.
func secretsOf(target config.Target) *strings.Replacer {
	secrets := []string{target.BasicAuth.Password}
	for _, value := range otlp.Headers(target) {
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
	return strings.NewReplacer(pairs...)
}

// loggable makes one line of a stranger's text, without secrets.
func (e *Exporter) loggable(text string) string {
	text = e.secrets.Replace(strings.ToValidUTF8(text, "\uFFFD"))
	text = strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return ' '
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > longestText {
		text = strings.ToValidUTF8(text[:longestText], "") + "…"
	}
	return text
}
