package main

import (
	"regexp"
	"strings"
)

// position is how the testing package begins a message: "    file_test.go:12: ".
// It indents the message's further lines by four more spaces.
var position = regexp.MustCompile(`^\s*[^\s:]+\.go:\d+: `)

// skipReason finds in a skipped test's output what it said to t.Skip: the last
// thing that it logged.
func skipReason(output string) string {
	var reason []string
	for line := range strings.Lines(output) {
		trimmed := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(trimmed, "=== ") || strings.HasPrefix(trimmed, "--- "):
		case position.MatchString(line):
			message := position.ReplaceAllString(strings.TrimRight(line, "\n"), "")
			reason = []string{strings.TrimSpace(message)}
		case len(reason) > 0 && strings.HasPrefix(line, "        "):
			reason = append(reason, trimmed)
		}
	}
	if len(reason) == 0 {
		return "no reason given"
	}
	return strings.Join(reason, " ")
}
