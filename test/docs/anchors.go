package docs

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// namedAnchor finds <a id="…"> and <a name="…">.
var namedAnchor = regexp.MustCompile(`<a\s[^>]*\b(?:id|name)="([^"]+)"`)

func (r *reader) addNamedAnchors(html string) {
	for _, found := range namedAnchor.FindAllStringSubmatch(html, -1) {
		r.page.Anchors[found[1]] = true
	}
}

// addAnchor adds that of a heading. Of equal ones the second ends in -1, as GitHub has it.
func (r *reader) addAnchor(name string) {
	unique := name
	for n := 1; r.page.Anchors[unique]; n++ {
		unique = fmt.Sprintf("%s-%d", name, n)
	}
	r.page.Anchors[unique] = true
}

// slug makes the anchor of a heading by GitHub's rules.
func slug(heading string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == ' ':
			return '-'
		case c == '-' || c == '_' || unicode.IsLetter(c) || unicode.IsNumber(c) || unicode.IsMark(c):
			return unicode.ToLower(c)
		}
		return -1
	}, heading)
}
