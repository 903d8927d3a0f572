package main

import (
	_ "embed"
	"strings"

	"github.com/prometheus/common/version"
)

//go:embed VERSION
var versionFile string

// nameVersion gives a plain go build its version; make sets it by -ldflags.
func nameVersion() {
	if version.Version == "" {
		version.Version = strings.TrimSpace(versionFile)
	}
}
