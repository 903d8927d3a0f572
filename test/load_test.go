package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// wrkQuota makes each thread of wrk send a fixed number of requests and then
// fall silent, so that none is cut off when wrk's time is over: delay is asked
// before each request.
const wrkQuota = `
local quota = %d
function delay()
  if quota == 0 then return 3600 * 1000 end
  quota = quota - 1
  return 0
end
`

// wrkResult is what wrk printed.
type wrkResult struct {
	requests uint64
	mean     time.Duration
}

var (
	wrkRequests = regexp.MustCompile(`(\d+) requests in`)
	wrkMean     = regexp.MustCompile(`Latency\s+(\S+)`)
)

// wrk runs wrk to its end, which must be without errors.
func wrk(t testing.TB, script string, args ...string) wrkResult {
	t.Helper()
	return startWrk(t, script, args...).wait(t)
}

// runningWrk is wrk at work.
type runningWrk struct {
	process *os.Process
	said    bytes.Buffer
	ended   chan error
}

// startWrk does not wait for wrk.
func startWrk(t testing.TB, script string, args ...string) *runningWrk {
	t.Helper()
	if script != "" {
		path := filepath.Join(servers.Dir(t), "script.lua")
		servers.WriteFile(t, path, script)
		args = append([]string{"-s", path}, args...)
	}
	cmd := exec.Command(servers.Tool(t, "wrk"), args...)
	w := &runningWrk{ended: make(chan error, 1)}
	cmd.Stdout, cmd.Stderr = &w.said, &w.said
	if err := cmd.Start(); err != nil {
		t.Fatalf("cannot start wrk: %v", err)
	}
	w.process = cmd.Process
	go func() { w.ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = w.process.Kill() }) // where a test has failed before its end
	return w
}

// interrupt makes wrk end before its time, and print what it has.
func (w *runningWrk) interrupt(t testing.TB) {
	t.Helper()
	if err := w.process.Signal(os.Interrupt); err != nil {
		t.Fatalf("cannot interrupt wrk: %v", err)
	}
}

// wait returns what wrk printed in the end.
func (w *runningWrk) wait(t testing.TB) (r wrkResult) {
	t.Helper()
	err := <-w.ended
	said := w.said.Bytes()
	if err != nil {
		t.Fatalf("wrk failed: %v\n%s", err, said)
	}
	t.Logf("%s", said)
	if strings.Contains(string(said), "Socket errors") || strings.Contains(string(said), "Non-2xx") {
		t.Fatal("wrk had errors: its count is no truth to compare with")
	}
	if _, err := fmt.Sscan(submatch(t, wrkRequests, said), &r.requests); err != nil {
		t.Fatalf("wrk's count is not a number: %v", err)
	}
	if r.mean, err = time.ParseDuration(submatch(t, wrkMean, said)); err != nil {
		t.Fatalf("wrk's mean is not a duration: %v", err)
	}
	return r
}

func submatch(t testing.TB, re *regexp.Regexp, text []byte) string {
	t.Helper()
	m := re.FindSubmatch(text)
	if m == nil {
		t.Fatalf("wrk did not print %s:\n%s", re, text)
	}
	return string(m[1])
}

// TestKeepAliveUnderLoad: 120,000 requests over 64 connections.
func TestKeepAliveUnderLoad(t *testing.T) {
	const total = 120_000
	nginx := servers.StartNginx(t, servers.NginxOptions{AccessLog: true})
	web := servers.Go(t, programs(t).GoServer)
	for _, c := range []struct {
		name, url, port, route string
		handled                func() uint64
	}{
		{"nginx", nginx.URL("/hello"), nginx.PortLabel(), "/hello", func() uint64 { return nginx.Logged(t)["200"] }},
		{"Go", web.URL("/bytes/500"), web.PortLabel(), "/bytes/*", func() uint64 { return web.Handled(t) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			sent := wrk(t, fmt.Sprintf(wrkQuota, total/2), "-t2", "-c64", "-d12s", "--timeout", "10s", c.url).requests
			if handled := c.handled(); sent != total || handled != total {
				t.Fatalf("this machine was too slow for the test: wrk has %d answers, the server %d requests, want %d", sent, handled, total)
			}
			shared(t).Expect(t, harness.Server, harness.Labels{"server_port": c.port}, row(total, "GET", c.route, "200"))
		})
	}
}

