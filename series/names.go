package series

import (
	"net"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"sonde_exporter/bpf"
	"sonde_exporter/probe"
)

// OtherMethod is the value that the OpenTelemetry conventions give to methods
// that are not well known.
const OtherMethod = "_OTHER"

var methodNames = [...]string{
	bpf.SondeMethodMETHOD_OTHER:   OtherMethod,
	bpf.SondeMethodMETHOD_GET:     "GET",
	bpf.SondeMethodMETHOD_HEAD:    "HEAD",
	bpf.SondeMethodMETHOD_POST:    "POST",
	bpf.SondeMethodMETHOD_PUT:     "PUT",
	bpf.SondeMethodMETHOD_DELETE:  "DELETE",
	bpf.SondeMethodMETHOD_CONNECT: "CONNECT",
	bpf.SondeMethodMETHOD_OPTIONS: "OPTIONS",
	bpf.SondeMethodMETHOD_TRACE:   "TRACE",
	bpf.SondeMethodMETHOD_PATCH:   "PATCH",
}

// Methods are all that a method can be called.
func Methods() []string { return slices.Clone(methodNames[:]) }

func methodName(method uint8) string {
	if int(method) >= len(methodNames) {
		return OtherMethod
	}
	return methodNames[method]
}

// serverAddress is whom a client called: the host of its Host header if there is
// one that looks like a host, else the address of the peer.
func serverAddress(event *probe.OperationEvent) string {
	host := event.Host[:min(int(event.HostLength), len(event.Host))]
	if name := hostName(string(host)); name != "" {
		return name
	}
	if event.Family == unix.AF_INET {
		return netip.AddrFrom4([4]byte(event.Peer[:4])).String()
	}
	return netip.AddrFrom16(event.Peer).Unmap().String()
}

// hostName returns the host of "host" or "host:port" in lower case, or "" if a
// stranger wrote something that is neither a name nor an address.
func hostName(text string) string {
	host := text
	if name, _, err := net.SplitHostPort(text); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if address, err := netip.ParseAddr(host); err == nil {
		return address.WithZone("").String()
	}
	odd := func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789.-_", r)
	}
	if strings.ContainsFunc(host, odd) || strings.Contains(host, "..") {
		return ""
	}
	return host
}
