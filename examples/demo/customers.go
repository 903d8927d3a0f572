package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"
)

const (
	customers = 4
	// pause is the mean time that a customer thinks between two requests: about
	// 80 requests a second in all, which no machine notices.
	pause = 30 * time.Millisecond
)

// visit lets all customers shop until ctx ends.
func visit(ctx context.Context, shop string) {
	client := &http.Client{Timeout: 5 * time.Second}
	for range customers {
		go func() {
			for ctx.Err() == nil {
				method, path := nextRequest()
				request(ctx, client, method, shop+path)
				time.Sleep(rand.N(2 * pause))
			}
		}()
	}
}

// nextRequest looks at products most of the time, and sometimes asks for a page
// that does not exist.
func nextRequest() (method, path string) {
	switch chance := rand.IntN(100); {
	case chance < 40:
		return http.MethodGet, "/products"
	case chance < 70:
		return http.MethodGet, fmt.Sprintf("/products/%d", 1000+rand.IntN(9000))
	case chance < 80:
		return http.MethodGet, "/search?q=sonde"
	case chance < 90:
		return http.MethodPost, "/cart"
	case chance < 98:
		return http.MethodPost, "/payments"
	default:
		return http.MethodGet, "/jobs"
	}
}

// request sends one request. Errors are left alone: what becomes of the requests
// is for Sonde to tell.
func request(ctx context.Context, client *http.Client, method, url string) {
	r, err := http.NewRequestWithContext(ctx, method, url, http.NoBody)
	if err != nil {
		return
	}
	response, err := client.Do(r)
	if err != nil {
		return
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
}
