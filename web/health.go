package web

import (
	"context"
	"io"
	"net/http"
)

// healthyHandler answers as long as the process can answer at all.
func healthyHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeLine(w, http.StatusOK, "Sonde is healthy.")
	})
}

// readyHandler answers 503 until ready returns true.
func readyHandler(ready func() bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if ready != nil && !ready() {
			writeLine(w, http.StatusServiceUnavailable, "Sonde is not ready: it does not measure yet.")
			return
		}
		writeLine(w, http.StatusOK, "Sonde is ready.")
	})
}

// reloadHandler reloads on POST and PUT. A browser that follows a link, or a
// crawler, must not be able to do it, nor any page that somebody with access visits.
func reloadHandler(reload func(context.Context) error) http.Handler {
	var sites http.CrossOriginProtection
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost && r.Method != http.MethodPut {
			w.Header().Set("Allow", "POST, PUT")
			writeLine(w, http.StatusMethodNotAllowed, "Reloading needs a POST or PUT request.")
			return
		}
		if sites.Check(r) != nil {
			writeLine(w, http.StatusForbidden, "A page of another site asked this browser to reload the configuration, which is refused: use curl -X POST, or send Sonde a SIGHUP.")
			return
		}
		if reload == nil {
			writeLine(w, http.StatusOK, "There is no configuration to reload.")
			return
		}
		// A client that leaves must not stop a reload half way.
		if err := reload(context.WithoutCancel(r.Context())); err != nil {
			writeLine(w, http.StatusInternalServerError, err.Error())
			return
		}
		writeLine(w, http.StatusOK, "The configuration was reloaded.")
	})
}

// writeLine answers in plain text. An error means that the client has gone, and
// then there is nobody left to tell.
func writeLine(w http.ResponseWriter, status int, line string) {
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, line+"\n")
}
