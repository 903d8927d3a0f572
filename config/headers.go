package config

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// maxPairs bounds the headers of one target, and the resource attributes of the
// file and of the variable.
const maxPairs = 100

// headerList reads headers as OTEL_EXPORTER_OTLP_HEADERS has them:
// "name=value,name=value", the values percent-encoded.
func headerList(text string) (Headers, error) {
	pairs, err := pairList(text)
	if err != nil {
		return nil, err
	}
	headers := Headers{}
	for _, pair := range pairs {
		if err := headers.add(pair.name, pair.value); err != nil {
			return nil, err
		}
	}
	return headers, nil
}

// headerLines reads a file with one header a line, "name: value". Empty lines
// and lines that begin with # are left out.
func headerLines(text string) (Headers, error) {
	headers := Headers{}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, isPair := strings.Cut(line, ":")
		if !isPair {
			return nil, fmt.Errorf("line %d has no colon; write name: value", number)
		}
		if err := headers.add(strings.TrimSpace(name), strings.TrimSpace(value)); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
	}
	if len(headers) == 0 {
		return nil, errors.New("there is no header; write one a line, name: value")
	}
	return headers, nil
}

// add takes one header in, or tells what is wrong with it.
func (h Headers) add(name, value string) error {
	if err := checkHeaderName(name); err != nil {
		return err
	}
	if h.has(name) {
		return fmt.Errorf("header %s is set twice; remove one of the two", quote(name))
	}
	if len(h) == maxPairs {
		return fmt.Errorf("there are more than %d headers", maxPairs)
	}
	if err := checkSecret(value); err != nil {
		return fmt.Errorf("the value of header %s %w", quote(name), err)
	}
	h[name] = value
	return nil
}

// has looks a name up as HTTP does, in any case.
func (h Headers) has(name string) bool {
	for known := range h {
		if strings.EqualFold(known, name) {
			return true
		}
	}
	return false
}

// checkHeaderName allows the token of RFC 9110, section 5.6.2.
func checkHeaderName(name string) error {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~"
	if name == "" || len(name) > maxTextBytes || strings.Trim(name, letters) != "" {
		return errors.New("a header name is not valid; use letters, digits and - only")
	}
	return nil
}

// pair is one of "name=value,name=value".
type pair struct{ name, value string }

// pairList reads pairs as the OpenTelemetry variables have them: separated by
// commas, the values percent-encoded. An error repeats no value.
func pairList(text string) ([]pair, error) {
	var pairs []pair
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		name, value, isPair := strings.Cut(item, "=")
		if !isPair {
			return nil, errors.New("an item has no =; write name=value,name=value, and %2C for a comma within a value")
		}
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if err != nil {
			return nil, fmt.Errorf("the value of %s has a %% that no two hexadecimal digits follow; write %%25", quote(name))
		}
		pairs = append(pairs, pair{strings.TrimSpace(name), value})
	}
	if len(pairs) > maxPairs {
		return nil, fmt.Errorf("there are more than %d items", maxPairs)
	}
	return pairs, nil
}
