package tracing

import (
	"slices"
	"strings"
)

const (
	maxHeaders      = 100 // lines that are looked at
	maxHeaderValues = 8   // of one name
)

// head is what a request says of itself: its first line, and those headers that
// are of interest. All of it is as its sender wrote it.
type head struct {
	method, target string
	host           string
	userAgent      string
	traceState     string              // the values of all tracestate headers
	headers        map[string][]string // those asked for, by their names in lower case
}

// parseHead reads the first bytes of a request. They may end anywhere: a header
// counts only if its line is complete, for half a host name is another host.
func parseHead(raw []byte, wanted []string) head {
	text := strings.TrimLeft(string(raw), "\r\n") // RFC 9112, section 2.2
	line, rest, _ := strings.Cut(text, "\n")
	var h head
	h.method, h.target, _ = strings.Cut(strings.TrimSuffix(line, "\r"), " ")
	h.target, _, _ = strings.Cut(h.target, " ")
	for range maxHeaders {
		line, after, complete := strings.Cut(rest, "\n")
		line = strings.TrimSuffix(line, "\r")
		if !complete || line == "" {
			break
		}
		rest = after
		// A name with space around it, or a folded line, is no header that a
		// server would take (RFC 9112, section 5).
		if name, value, found := strings.Cut(line, ":"); found && !strings.ContainsAny(name, " \t") {
			h.add(strings.ToLower(name), strings.Trim(value, " \t"), wanted)
		}
	}
	return h
}

func (h *head) add(name, value string, wanted []string) {
	switch {
	case name == "host" && h.host == "":
		h.host = value
	case name == "user-agent" && h.userAgent == "":
		h.userAgent = value
	case name == "tracestate" && h.traceState == "":
		h.traceState = value
	case name == "tracestate":
		h.traceState += "," + value
	}
	if !slices.Contains(wanted, name) || len(h.headers[name]) >= maxHeaderValues {
		return
	}
	if h.headers == nil {
		h.headers = map[string][]string{}
	}
	h.headers[name] = append(h.headers[name], value)
}
