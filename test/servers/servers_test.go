package servers

import (
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func get(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func build(t *testing.T, name string) string {
	t.Helper()
	out := filepath.Join(Dir(t), name)
	if said, err := exec.Command("go", "build", "-o", out, "./"+name).CombinedOutput(); err != nil {
		t.Fatalf("cannot build %s: %v\n%s", name, err, said)
	}
	return out
}

// Every server of the end-to-end tests answers, without an exporter in sight: a
// failure there is then not the servers'.
func TestServersAnswer(t *testing.T) {
	documents := filepath.Join(Dir(t), "html")
	WriteDocuments(t, documents)
	upstream := Go(t, build(t, "goserver"))
	cases := []struct {
		name, url, want string
	}{
		{"goserver", upstream.URL("/chunked/3"), strings.Repeat("HTTP/1.1 500 inside a chunk\r\n\r\n", 3)},
		{"nginx", StartNginx(t, NginxOptions{Deferred: true}).URL("/hello"), "hello\n"},
		{"nginx passing on", StartNginx(t, NginxOptions{Upstream: upstream.Addr()}).URL("/up/bytes/2"), "xx"},
		{"apache2", Apache(t).URL("/small.txt"), "ok\n"},
		{"Python application", PythonApp(t).URL("/"), "ok\n"},
		{"Python module", PythonModule(t, documents).URL("/small.txt"), "ok\n"},
		{"Node", Node(t).URL("/"), "ok\n"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, body := get(t, c.url); body != c.want {
				t.Errorf("the answer is %q, want %q", body, c.want)
			}
		})
	}
	if got := upstream.Handled(t); got != 2 {
		t.Errorf("goserver has handled %d requests, want 2", got)
	}
}

func TestNodeClusterAnswers(t *testing.T) {
	for _, scheduling := range []string{"rr", "none"} {
		if resp, _ := get(t, NodeCluster(t, scheduling).URL("/")); resp.StatusCode != http.StatusOK {
			t.Errorf("scheduling %s: status %d", scheduling, resp.StatusCode)
		}
	}
}

func TestPeersConverse(t *testing.T) {
	program := build(t, "peer")
	client, server := StartPeer(t, program), StartPeer(t, program)
	listener := server.Listen(t)
	c := client.Dial(t, listener.Addr)
	s := listener.Accept(t)
	for _, send := range []func(testing.TB, string){s.Write, s.Writev, s.Sendfile} {
		send(t, "hello, world")
		c.Read(t, 12)
	}
	s.CloseWrite(t)
	c.ReadAll(t)
	c.Reset(t)
	s.ReadUntilGone(t)
	s.Close(t)
	listener.Close(t)
	web := Go(t, build(t, "goserver"))
	client.Fetch(t, Fetch{URL: web.URL("/echo"), Requests: 20, Connections: 4, Body: 1000})
	if got := web.Handled(t); got != 20 {
		t.Errorf("goserver has handled %d requests, want 20", got)
	}
}
