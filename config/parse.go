package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFileBytes is far above any sensible configuration. It stops a reader that
// was pointed at a log or a device.
const maxFileBytes = 1 << 20

// Parse reads the text of a configuration file. The name is for errors only.
// All problems are in the one error that is returned, a line each.
func Parse(name string, text []byte) (*Config, error) {
	d, p := newDraft(), &problems{}
	parseFile(d, name, text, p)
	return d.finish(p)
}

// parseFile fills the draft from the text of a file.
func parseFile(d *draft, name string, text []byte, p *problems) {
	document, err := readDocument(name, text)
	if err != nil {
		p.add(1, err)
		return
	}
	if document == nil {
		return
	}
	reader := fileReader{name: name, draft: d, problems: p}
	reader.file(document)
}

// readDocument returns the one document of a file, or nil if it has none.
func readDocument(name string, text []byte) (*yaml.Node, error) {
	if len(text) > maxFileBytes {
		return nil, fmt.Errorf("config file %s is larger than 1 MiB; check that it is the right file", name)
	}
	var document, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, explainSyntax(name, err)
	}
	switch err := decoder.Decode(&second); {
	case errors.Is(err, io.EOF):
		return document.Content[0], nil
	case err != nil:
		return nil, explainSyntax(name, err)
	}
	return nil, fmt.Errorf("config file %s, line %d: a second document begins; keep one and remove the --- between them",
		name, second.Line)
}

// explainSyntax turns "yaml: line 3: did not find …" into a sentence of ours.
func explainSyntax(name string, err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	at := location{source: "config file " + name}
	if where, what, ok := strings.Cut(text, ": "); ok {
		if line, err := strconv.Atoi(strings.TrimPrefix(where, "line ")); err == nil {
			at.line, text = line, what
		}
	}
	hint := ""
	if strings.Contains(text, "cannot start any token") {
		hint = "; indent with spaces, not tabs, and put special characters in quotes"
	}
	return fmt.Errorf("%s: not valid YAML: %s%s", at, shorten(text), hint)
}

// readFile reads a configuration file; asked is the flag or variable that
// named it.
func readFile(name string, asked location) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, unreadable(name, err, asked)
	}
	defer func() { _ = file.Close() }() // only read: nothing can be lost
	text, err := io.ReadAll(io.LimitReader(file, maxFileBytes+1))
	if err != nil {
		return nil, unreadable(name, err, asked)
	}
	return text, nil
}

func unreadable(name string, err error, asked location) error {
	advice, err := explainFile(err)
	if advice == "" {
		advice = "check " + asked.source
	}
	return fmt.Errorf("config file %s cannot be read: %w; %s", name, err, advice)
}

// explainFile puts the error of a file into plainer words, with what to do
// about it if that can be told.
func explainFile(err error) (advice string, plain error) {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", reason{"no such file", err}
	case errors.Is(err, fs.ErrPermission):
		return "let the user that runs Sonde read it", reason{"permission denied", err}
	}
	// The path is in the sentence already.
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		return "", path.Err
	}
	return "", err
}

// reason gives an error plainer words and keeps it for errors.Is.
type reason struct {
	words string
	cause error
}

func (r reason) Error() string { return r.words }
func (r reason) Unwrap() error { return r.cause }
