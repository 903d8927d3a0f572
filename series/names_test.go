package series

import (
	"net/netip"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"sonde_exporter/bpf"
	"sonde_exporter/probe"
)

func TestMethodName(t *testing.T) {
	for method := range uint8(bpf.SondeMethodMETHODS) {
		if methodName(method) == "" {
			t.Errorf("method %d has no name", method)
		}
	}
	for _, c := range []struct {
		method uint8
		want   string
	}{
		{uint8(bpf.SondeMethodMETHOD_GET), "GET"},
		{uint8(bpf.SondeMethodMETHOD_PATCH), "PATCH"},
		{uint8(bpf.SondeMethodMETHOD_OTHER), "_OTHER"},
		{uint8(bpf.SondeMethodMETHODS), "_OTHER"},
		{255, "_OTHER"},
	} {
		if got := methodName(c.method); got != c.want {
			t.Errorf("methodName(%d) = %q, want %q", c.method, got, c.want)
		}
	}
}

// calling is an event of a client that sent this Host header to this peer.
func calling(host, peer string) *probe.OperationEvent {
	event := &probe.OperationEvent{HostLength: uint16(len(host))}
	event.Key.Side = uint8(Client)
	copy(event.Host[:], host)
	address := netip.MustParseAddr(peer)
	if address.Is4() {
		event.Family = unix.AF_INET
		four := address.As4()
		copy(event.Peer[:], four[:])
	} else {
		event.Family = unix.AF_INET6
		event.Peer = address.As16()
	}
	return event
}

func TestServerAddress(t *testing.T) {
	const peer = "192.0.2.7"
	cases := []struct{ name, host, peer, want string }{
		{"a name", "api.example.com", peer, "api.example.com"},
		{"a name and a port", "api.example.com:8080", peer, "api.example.com"},
		{"capitals", "API.Example.COM", peer, "api.example.com"},
		{"an underscore", "my_service:80", peer, "my_service"},
		{"an IPv4 address", "10.0.0.1:80", peer, "10.0.0.1"},
		{"an IPv6 address", "[2001:DB8::1]", peer, "2001:db8::1"},
		{"an IPv6 address and a port", "[2001:db8::1]:443", peer, "2001:db8::1"},
		{"no Host header", "", peer, peer},
		{"no Host header, over IPv6", "", "2001:db8::7", "2001:db8::7"},
		{"no Host header, IPv4 on a dual-stack socket", "", "::ffff:192.0.2.7", peer},
		{"a space", "a b", peer, peer},
		{"markup", "<script>", peer, peer},
		{"a quote and a line end", "a\"\nb 1", peer, peer},
		{"a path", "example.com/users", peer, peer},
		{"user information", "user@example.com", peer, peer},
		{"NUL", "exam\x00ple", peer, peer},
		{"invalid UTF-8", "ex\xffample", peer, peer},
		{"letters that look alike", "еxample.com", peer, peer},
		{"a port without a host", ":80", peer, peer},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := serverAddress(calling(c.host, c.peer)); got != c.want {
				t.Errorf("serverAddress(%q, %s) = %q, want %q", c.host, c.peer, got, c.want)
			}
		})
	}
	t.Run("a length beyond the bytes", func(t *testing.T) {
		event := calling(strings.Repeat("a", len(probe.OperationEvent{}.Host)), peer)
		event.HostLength = 60000
		if got := serverAddress(event); got != strings.Repeat("a", len(event.Host)) {
			t.Errorf("serverAddress = %q", got)
		}
	})
}

func FuzzServerAddress(f *testing.F) {
	f.Add([]byte("example.com:80"))
	f.Add([]byte("[::1]:80"))
	f.Add([]byte("\xff\xfe\x00%%"))
	f.Fuzz(func(t *testing.T, host []byte) {
		event := calling("", "192.0.2.7")
		event.HostLength = uint16(len(host))
		copy(event.Host[:], host)
		got := serverAddress(event)
		if got == "" || len(got) > len(event.Host) || !utf8.ValidString(got) || got != strings.ToLower(got) ||
			strings.ContainsAny(got, " \t\r\n\x00\"\\/@") {
			t.Errorf("serverAddress(%q) = %q", host, got)
		}
	})
}
