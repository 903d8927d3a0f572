package main

import (
	"encoding/json"
	"net/http"
)

// newControl is what the test talks to:
//
//	GET  /counts /spans /points /requests   what was received
//	POST /reset                             forget it
//	PUT  /fault                             fail in this way from now on; {} works again
//	POST /down /up                          close the ports, open them
func newControl(s *store, e *endpoint) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /counts", func(w http.ResponseWriter, _ *http.Request) {
		counts, _, _, _ := s.snapshot()
		writeJSON(w, counts)
	})
	mux.HandleFunc("GET /spans", func(w http.ResponseWriter, _ *http.Request) {
		_, spans, _, _ := s.snapshot()
		writeJSON(w, spans)
	})
	mux.HandleFunc("GET /points", func(w http.ResponseWriter, _ *http.Request) {
		_, _, points, _ := s.snapshot()
		writeJSON(w, points)
	})
	mux.HandleFunc("GET /requests", func(w http.ResponseWriter, _ *http.Request) {
		_, _, _, requests := s.snapshot()
		writeJSON(w, requests)
	})
	mux.HandleFunc("POST /reset", func(http.ResponseWriter, *http.Request) { s.reset() })
	mux.HandleFunc("PUT /fault", func(w http.ResponseWriter, r *http.Request) {
		var f fault
		decoder := json.NewDecoder(r.Body)
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&f); err != nil {
			http.Error(w, "no fault: "+err.Error(), http.StatusBadRequest)
			return
		}
		e.gate.setFault(f)
	})
	mux.HandleFunc("POST /down", func(w http.ResponseWriter, r *http.Request) { report(w, e.down(r.Context())) })
	mux.HandleFunc("POST /up", func(w http.ResponseWriter, r *http.Request) { report(w, e.up(r.Context())) })
	return mux
}

func report(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func writeJSON(w http.ResponseWriter, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(text)
}
