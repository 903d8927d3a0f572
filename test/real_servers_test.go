package e2e

import (
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// curl runs curl, which must succeed.
func curl(t testing.TB, args ...string) {
	t.Helper()
	args = append([]string{"--silent", "--show-error", "--output", "/dev/null", "--noproxy", "*"}, args...)
	if said, err := exec.Command(servers.Tool(t, "curl"), args...).CombinedOutput(); err != nil {
		t.Fatalf("curl %v failed: %v\n%s", args, err, said)
	}
}

// TestRealServers: the servers that people run, each counted exactly and under
// the name by which people know it.
func TestRealServers(t *testing.T) {
	const total = 300
	documents := servers.Dir(t) + "/html"
	servers.WriteDocuments(t, documents)
	cases := []struct {
		name, path, route string
		version           string
		start             func() *servers.Process
		service           string
	}{
		{"nginx", "/small.txt", "/small.txt", "1.1", func() *servers.Process {
			return servers.StartNginx(t, servers.NginxOptions{}).Process
		}, `^nginx$`},
		{"nginx with sendfile", "/large.bin", "/large.bin", "1.1", func() *servers.Process {
			return servers.StartNginx(t, servers.NginxOptions{}).Process
		}, `^nginx$`},
		{"nginx that accepts late", "/hello", "/hello", "1.1", func() *servers.Process {
			return servers.StartNginx(t, servers.NginxOptions{Deferred: true}).Process
		}, `^nginx$`},
		{"apache2", "/small.txt", "/small.txt", "1.1", func() *servers.Process { return servers.Apache(t) }, `^apache2$`},
		{"apache2 with sendfile", "/large.bin", "/large.bin", "1.1", func() *servers.Process { return servers.Apache(t) }, `^apache2$`},
		{"Go", "/chunked/5", "/chunked/*", "1.1", func() *servers.Process {
			return servers.Go(t, programs(t).GoServer).Process
		}, `^goserver$`},
		{"Go with writes of any size", "/bytes/100000", "/bytes/*", "1.1", func() *servers.Process {
			return servers.Go(t, programs(t).GoServer).Process
		}, `^goserver$`},
		{"Python script", "/orders/17", "/orders/*", "1.1", func() *servers.Process { return servers.PythonApp(t) }, `^orders(\.py)?$`},
		{"Python module", "/small.txt", "/small.txt", "1.0", func() *servers.Process {
			return servers.PythonModule(t, documents)
		}, `^http\.server$`},
		{"Node script", "/invoices", "/invoices", "1.1", func() *servers.Process { return servers.Node(t) }, `^billing(\.js)?$`},
		{"Node cluster, primary accepts", "/x", "/x", "1.1", func() *servers.Process { return servers.NodeCluster(t, "rr") }, `^cluster(\.js)?$`},
		{"Node cluster, workers accept", "/x", "/x", "1.1", func() *servers.Process { return servers.NodeCluster(t, "none") }, `^cluster(\.js)?$`},
	}
	caller := servers.StartPeer(t, programs(t).Peer)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			server := c.start()
			caller.Fetch(t, servers.Fetch{URL: server.URL(c.path), Requests: total, Connections: 8})
			want := row(total, "GET", c.route, "200")
			want.Labels["url_scheme"], want.Labels["error_type"] = "http", ""
			base := harness.Labels{"server_port": server.PortLabel()}
			shared(t).Expect(t, harness.Client, base, want)
			// What an answer of HTTP/1.0 to a request of HTTP/1.1 is called is
			// the server's affair alone.
			if c.version == "1.1" {
				want.Labels["network_protocol_version"] = c.version
			}
			snap := shared(t).Expect(t, harness.Server, base, want)
			names := snap.Values(harness.Server, "service_name", base)
			if len(names) != 1 || !regexp.MustCompile(c.service).MatchString(names[0]) {
				t.Errorf("the service is called %q, want one name like %s", names, c.service)
			}
		})
	}
}

// TestProxy: nginx passes chunked answers and uploads on over kept connections;
// it is a server and a client at once.
func TestProxy(t *testing.T) {
	const total = 400
	web := servers.Go(t, programs(t).GoServer)
	proxy := servers.StartNginx(t, servers.NginxOptions{Upstream: web.Addr()})
	caller := servers.StartPeer(t, programs(t).Peer)
	caller.Fetch(t, servers.Fetch{URL: proxy.URL("/up/chunked/20"), Requests: total, Connections: 8})
	caller.Fetch(t, servers.Fetch{URL: proxy.URL("/up/echo"), Requests: total, Connections: 8, Body: 50_000})
	front := []harness.Row{row(total, "GET", "/up/chunked/*", "200"), row(total, "POST", "/up/echo", "200")}
	behind := []harness.Row{row(total, "GET", "/chunked/*", "200"), row(total, "POST", "/echo", "200")}
	atProxy, atWeb := harness.Labels{"server_port": proxy.PortLabel()}, harness.Labels{"server_port": web.PortLabel()}
	shared(t).Expect(t, harness.Server, atProxy, front...)
	shared(t).Expect(t, harness.Server, atWeb, behind...)
	shared(t).Expect(t, harness.Client, atProxy.With(harness.Labels{"service_name": "peer"}), front...)
	shared(t).Expect(t, harness.Client, atWeb.With(harness.Labels{"service_name": "nginx"}), behind...)
}

// TestCurl: what curl does of its own accord.
func TestCurl(t *testing.T) {
	web := servers.Go(t, programs(t).GoServer)
	upload := servers.Dir(t) + "/upload"
	servers.WriteFile(t, upload, strings.Repeat(looksLikeRequest, 100_000))
	version := func(r harness.Row, v string) harness.Row {
		r.Labels["network_protocol_version"] = v
		return r
	}
	curl(t, web.URL("/hello"))
	curl(t, "--http1.0", web.URL("/old"))
	curl(t, "--head", web.URL("/bytes/5000"))
	curl(t, "--upload-file", upload, "--header", "Expect: 100-continue", web.URL("/echo"))
	curl(t, "--header", "Transfer-Encoding: chunked", "--data-binary", "@"+upload, web.URL("/echo"))
	curl(t, web.URL("/early-hints"))
	curl(t, web.URL("/close-delimited"))
	curl(t, web.URL("/status/404"), web.URL("/status/204"), web.URL("/status/503"))
	curl(t, "--globoff", fmt.Sprintf("http://[::1]:%d/six", web.Port))
	shared(t).Expect(t, harness.Server, harness.Labels{"server_port": web.PortLabel()},
		version(row(1, "GET", "/hello", "200"), "1.1"),
		version(row(1, "GET", "/old", "200"), "1.0"),
		row(1, "HEAD", "/bytes/*", "200"),
		row(1, "PUT", "/echo", "200"),
		row(1, "POST", "/echo", "200"),
		row(1, "GET", "/early-hints", "200"),
		row(1, "GET", "/close-delimited", "200"),
		row(1, "GET", "/status/*", "404"), row(1, "GET", "/status/*", "204"), row(1, "GET", "/status/*", "503"),
		row(1, "GET", "/six", "200"),
	)
}