// TestMeanUnderLoad: the sum over a run of wrk agrees with wrk's own mean. wrk
// cuts off what is in flight at its end, so that only the mean is compared.
func TestMeanUnderLoad(t *testing.T) {
	web := servers.Go(t, programs(t).GoServer)
	result := wrk(t, "", "-t2", "-c64", "-d4s", web.URL("/sleep/10"))
	base := harness.Labels{"server_port": web.PortLabel(), "http_response_status_code": "200"}
	snap := shared(t).Eventually(t, "the requests of wrk", func(s harness.Snapshot) bool {
		return s.Count(harness.Server, base) >= result.requests
	})
	mean := snap.Sum(harness.Server, base) / float64(snap.Count(harness.Server, base))
	if math.Abs(mean/result.mean.Seconds()-1) > 0.15 {
		t.Errorf("the mean is %.6f s by Sonde and %.6f s by wrk", mean, result.mean.Seconds())
	}
	// What wrk cut off was sent and counts as well.
	shared(t).WaitCount(t, harness.Server, harness.Labels{"server_port": web.PortLabel()}, web.Handled(t))
}

// TestShortConnections: 5,000 connections with one request each.
func TestShortConnections(t *testing.T) {
	const total = 5000
	nginx := servers.StartNginx(t, servers.NginxOptions{})
	web := servers.Go(t, programs(t).GoServer)
	for name, server := range map[string]*servers.Process{"nginx": nginx.Process, "Go": web.Process} {
		t.Run(name, func(t *testing.T) {
			inParallel(t, 16, total, func() error {
				return talkOnce(server.Addr(), request("/hello", "Connection: close"))
			})
			shared(t).Expect(t, harness.Server, harness.Labels{"server_port": server.PortLabel()}, row(total, "GET", "/hello", "200"))
		})
	}
}

// TestShortCalls: the same in the role of the client, over a proxy that opens a
// connection for each call.
func TestShortCalls(t *testing.T) {
	const total = 5000
	web := servers.Go(t, programs(t).GoServer)
	proxy := servers.StartNginx(t, servers.NginxOptions{Upstream: web.Addr(), CloseUpstream: true})
	caller := servers.StartPeer(t, programs(t).Peer)
	caller.Fetch(t, servers.Fetch{URL: proxy.URL("/up/hello"), Requests: total, Connections: 16})
	for _, c := range []struct {
		role, port, route string
	}{
		{harness.Client, proxy.PortLabel(), "/up/hello"}, // the peer calls nginx
		{harness.Server, proxy.PortLabel(), "/up/hello"}, // nginx is called
		{harness.Client, web.PortLabel(), "/hello"},      // nginx calls goserver
		{harness.Server, web.PortLabel(), "/hello"},      // goserver is called
	} {
		shared(t).Expect(t, c.role, harness.Labels{"server_port": c.port}, row(total, "GET", c.route, "200"))
	}
}

// TestPipeliningUnderLoad: 20,000 requests, 200 deep, at real servers.
func TestPipeliningUnderLoad(t *testing.T) {
	const batches, depth = 100, 200
	nginx := servers.StartNginx(t, servers.NginxOptions{})
	web := servers.Go(t, programs(t).GoServer)
	for name, server := range map[string]*servers.Process{"nginx": nginx.Process, "Go": web.Process} {
		t.Run(name, func(t *testing.T) {
			inParallel(t, 4, batches, func() error {
				return pipeline(server.Addr(), depth)
			})
			shared(t).Expect(t, harness.Server, harness.Labels{"server_port": server.PortLabel()},
				row(batches*depth, "GET", "/hello", "200"))
		})
	}
}

// inParallel calls do total times from several goroutines.
func inParallel(t testing.TB, workers, total int, do func() error) {
	t.Helper()
	var wg sync.WaitGroup
	errs := make(chan error, workers)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < total; i += workers {
				if err := do(); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Fatal(err)
	}
}

// talkOnce sends data on a connection of its own and reads until the end.
func talkOnce(addr, data string) error {
	conn, err := dial(addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, data); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, conn)
	return err
}

// pipeline sends depth requests at once and reads their answers.
func pipeline(addr string, depth int) error {
	conn, err := dial(addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	written := make(chan error, 1)
	go func() {
		_, err := io.WriteString(conn, strings.Repeat(request("/hello"), depth))
		written <- err
	}()
	in := bufio.NewReader(conn)
	if err := readAnswers(in, slices.Repeat([]string{http.MethodGet}, depth)); err != nil {
		return err
	}
	return <-written
}

// converse sends requests over one connection, each after the answer to the last.
func converse(addr string, requests int) error {
	conn, err := dial(addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	for range requests {
		if _, err := io.WriteString(conn, request("/hello")); err != nil {
			return err
		}
		if err := readAnswers(in, []string{http.MethodGet}); err != nil {
			return err
		}
	}
	return nil
}

// dial connects to addr. The deadline is for a server that has stopped to answer.
func dial(addr string) (net.Conn, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return conn, conn.SetDeadline(time.Now().Add(time.Minute))
}
