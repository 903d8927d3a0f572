package preflight

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	// width is what a line may have: a table is pasted into tickets.
	width      = 100
	indent     = "  "
	fixIndent  = "      fix: "
	stateWidth = len(NotNeeded)
)

// WriteTo prints the table as plain text.
func (r Report) WriteTo(w io.Writer) (int64, error) {
	var b strings.Builder
	items := r.itemWidth()
	for _, group := range r.Groups {
		b.WriteString(group.Title + "\n")
		for i, row := range group.Rows {
			head := fmt.Sprintf("%s%-*s  %-*s  ", indent, items, row.Item, stateWidth, row.State)
			writeWrapped(&b, head, plain(row.Says))
			if row.Remedy != "" && !saidNext(group.Rows[i+1:], row.Remedy) {
				writeWrapped(&b, fixIndent, plain(row.Remedy))
			}
		}
		b.WriteString("\n")
	}
	b.WriteString(r.Verdict() + "\n")
	written, err := io.WriteString(w, b.String())
	return int64(written), err
}

func (r Report) itemWidth() int {
	longest := 0
	for _, group := range r.Groups {
		for _, row := range group.Rows {
			longest = max(longest, utf8.RuneCountInString(row.Item))
		}
	}
	return longest
}

// saidNext says that a row with the same remedy follows: what five rows have in
// common is said once, below the last.
func saidNext(rows []Row, remedy string) bool {
	for _, row := range rows {
		if row.Remedy != "" {
			return row.Remedy == remedy
		}
	}
	return false
}

// writeWrapped breaks text between words. Its other lines are indented as deep as
// the head of the first.
func writeWrapped(b *strings.Builder, head, text string) {
	deep := utf8.RuneCountInString(head)
	line, column := head, deep
	for i, word := range strings.Fields(text) {
		length := utf8.RuneCountInString(word)
		switch {
		case i == 0:
			line, column = line+word, column+length
		case column+1+length > width:
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line, column = strings.Repeat(" ", deep)+word, deep+length
		default:
			line, column = line+" "+word, column+1+length
		}
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
}

// plain keeps what strangers wrote, such as paths, from moving the cursor.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}
