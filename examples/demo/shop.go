package main

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

// failEvery is how many payments it takes until one fails.
const failEvery = 10

// newShop returns the routes of the shop. Their latencies are known, so that one
// can see at a glance whether the histograms are right.
func newShop() http.Handler {
	var payments atomic.Int64
	shop := http.NewServeMux()
	shop.Handle("GET /products", answerAfter(5*time.Millisecond, http.StatusOK))
	shop.Handle("GET /products/{id}", answerAfter(20*time.Millisecond, http.StatusOK))
	shop.Handle("GET /search", answerAfter(80*time.Millisecond, http.StatusOK))
	shop.Handle("POST /cart", answerAfter(10*time.Millisecond, http.StatusCreated))
	shop.HandleFunc("POST /payments", func(w http.ResponseWriter, r *http.Request) {
		status := http.StatusOK
		if payments.Add(1)%failEvery == 0 {
			status = http.StatusInternalServerError
		}
		answerAfter(40*time.Millisecond, status).ServeHTTP(w, r)
	})
	return shop
}

// answerAfter answers with a status when some work has been done.
func answerAfter(work time.Duration, status int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(work):
		case <-r.Context().Done():
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		_, _ = fmt.Fprintln(w, http.StatusText(status))
	})
}
