package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// fetch sends cmd.N requests to cmd.Addr over cmd.Conc connections and reads
// every answer to its end. It reports how many were answered and the sum of
// the times that they took.
func fetch(cmd Command) (Result, error) {
	workers := max(cmd.Conc, 1)
	client := &http.Client{
		Timeout: 2 * time.Minute,
		Transport: &http.Transport{
			MaxConnsPerHost: workers, MaxIdleConnsPerHost: workers, DisableKeepAlives: cmd.Once,
		},
	}
	defer client.CloseIdleConnections()
	var (
		wg              sync.WaitGroup
		todo, ok, nanos atomic.Int64
		firstErr        atomic.Pointer[error]
	)
	todo.Store(int64(cmd.N))
	for range workers {
		wg.Go(func() {
			for todo.Add(-1) >= 0 {
				start := time.Now()
				if err := fetchOne(client, cmd); err != nil {
					firstErr.CompareAndSwap(nil, &err)
					continue
				}
				nanos.Add(int64(time.Since(start)))
				ok.Add(1)
			}
		})
	}
	wg.Wait()
	res := Result{N: int(ok.Load()), Nanos: nanos.Load()}
	if err := firstErr.Load(); err != nil {
		return res, fmt.Errorf("%d of %d requests failed, the first with: %w", cmd.N-res.N, cmd.N, *err)
	}
	return res, nil
}

func fetchOne(client *http.Client, cmd Command) error {
	method, body := http.MethodGet, io.Reader(nil)
	if cmd.Body > 0 {
		method, body = http.MethodPost, bytes.NewReader(make([]byte, cmd.Body))
	}
	req, err := http.NewRequest(method, cmd.Addr, body)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
