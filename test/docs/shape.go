package docs

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	// number is one in a quoted regular expression.
	number = regexp.MustCompile(`\d+(\\?[.,:]\d+)*`)
	spaces = regexp.MustCompile(`\s+`)
)

// compareShape demands that every line that a page shows is among the lines that
// were printed, in this order. Numbers and widths of columns may differ, and "…"
// stands for anything.
func compareShape(shown, printed string) error {
	rest := strings.Split(printed, "\n")
	for line := range strings.Lines(shown) {
		line = strings.TrimSpace(line)
		if line == "" || line == "…" {
			continue
		}
		pattern := shape(line)
		at := 0
		for at < len(rest) && !pattern.MatchString(strings.TrimSpace(rest[at])) {
			at++
		}
		if at == len(rest) {
			return fmt.Errorf("the page shows the line\n  %s\nwhich is not printed there. Printed was:\n%s", line, printed)
		}
		rest = rest[at+1:]
	}
	return nil
}

// shape is the pattern of one line.
func shape(line string) *regexp.Regexp {
	pieces := strings.Split(line, "…")
	for i, piece := range pieces {
		piece = number.ReplaceAllString(regexp.QuoteMeta(piece), `[\d.,:]+`)
		pieces[i] = spaces.ReplaceAllString(piece, `\s+`)
	}
	return regexp.MustCompile("^" + strings.Join(pieces, ".*") + "$")
}

// compareItems demands only that the first column of each line is printed too, for
// tables whose other columns tell of the machine.
func compareItems(shown, printed string) error {
	var items strings.Builder
	for line := range strings.Lines(shown) {
		const indent = "   "
		if strings.HasPrefix(line, indent) {
			continue // The rest of the line above, wrapped.
		}
		item, _, hasMore := strings.Cut(strings.TrimSpace(line), "  ")
		if hasMore {
			item += " …"
		}
		fmt.Fprintln(&items, item)
	}
	return compareShape(items.String(), printed)
}

// route is the label that tells which path a series is of.
var route = regexp.MustCompile(`http_route="[^"…]*"`)

// compareAnyRoute is compareShape where it is left to chance which route is shown.
func compareAnyRoute(shown, printed string) error {
	return compareShape(route.ReplaceAllString(shown, `http_route="…"`), printed)
}
