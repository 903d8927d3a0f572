package main

import (
	"encoding/json"
	"strings"
)

// actionExit is an event of scripts/test, not of go test: the command ended with
// an error. It catches failures that leave no event behind, like a broken go.mod.
const actionExit = "exit"

// event is one line of go test -json; see go doc test2json.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
	Elapsed float64 // Seconds.

	// ImportPath is what was being built, in build-output and build-fail events.
	ImportPath string
	// FailedBuild is the ImportPath because of which a package failed, else "".
	FailedBuild string
}

// parseEvent reads one line. Lines that are not events, such as the go command's
// own complaints, are returned as output without a package.
func parseEvent(line string) event {
	var e event
	if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &e) == nil && e.Action != "" {
		return e
	}
	return event{Action: "output", Output: line}
}
