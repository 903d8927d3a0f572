package main

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"sonde_exporter/test/servers"
)

// load is what wrk saw of one run.
type load struct {
	requests   float64
	throughput float64 // requests a second
	p50, p99   time.Duration
	cpu        time.Duration // of wrk itself
}

// The lines of wrk's output that say so.
var (
	wrkRequests   = regexp.MustCompile(`(?m)^\s*(\d+) requests in `)
	wrkThroughput = regexp.MustCompile(`(?m)^Requests/sec:\s+(\S+)`)
	wrkMedian     = regexp.MustCompile(`(?m)^\s+50%\s+(\S+)`)
	wrkTail       = regexp.MustCompile(`(?m)^\s+99%\s+(\S+)`)
	wrkFailed     = regexp.MustCompile(`(?m)^\s+(Socket errors|Non-2xx).*$`)
)

// runWrk loads a URL as fast as the server answers, over 32 connections or, if
// short, a new connection for each request.
func runWrk(s *stage, url string, seconds int, short bool) load {
	args := []string{"--latency", "-t2", "-c32", fmt.Sprintf("-d%ds", seconds)}
	if short {
		args = append(args, "-H", "Connection: close")
	}
	cmd := exec.CommandContext(s.Context(), servers.Tool(s, "wrk"), append(args, url)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	said, err := cmd.CombinedOutput()
	if err != nil {
		s.Fatalf("wrk failed: %v\n%s", err, said)
	}
	result, err := parseWrk(string(said))
	s.must(err)
	result.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return result
}

func parseWrk(said string) (load, error) {
	if failure := wrkFailed.FindString(said); failure != "" {
		return load{}, fmt.Errorf("wrk had failures, so that its figures mean nothing: %s", failure)
	}
	var l load
	for _, field := range []struct {
		line  *regexp.Regexp
		parse func(string) error
	}{
		{wrkRequests, number(&l.requests)},
		{wrkThroughput, number(&l.throughput)},
		{wrkMedian, duration(&l.p50)},
		{wrkTail, duration(&l.p99)},
	} {
		match := field.line.FindStringSubmatch(said)
		if match == nil {
			return load{}, fmt.Errorf("wrk did not print %s; it said:\n%s", field.line, said)
		}
		if err := field.parse(match[1]); err != nil {
			return load{}, fmt.Errorf("wrk printed something else than a figure: %w", err)
		}
	}
	if l.requests == 0 {
		return load{}, fmt.Errorf("wrk got no answer; it said:\n%s", said)
	}
	return l, nil
}

func number(to *float64) func(string) error {
	return func(text string) (err error) {
		*to, err = strconv.ParseFloat(text, 64)
		return err
	}
}

func duration(to *time.Duration) func(string) error {
	return func(text string) (err error) {
		*to, err = time.ParseDuration(text)
		return err
	}
}
