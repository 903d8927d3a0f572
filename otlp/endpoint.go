package otlp

import (
	"encoding/base64"
	"net/http"
	"net/url"

	"sonde_exporter/config"
)

// endpoint is a target as it may be shown: without credentials.
type endpoint struct {
	name     string
	redactor Redactor
}

func newEndpoint(address *url.URL, target config.Target) endpoint {
	shown := url.URL{Scheme: address.Scheme, Host: address.Host, Path: address.Path}
	return endpoint{name: shown.String(), redactor: NewRedactor(target)}
}

// String returns the URL without user name, password and query.
func (e endpoint) String() string { return e.name }

func (e endpoint) failure(kind Kind, cause error) *Failure {
	return &Failure{Kind: kind, Endpoint: e.name, Detail: e.redactor.Line(cause.Error()), cause: cause}
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
