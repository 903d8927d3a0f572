package main

import (
	"strings"
	"testing"
	"time"
)

const wrkSaid = `Running 2s test @ http://127.0.0.1:18080/hello
  2 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   411.48us    1.21ms  35.14ms   98.40%
    Req/Sec    50.36k     6.78k   61.07k    70.00%
  Latency Distribution
     50%  282.00us
     75%  399.00us
     90%  565.00us
     99%    2.89ms
  200650 requests in 2.01s, 31.38MB read
Requests/sec:  99848.31
Transfer/sec:     15.62MB
`

func TestParseWrk(t *testing.T) {
	got, err := parseWrk(wrkSaid)
	want := load{requests: 200650, throughput: 99848.31, p50: 282 * time.Microsecond, p99: 2890 * time.Microsecond}
	if err != nil || got != want {
		t.Errorf("parsed %+v, %v; want %+v", got, err, want)
	}
}

func TestParseWrkRefusesFailures(t *testing.T) {
	for name, said := range map[string]string{
		"errors":       wrkSaid + "  Socket errors: connect 0, read 3, write 0, timeout 0\n",
		"status":       wrkSaid + "  Non-2xx or 3xx responses: 7\n",
		"no answer":    strings.Replace(wrkSaid, "200650 requests", "0 requests", 1),
		"no latency":   strings.Replace(wrkSaid, "99%", "98%", 1),
		"not a figure": strings.Replace(wrkSaid, "282.00us", "soon", 1),
	} {
		if got, err := parseWrk(said); err == nil {
			t.Errorf("%s: parsed %+v, want an error", name, got)
		}
	}
}
