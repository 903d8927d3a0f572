package otlpmetrics

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"sonde_exporter/config"
)

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
