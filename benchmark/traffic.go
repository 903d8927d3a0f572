package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	// trafficConnections is how many connections share the paths.
	trafficConnections = 4
	// trafficBatch is how many requests are sent before an answer is read.
	trafficBatch = 50
	// trafficPatience is how long one batch may take.
	trafficPatience = 30 * time.Second
)

// words are n different short paths without anything that looks like an id:
// two syllables each.
func words(n int) []string {
	const consonants, vowels = "bcdfghjklmnprstvwxz", "aeiouy"
	const syllables = len(consonants) * len(vowels)
	syllable := func(i int) string {
		i %= syllables
		return string(consonants[i/len(vowels)]) + string(vowels[i%len(vowels)])
	}
	paths := make([]string, n)
	for i := range paths {
		paths[i] = "/" + syllable(i/syllables) + syllable(i)
	}
	return paths
}

// visit asks a server for every path once.
func visit(addr string, paths []string) error {
	errs := make([]error, trafficConnections)
	var wg sync.WaitGroup
	for c := range trafficConnections {
		wg.Go(func() {
			errs[c] = visitSome(addr, paths[c*len(paths)/trafficConnections:(c+1)*len(paths)/trafficConnections])
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return fmt.Errorf("the traffic that makes series broke: %w", err)
		}
	}
	return nil
}

// visitSome sends requests in batches on one connection.
func visitSome(addr string, paths []string) (err error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	for len(paths) > 0 {
		batch := paths[:min(trafficBatch, len(paths))]
		paths = paths[len(batch):]
		var requests strings.Builder
		for _, path := range batch {
			requests.WriteString("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n")
		}
		if err := conn.SetDeadline(time.Now().Add(trafficPatience)); err != nil {
			return err
		}
		if _, err := io.WriteString(conn, requests.String()); err != nil {
			return err
		}
		if err := readAnswers(in, len(batch)); err != nil {
			return err
		}
	}
	return nil
}

func readAnswers(in *bufio.Reader, n int) error {
	for range n {
		answer, err := http.ReadResponse(in, nil)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		if err != nil {
			return err
		}
	}
	return nil
}
