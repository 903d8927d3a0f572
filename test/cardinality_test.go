package e2e

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

const (
	bombRequests  = 100_000
	bombService   = 100 // series a service
	bombLimit     = 150 // series in all
	bombMaxRSS    = 256 << 20
	bombPerBatch  = 50
	bombMaxScrape = 2 << 20
)

// TestCardinalityBomb: 100,000 requests, each with a path of its own, and many
// methods, hosts and status codes. Series and memory stay bounded, and every
// request is counted.
func TestCardinalityBomb(t *testing.T) {
	e := exporter(t, harness.Options{Args: []string{
		fmt.Sprintf("--series.limit=%d", bombLimit), fmt.Sprintf("--series.limit-per-service=%d", bombService),
	}})
	web := named(t, "bomb")
	before := e.RSS(t)
	inParallel(t, 4, 4, bombard(web.Addr(), bombRequests/4))
	// What overflows may have lost its port.
	base := harness.Labels{"service_name": "bomb"}
	snap := e.WaitCount(t, harness.Server, base, bombRequests)
	// Overflow has series of its own, one a role and a few at most.
	const overflow = 4
	if n := len(snap.Series(harness.Server, base)); n > bombService+overflow {
		t.Errorf("the service has %d series, its limit is %d", n, bombService)
	}
	if n := len(snap.Series(harness.Server, harness.Labels{})) + len(snap.Series(harness.Client, harness.Labels{})); n > bombLimit+overflow*10 {
		t.Errorf("%d series in all, the limit is %d", n, bombLimit)
	}
	if snap.Value("sonde_series_overflow_total", harness.Labels{}) == 0 {
		t.Error("sonde_series_overflow_total is 0: nothing overflowed by Sonde's account")
	}
	if after := e.RSS(t); after > bombMaxRSS {
		t.Errorf("the exporter holds %d MiB, %d MiB before the bomb", after>>20, before>>20)
	}
	resp := e.Fetch(t, harness.Text)
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); err != nil || n > bombMaxScrape {
		t.Errorf("the scrape has %d bytes (%v)", n, err)
	}
}

// TestManyHostsBomb: a service that calls 2,000 hosts.
func TestManyHostsBomb(t *testing.T) {
	const hosts = 2000
	e := exporter(t, harness.Options{Args: []string{"--series.limit-per-service=100"}})
	s := newStage(t)
	listener := s.server.Listen(t)
	c := conversation{client: s.client.Dial(t, listener.Addr), server: listener.Accept(t)}
	for i := range hosts {
		play(t, c, []step{client(head("GET /x HTTP/1.1", fmt.Sprintf("Host: host-%d.test", i))), server(answer("ok"))})
	}
	base := harness.Labels{"server_port": portOf(t, listener.Addr)}
	e.WaitCount(t, harness.Server, base, hosts)
	// Calls beyond the limit may have lost the port as well as the host.
	caller := harness.Labels{"service_name": "peer"}
	snap := e.WaitCount(t, harness.Client, caller, hosts)
	if n := len(snap.Series(harness.Client, caller)); n > 104 {
		t.Errorf("the calls have %d series, the limit of their service is 100", n)
	}
}

// named starts a Go service with a name of its own: what strangers do to it then
// uses up no other service's share of the series.
func named(t testing.TB, name string) *servers.GoServer {
	t.Helper()
	port := servers.FreePort(t)
	return servers.GoCommand(t, port, servers.NewCommand(programs(t).GoServer,
		[]string{"OTEL_SERVICE_NAME=" + name}, "-addr", fmt.Sprintf("127.0.0.1:%d", port)))
}

// bombard returns a function that sends n requests in batches on one connection.
func bombard(addr string, n int) func() error {
	return func() error {
		conn, err := dial(addr)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }()
		in := bufio.NewReader(conn)
		for range n / bombPerBatch {
			var batch strings.Builder
			methods := make([]string, 0, bombPerBatch)
			for range bombPerBatch {
				method, line := bombRequest()
				methods = append(methods, method)
				batch.WriteString(line)
			}
			if _, err := io.WriteString(conn, batch.String()); err != nil {
				return err
			}
			if err := readAnswers(in, methods); err != nil {
				return err
			}
		}
		return nil
	}
}

// bombRequest makes a request unlike any other.
func bombRequest() (method, data string) {
	method = []string{"GET", "HEAD", "PUT", "DELETE", "PATCH", randomWord(6)}[rand.IntN(6)]
	path := fmt.Sprintf("/%s/%s/%s", randomWord(3), randomWord(8), randomWord(12))
	if rand.IntN(2) == 0 {
		path = fmt.Sprintf("/status/%d", 200+rand.IntN(400))
	}
	return method, head(fmt.Sprintf("%s %s HTTP/1.1", method, path), "Host: "+randomWord(10)+".test")
}

func randomWord(n int) string {
	word := make([]byte, n)
	for i := range word {
		word[i] = byte('A' + rand.IntN(26))
		if i > 0 && n > 6 {
			word[i] |= 0x20
		}
	}
	return string(word)
}

func readAnswers(in *bufio.Reader, methods []string) error {
	for _, method := range methods {
		resp, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return err
		}
		resp.Body.Close()
	}
	return nil
}
