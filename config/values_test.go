package config

import (
	"strings"
	"testing"
)

func TestPorts(t *testing.T) {
	for _, test := range []struct {
		text, want string
		in, out    []uint16
	}{
		{"443", "443", []uint16{443}, []uint16{0, 442, 444}},
		{"80,443,8000-8999", "80,443,8000-8999", []uint16{80, 443, 8000, 8500, 8999}, []uint16{81, 7999, 9000, 65535}},
		{" 8000 - 8999 , 80 ", "80,8000-8999", []uint16{80, 8000}, nil},
		{"80,81,82-90,85-100", "80-100", []uint16{80, 95, 100}, []uint16{79, 101}},
		{"1-65535", "1-65535", []uint16{1, 65535}, []uint16{0}},
		{"65535,1-65534", "1-65535", []uint16{65535}, []uint16{0}},
		{"80-80", "80", []uint16{80}, []uint16{81}},
	} {
		p, err := ParsePorts(test.text)
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
			continue
		}
		if p.String() != test.want {
			t.Errorf("%q: got %q, want %q", test.text, p, test.want)
		}
		for _, port := range test.in {
			if !p.Contains(port) {
				t.Errorf("%q does not contain %d", test.text, port)
			}
		}
		for _, port := range test.out {
			if p.Contains(port) {
				t.Errorf("%q contains %d", test.text, port)
			}
		}
	}
}

func TestPortsErrors(t *testing.T) {
	const notPort = " is not a port; write a number such as 443 or a range such as 8000-8999"
	for text, want := range map[string]string{
		"":          "no port is given; write a port such as 443, a list such as 80,443 or a range such as 8000-8999",
		" ":         "no port is given; write a port such as 443, a list such as 80,443 or a range such as 8000-8999",
		"80,,443":   `a port is missing beside a comma in "80,,443"; remove the comma`,
		"80,":       `a port is missing beside a comma in "80,"; remove the comma`,
		"http":      `"http"` + notPort,
		"-80":       `"-80"` + notPort,
		"80-":       `"80-"` + notPort,
		"80-90-100": `"80-90-100"` + notPort,
		"+80":       `"+80"` + notPort,
		"0443":      `"0443"` + notPort,
		"0x1bb":     `"0x1bb"` + notPort,
		"443.0":     `"443.0"` + notPort,
		"٤٤٣":       `"٤٤٣"` + notPort,
		"0":         "port 0 does not exist; ports are 1 to 65535",
		"0-10":      "port 0 does not exist; ports are 1 to 65535",
		"65536":     "port 65536 does not exist; ports are 1 to 65535",
		"9000-8000": "range 9000-8000 is reversed; write 8000-9000",
		strings.Repeat("9", 100): "port " + strings.Repeat("9", maxQuoted) +
			"… does not exist; ports are 1 to 65535",
	} {
		if _, err := ParsePorts(text); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func TestPortsCovers(t *testing.T) {
	for _, test := range []struct {
		wide, narrow string
		want         bool
	}{
		{"1-100", "80", true},
		{"80,443", "443", true},
		{"80", "80-81", false},
		{"80,82", "80-82", false},
		{"80-82", "80,82", true},
	} {
		if got := ports(t, test.wide).covers(ports(t, test.narrow)); got != test.want {
			t.Errorf("%s covers %s: got %v", test.wide, test.narrow, got)
		}
	}
}

func TestRegexpMatchesAnywhere(t *testing.T) {
	for _, test := range []struct {
		pattern, path string
		want          bool
	}{
		{"nginx", "/usr/sbin/nginx", true},
		{"^nginx", "/usr/sbin/nginx", false},
		{"python3?$", "/usr/bin/python3", true},
		{"node", "/usr/bin/python3", false},
	} {
		if got := expression(t, test.pattern).MatchString(test.path); got != test.want {
			t.Errorf("%s on %s: got %v", test.pattern, test.path, got)
		}
	}
	if unset := (Regexp{}); !unset.MatchString("/bin/sh") || !unset.IsZero() || unset.String() != "" {
		t.Error("the zero Regexp must be unset and match everything")
	}
}

func TestRegexpErrors(t *testing.T) {
	const start = "regular expression "
	for pattern, want := range map[string]string{
		`(a)(b`:       `"(a)(b" is not valid at position 4: missing closing )`,
		`a)b`:         `"a)b" is not valid at position 2: unexpected )`,
		`(a**)`:       `"(a**)" is not valid at position 3: invalid nested repetition operator`,
		`*nginx`:      `"*nginx" is not valid at position 1: missing argument to repetition operator; to match any text write ".*"`,
		`a[z-b]`:      `"a[z-b]" is not valid at position 3: invalid character class range`,
		`a\d[`:        `"a\d[" is not valid at position 4: missing closing ]`,
		`(?!a)`:       `"(?!a)" is not valid at position 1: invalid or unsupported Perl syntax`,
		`ab\`:         `"ab\" is not valid at position 3: trailing backslash at end of expression`,
		"a\xff":       `"a\xff" is not valid at position 2: invalid UTF-8`,
		``:            `is empty; leave it out, or write .* to match everything`,
		longPattern(): `has 1025 bytes; at most 1024 are allowed`,
	} {
		if _, err := ParseRegexp(pattern); err == nil || err.Error() != start+want {
			t.Errorf("%s: got %v, want %s", shorten(pattern), err, start+want)
		}
	}
}

func longPattern() string { return strings.Repeat("a", maxRegexpBytes+1) }

func TestNearest(t *testing.T) {
	known := []string{"open_port", "executable_name", "service_name", "service_namespace", "routes"}
	for name, want := range map[string]string{
		"open_prot":          "open_port",
		"openport":           "open_port",
		"OPEN-PORT":          "open_port",
		"executable":         "executable_name",
		"service_nmae":       "service_name",
		"service_namespaces": "service_namespace",
		"ruotes":             "routes",
		"zzz":                "",
		"":                   "",
		longPattern():        "",
	} {
		if got := nearest(name, known); got != want {
			t.Errorf("%q: got %q, want %q", shorten(name), got, want)
		}
	}
}

func TestEditDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0},
		{"abc", "acb", 1}, {"abc", "abd", 1}, {"abc", "ab", 1}, {"kitten", "sitting", 3},
	} {
		if got := editDistance(test.a, test.b); got != test.want {
			t.Errorf("%s to %s: got %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
