package config

import (
	"strings"
	"testing"
)

// TestGlobsMatchAsInBeyla: each outcome is that of gobwas/glob 0.2.3, which Beyla uses,
// but for /opt/app: that library lets text before and after * overlap.
func TestGlobsMatchAsInBeyla(t *testing.T) {
	for _, c := range []struct{ glob, matches, misses string }{ // texts are parted by blanks
		{"/usr/bin/node", "/usr/bin/node", "/usr/bin/nodejs /opt/usr/bin/node"},
		{"*", "/usr/bin/node node", ""},
		{"*/node", "/usr/bin/node /node", "node /usr/bin/nodejs"},
		{"/opt/*/app", "/opt/a/app /opt/a/b/app /opt//app", "/opt/app"},
		{"/opt/**/app", "/opt/a/app /opt/a/b/app", "/opt/app"},
		{"*java*", "/usr/lib/jvm/java-21/bin/java java", "/usr/bin/node"},
		{"/app?", "/app1 /appé /app/", "/app /app12"},
		{"/app[12]", "/app1 /app2", "/app3 /app12"},
		{"/app[!12]", "/app3 /app/", "/app1 /app"},
		{"/app[1-3]", "/app2", "/app4"},
		{"/app[!1-3]", "/app4", "/app2"},
		{"/a[-.]b", "/a.b /a-b", "/axb"},
		{"/a[^$]b", "/a^b /a$b", "/axb"},
		{"/bin/{java,node}", "/bin/java /bin/node", "/bin/python /bin/java,node"},
		{"/bin/{java,node*}", "/bin/java /bin/nodejs", "/bin/java8"},
		{"{/usr,/opt{,/local}}/bin/a", "/usr/bin/a /opt/bin/a /opt/local/bin/a", "/bin/a /usr/local/bin/a"},
		{"/a,b}", "/a,b}", "/a"},
		{`/a\*b\{\}`, "/a*b{}", "/axb{}"},
		{"/a.b+(c)|d", "/a.b+(c)|d", "/axb+(c)|d d"},
		{"/bin/{a,b", "/bin/a /bin/b", "/bin/{a,b"},
	} {
		t.Run(c.glob, func(t *testing.T) {
			expression, err := ParseGlob(c.glob)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range strings.Fields(c.matches) {
				if !expression.MatchString(text) {
					t.Errorf("%s does not match, by %s", text, expression)
				}
			}
			for _, text := range strings.Fields(c.misses) {
				if expression.MatchString(text) {
					t.Errorf("%s matches, by %s", text, expression)
				}
			}
			if again, err := ParseRegexp(expression.String()); err != nil || again.String() != expression.String() {
				t.Errorf("it is printed as %s, which is read as %s with the error %v", expression, again, err)
			}
		})
	}
}

// TestWildcardsMatchLineEnds, which a path may have.
func TestWildcardsMatchLineEnds(t *testing.T) {
	expression, err := ParseGlob("/opt/*/app?")
	if err != nil {
		t.Fatal(err)
	}
	if !expression.MatchString("/opt/a\nb/app\n") || expression.MatchString("/opt/a/app1\n") {
		t.Errorf("%s is wrong about line ends", expression)
	}
}

// TestBadGlobs: what Beyla does not take either.
func TestBadGlobs(t *testing.T) {
	for glob, want := range map[string]string{
		"/a[bc":       `glob "/a[bc" is not valid at position 5: the closing "]" is missing; write \[ for a bracket in the text`,
		"/a[":         `glob "/a[" is not valid at position 3: the closing "]" is missing; write \[ for a bracket in the text`,
		"/a[]":        `glob "/a[]" is not valid at position 4: there is nothing between the brackets; write \[ for a bracket in the text`,
		"/a[!]":       `glob "/a[!]" is not valid at position 5: there is nothing between the brackets; write \[ for a bracket in the text`,
		"/a[z-a]":     `glob "/a[z-a]" is not valid at position 6: the range z-a is reversed`,
		"/a[b-":       `glob "/a[b-" is not valid at position 5: the end of the range is missing; write one such as [a-z]`,
		"/a[a-z0-9]":  `glob "/a[a-z0-9]" is not valid at position 7: "]" must follow the range a-z; to have several ranges, write {[a-z],[0-9]}`,
		longGlob("a"): "glob has 1026 bytes as a regular expression; at most 1024 are allowed",
	} {
		if _, err := ParseGlob(glob); err == nil || err.Error() != want {
			t.Errorf("%s:\ngot  %v\nwant %s", shorten(glob), err, want)
		}
	}
	if _, err := ParseGlob(longGlob("a")[2:]); err != nil {
		t.Errorf("the longest glob: %v", err)
	}
}

// longGlob is two bytes too long, with the two anchors.
func longGlob(of string) string { return strings.Repeat(of, maxRegexpBytes) }
