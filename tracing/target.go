package tracing

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

const (
	redacted     = "REDACTED"
	redactedUser = redacted + ":" + redacted + "@" // as the conventions write it
)

// target is the target of a request, taken apart (RFC 9112, section 3.2). It has
// no credentials.
type target struct {
	scheme    string // of an absolute target, else ""
	user      string // redactedUser where there was one, else ""
	authority string // of an absolute target or of CONNECT, else ""
	path      string
	query     string // without the question mark
}

func parseTarget(method, text string) target {
	var t target
	if method == "CONNECT" {
		t.user, t.authority = splitUser(text)
		return t
	}
	if scheme, rest, found := strings.Cut(text, "://"); found && isScheme(scheme) {
		end := strings.IndexAny(rest, "/?")
		if end < 0 {
			end = len(rest)
		}
		t.scheme = strings.ToLower(scheme)
		t.user, t.authority = splitUser(rest[:end])
		text = rest[end:]
	}
	text, _, _ = strings.Cut(text, "#")
	t.path, t.query, _ = strings.Cut(text, "?")
	t.path = redactUsers(t.path)
	t.query = redactUsers(t.query)
	return t
}

func isScheme(text string) bool {
	return strings.EqualFold(text, "http") || strings.EqualFold(text, "https")
}

func splitUser(authority string) (user, rest string) {
	at := strings.LastIndexByte(authority, '@')
	if at < 0 {
		return "", authority
	}
	return redactedUser, authority[at+1:]
}

// userInURL is user name and password in a URL inside of a URL: some proxies are
// called so. On its way, a double slash may have become one.
var userInURL = regexp.MustCompile(`(?i)((?::|%3a)(?://?|%2f%2f))[^/?#&@]*(?:@|%40)`)

func redactUsers(text string) string {
	if !strings.Contains(text, "@") && !strings.Contains(text, "%40") {
		return text
	}
	return userInURL.ReplaceAllString(text, "${1}"+redactedUser)
}

// scrubQuery replaces the values of parameters whose names are in scrub, which
// has them in lower case.
func scrubQuery(query string, scrub map[string]bool) string {
	pairs := strings.FieldsFunc(query, func(r rune) bool { return r == '&' || r == ';' })
	for i, pair := range pairs {
		rawName, _, found := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(rawName)
		if err != nil {
			name = rawName
		}
		if found && scrub[strings.ToLower(name)] {
			pairs[i] = rawName + "=" + redacted
		}
	}
	return strings.Join(pairs, "&")
}

// splitAuthority returns host and port of "host" or "host:port", the host in
// lower case and "" if a stranger wrote something that is neither a name nor an
// address, the port 0 if there is none.
func splitAuthority(authority string) (host string, port uint16) {
	host = authority
	if before, after, err := net.SplitHostPort(authority); err == nil {
		number, err := strconv.ParseUint(after, 10, 16)
		if err != nil {
			return "", 0
		}
		host, port = before, uint16(number)
	}
	host = strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
	if address, err := netip.ParseAddr(host); err == nil {
		return address.WithZone("").String(), port
	}
	odd := func(r rune) bool { return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789.-_", r) }
	if len(host) > maxHostName || strings.ContainsFunc(host, odd) || strings.Contains(host, "..") {
		return "", 0
	}
	return host, port
}

// maxHostName is the longest name of DNS (RFC 1035, section 2.3.4).
const maxHostName = 253
