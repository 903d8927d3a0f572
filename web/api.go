package web

import (
	"encoding/json"
	"net/http"
	"slices"

	"sonde_exporter/status"
)

// newServicesAPI returns the handler of /api/v1/services: what the page shows, in
// the envelope of Prometheus's own API. ?service=NAME picks the services of a name.
func newServicesAPI(opts Options) http.Handler {
	shelf := newShelf(opts.Status)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isRead(r) {
			w.Header().Set("Allow", "GET, HEAD")
			writeError(w, http.StatusMethodNotAllowed, "bad_data", "this is only for reading; use GET")
			return
		}
		names, isFiltered := r.URL.Query()["service"]
		var body []byte
		var err error
		if isFiltered {
			body, err = servicesNamed(r, opts, names)
		} else {
			body, err = shelf.get(r.Context(), "", encodeStatus)
		}
		if err != nil {
			opts.Logger.Error("the status cannot be handed out", "err", err)
			writeError(w, http.StatusServiceUnavailable, "unavailable", "the status cannot be read now; the log tells why")
			return
		}
		writeJSON(w, http.StatusOK, body)
	})
}

// servicesNamed is the status with the services of these names only.
func servicesNamed(r *http.Request, opts Options, names []string) ([]byte, error) {
	current, err := opts.Status(r.Context())
	if err != nil {
		return nil, err
	}
	few := *current
	few.Services = []status.Service{}
	for _, service := range current.Services {
		if slices.Contains(names, service.Name) {
			few.Services = append(few.Services, service)
		}
	}
	few.Excluded = slices.DeleteFunc(slices.Clone(current.Excluded), func(e status.Excluded) bool { return !slices.Contains(names, e.Name) })
	return encodeStatus(&few)
}

// envelope is that of the HTTP API of Prometheus.
type envelope struct {
	Status    string         `json:"status"`
	Data      *status.Status `json:"data,omitempty"`
	ErrorType string         `json:"errorType,omitempty"`
	Error     string         `json:"error,omitempty"`
	Warnings  []string       `json:"warnings,omitempty"`
}

func encodeStatus(s *status.Status) ([]byte, error) {
	return encode(envelope{Status: "success", Data: s, Warnings: s.Warnings})
}

// unknownAPI answers every other path below /api/.
func unknownAPI() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, http.StatusNotFound, "not_found", "there is nothing here; the API is "+servicesPath)
	})
}

func writeError(w http.ResponseWriter, code int, errorType, text string) {
	body, err := encode(envelope{Status: "error", ErrorType: errorType, Error: text})
	if err != nil { // texts can always be encoded
		body = []byte(`{"status":"error"}`)
	}
	writeJSON(w, code, body)
}

func encode(e envelope) ([]byte, error) {
	body, err := json.Marshal(e)
	return append(body, '\n'), err
}

func writeJSON(w http.ResponseWriter, code int, body []byte) {
	header := w.Header()
	header.Set("Content-Type", "application/json")
	protect(header)
	w.WriteHeader(code)
	_, _ = w.Write(body)
}
