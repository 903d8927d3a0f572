package otlp

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"sonde_exporter/config"
)

// maxDetail caps what a receiver may put into the log, in bytes.
const maxDetail = 300

// endpoint is a target as it may be shown: without credentials.
type endpoint struct {
	name    string
	secrets []string // replaced wherever a receiver echoes them
}

func newEndpoint(address *url.URL, target config.Target) endpoint {
	shown := url.URL{Scheme: address.Scheme, Host: address.Host, Path: address.Path}
	e := endpoint{name: shown.String(), secrets: []string{target.BasicAuth.Password}}
	for _, value := range Headers(target) {
		e.secrets = append(e.secrets, value)
		if _, credentials, ok := strings.Cut(value, " "); ok { // Basic …, Bearer …
			e.secrets = append(e.secrets, credentials)
		}
	}
	// The longest first: one may be part of another.
	slices.SortFunc(e.secrets, func(a, b string) int { return len(b) - len(a) })
	return e
}

// String returns the URL without user name, password and query.
func (e endpoint) String() string { return e.name }

func (e endpoint) failure(kind Kind, cause error) *Failure {
	return &Failure{Kind: kind, Endpoint: e.name, Detail: e.tidy(cause.Error()), cause: cause}
}

// tidy makes text of a receiver fit for a line of the log.
func (e endpoint) tidy(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	for _, secret := range e.secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "REDACTED")
		}
	}
	text = strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return ' '
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > maxDetail {
		text = strings.ToValidUTF8(text[:maxDetail], "") + "…"
	}
	return text
}

// Headers returns what every request to the target carries: its headers, and its
// user name and password as Authorization. They are secrets.
func Headers(target config.Target) map[string]string {
	headers := map[string]string{}
	for name, value := range target.Headers {
		headers[http.CanonicalHeaderKey(name)] = value
	}
	if basic := target.BasicAuth; basic.Username != "" || basic.Password != "" {
		credentials := base64.StdEncoding.EncodeToString([]byte(basic.Username + ":" + basic.Password))
		headers["Authorization"] = "Basic " + credentials
	}
	return headers
}
