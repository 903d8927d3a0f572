// Package amount writes numbers as people read them.
package amount

import (
	"strconv"
	"strings"
)

// Of writes a number of things: 1 rule, 2 rules.
func Of[N int | uint64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Grouped(uint64(n)) + " " + many
}

// Grouped writes a whole number with commas: 1,234,567.
func Grouped(value uint64) string {
	digits := strconv.FormatUint(value, 10)
	first := (len(digits)-1)%3 + 1
	var text strings.Builder
	text.WriteString(digits[:first])
	for at := first; at < len(digits); at += 3 {
		text.WriteString("," + digits[at:at+3])
	}
	return text.String()
}
