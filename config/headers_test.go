package config

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestHeaderList(t *testing.T) {
	for text, want := range map[string]Headers{
		"a=b":                              {"a": "b"},
		" a = b , c=d,":                    {"a": "b", "c": "d"},
		"Authorization=Basic%20dTpw==":     {"Authorization": "Basic dTpw=="},
		"a=b%2Cc,d=%C3%A9":                 {"a": "b,c", "d": "é"},
		"Authorization=Bearer abc+/=, x=1": {"Authorization": "Bearer abc+/=", "x": "1"},
	} {
		if got, err := headerList(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %#v and %v", text, map[string]string(got), err)
		}
	}
}

func TestHeaderErrors(t *testing.T) {
	many := func(format string) string {
		var all strings.Builder
		for i := range maxPairs + 1 {
			fmt.Fprintf(&all, format, i)
		}
		return all.String()
	}
	const noName = "a header name is not valid; use letters, digits and - only"
	list, lines := headerList, headerLines
	for _, test := range []struct {
		read       func(string) (Headers, error)
		text, want string
	}{
		{list, "=s3cret", noName},
		{list, "a b=s3cret", noName},
		{list, "é=s3cret", noName},
		{list, strings.Repeat("a", 300) + "=s3cret", noName},
		{list, "a=", `the value of header "a" is empty`},
		{list, "a=s3cret,A=s3cret", `header "A" is set twice; remove one of the two`},
		{list, many("a%d=s3cret,"), "there are more than 100 items"},
		{lines, "\n#\n s3cret\n", "line 3 has no colon; write name: value"},
		{lines, "a: b\n: s3cret\n", "line 2: " + noName},
		{lines, "a: s3cret\nA: s3cret\n", `line 2: header "A" is set twice; remove one of the two`},
		{lines, many("a%d: s3cret\n"), "line 101: there are more than 100 headers"},
		{lines, "# nothing\n", "there is no header; write one a line, name: value"},
	} {
		if _, err := test.read(test.text); err == nil || err.Error() != test.want {
			t.Errorf("%s: got %v, want %s", shorten(test.text), err, test.want)
		}
	}
}

func TestResourceErrors(t *testing.T) {
	var many strings.Builder
	for i := range maxPairs + 1 {
		fmt.Fprintf(&many, "a%d: b, ", i)
	}
	long := strings.Repeat("a", 300)
	for section, want := range map[string]string{
		"{a: b, a: c}":            `resource has "a" twice; remove one of the two`,
		"{" + long + ": b}":       "resource: attribute " + quote(long) + " has 300 bytes; at most 256 are allowed",
		"{" + many.String() + "}": "resource has 101 attributes; at most 100 are allowed",
	} {
		_, err := Parse("sonde.yml", []byte("resource: "+section))
		if err == nil || err.Error() != "config file sonde.yml, line 1: "+want {
			t.Errorf("%s: got %v, want %s", shorten(section), err, want)
		}
	}
}
