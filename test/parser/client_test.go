package parser

import (
	"fmt"
	"strings"
	"testing"
)

// TestHost: what a client calls is told apart by the Host header.
func TestHost(t *testing.T) {
	many := make([]string, 30)
	for i := range many {
		many[i] = fmt.Sprintf("X-Field-%d: %s", i, strings.Repeat("v", 40))
	}
	cases := []struct {
		name  string
		lines []string
		want  string
	}{
		{"first", []string{"Host: example.org", "Accept: */*"}, "example.org"},
		{"last", []string{"Accept: */*", "Host: example.org"}, "example.org"},
		{"behind many", append(many, "Host: example.org"), "example.org"},
		{"before many", append([]string{"Host: example.org"}, many...), "example.org"},
		{"with a port", []string{"Host: example.org:8080"}, "example.org:8080"},
		{"IPv6", []string{"Host: [2001:db8::1]:80"}, "[2001:db8::1]:80"},
		{"odd case and blanks", []string{"hOSt:\t  example.org \t"}, "example.org"},
		{"no blank", []string{"Host:example.org"}, "example.org"},
		{"lines that begin like it", []string{"Hostname: a", "X-Host: b", "Host-: c", "Host: example.org"}, "example.org"},
		{"127 bytes", []string{"Host: " + strings.Repeat("h", 127)}, strings.Repeat("h", 127)},
		{"128 bytes", []string{"Host: " + strings.Repeat("h", 128)}, strings.Repeat("h", 128)},
		{"too long", []string{"Host: " + strings.Repeat("h", 200)}, strings.Repeat("h", 128)},
		{"much too long", []string{"Host: " + strings.Repeat("h", 2000)}, strings.Repeat("h", 128)},
		{"none", []string{"Accept: */*"}, ""},
		{"empty", []string{"Host:", "Accept: */*"}, ""},
		{"empty with a blank", []string{"Host: ", "Accept: */*"}, ""},
		{"empty with blanks", []string{"Host:    ", "Accept: */*"}, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			turns := []turn{client(head(append([]string{"GET /x HTTP/1.1"}, c.lines...)...)), server(ok("hello"))}
			i := 0
			var hash uint64
			for name, cut := range cuttings(turns) {
				l := newLink(Client)
				l.host.SetGarbage(garbage(i))
				l.play(turns, cut)
				l.checkSanity(t)
				if len(l.got) != 1 || l.got[0].host != c.want || l.got[0].String() != "GET /x 200" {
					t.Fatalf("%s: measured %+v, want host %q", name, l.got, c.want)
				}
				if i == 0 {
					hash = l.told[0].Key.Hash
				} else if l.told[0].Key.Hash != hash {
					t.Fatalf("%s: the hash depends on the cut", name)
				}
				i++
			}
		})
	}
}

// TestHostsAreToldApart: the hash of an operation is that of path and host.
func TestHostsAreToldApart(t *testing.T) {
	hosts := []string{"", "a", "b", "ab", "aaaaaaaa", "aaaaaaab", "aaaaaaaaa", strings.Repeat("a", 127) + "b", strings.Repeat("a", 128)}
	seen := map[uint64]string{}
	for _, host := range hosts {
		for _, path := range []string{"/", "/a", "/b"} {
			l := newLink(Client)
			l.play([]turn{client(head("GET "+path+" HTTP/1.1", "Host: "+host)), server(ok(""))}, whole)
			if len(l.told) != 1 {
				t.Fatalf("%d operations were told, want 1", len(l.told))
			}
			hash := l.told[0].Key.Hash
			if other, known := seen[hash]; known {
				t.Errorf("%s%s has the hash of %s", host, path, other)
			}
			seen[hash] = host + path
		}
	}
}

// TestHostOfOneRequestIsNotThatOfTheNext: a head without Host has none.
func TestHostOfOneRequestIsNotThatOfTheNext(t *testing.T) {
	bare := "GET /y HTTP/1.0\r\n\r\n"
	for _, turns := range [][]turn{
		{client(get("/x"), bare), server(ok(""), ok(""))},
		{client(get("/x")), server(ok("")), client(bare), server(ok(""))},
	} {
		for name, cut := range cuttings(turns) {
			l := newLink(Client)
			l.play(turns, cut)
			if len(l.got) != 2 || l.got[0].host != "test" || l.got[1].host != "" {
				t.Fatalf("%s: measured %+v, want the hosts \"test\" and \"\"", name, l.got)
			}
		}
	}
}

// TestServerIgnoresHost: strangers choose it, so it makes no operations.
func TestServerIgnoresHost(t *testing.T) {
	l := newLink(Server)
	l.play([]turn{
		client(head("GET /x HTTP/1.1", "Host: a")), server(ok("")), client(head("GET /x HTTP/1.1", "Host: b")), server(ok("")),
	}, whole)
	if len(l.told) != 2 || l.told[0].Key != l.told[1].Key || l.told[0].Host != "" {
		t.Errorf("told %+v, want one operation without a host", l.told)
	}
}
