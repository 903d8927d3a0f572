package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// redacted stands for a secret wherever a configuration is printed.
const redacted = "<secret>"

// maxSmallFileBytes is far above any password, key or list of headers, and
// above the certificates of all public authorities.
const maxSmallFileBytes = 1 << 20

// Headers are header names, as they were written, with their values. Each value
// may be a secret, so that they print without values.
type Headers map[string]string

// MarshalYAML prints the names only.
func (h Headers) MarshalYAML() (any, error) {
	printed := make(map[string]string, len(h))
	for name := range h {
		printed[name] = redacted
	}
	return printed, nil
}

// String prints the names only.
func (h Headers) String() string {
	if len(h) == 0 {
		return "none"
	}
	return fmt.Sprintf("%q with values %s", slices.Sorted(maps.Keys(h)), redacted)
}

// GoString prints what String does, so that %#v shows no secret either.
func (h Headers) GoString() string { return h.String() }

// MarshalYAML prints the user name only.
func (b BasicAuth) MarshalYAML() (any, error) {
	return map[string]string{"username": b.Username, "password": redacted}, nil
}

// IsZero tells that there is no authentication by password.
func (b BasicAuth) IsZero() bool { return b == BasicAuth{} }

// String prints the user name only.
func (b BasicAuth) String() string {
	if b.IsZero() {
		return "none"
	}
	return fmt.Sprintf("%q with password %s", b.Username, redacted)
}

// GoString prints what String does, so that %#v shows no secret either.
func (b BasicAuth) GoString() string { return b.String() }

// checkSecret tells what is wrong with a secret, without repeating it.
func checkSecret(text string) error {
	switch {
	case text == redacted:
		return fmt.Errorf("is %s, which stands for a secret that was not printed; write the secret itself", redacted)
	case text == "":
		return errors.New("is empty")
	case strings.HasPrefix(text, "${") && strings.HasSuffix(text, "}"):
		return errors.New("names a variable, but variables in the file are not replaced; set the secret's own environment variable or its _file key")
	case strings.ContainsAny(text, "\r\n\x00"):
		return errors.New("contains a line end or a zero byte; remove it")
	}
	return nil
}

// readSecret returns the one line of a file that holds a secret.
func readSecret(name string) (string, error) {
	text, err := readSmallFile(name)
	if err != nil {
		return "", err
	}
	secret := strings.TrimRight(string(text), "\r\n")
	if err := checkSecret(secret); err != nil {
		return "", fmt.Errorf("the content of file %s %w", name, err)
	}
	return secret, nil
}

// readSmallFile reads a file of at most maxSmallFileBytes.
func readSmallFile(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, unusable(name, err)
	}
	defer func() { _ = file.Close() }() // only read: nothing can be lost
	text, err := io.ReadAll(io.LimitReader(file, maxSmallFileBytes+1))
	if err != nil {
		return nil, unusable(name, err)
	}
	if len(text) > maxSmallFileBytes {
		return nil, fmt.Errorf("file %s is larger than 1 MiB; check that it is the right file", name)
	}
	return bytes.TrimPrefix(text, []byte("\ufeff")), nil
}

func unusable(name string, err error) error {
	advice, err := explainFile(err)
	if advice == "" {
		advice = "check its name"
	}
	return fmt.Errorf("file %s cannot be read: %w; %s", name, err, advice)
}

// beside is the path of a file that another file names: relative paths begin
// where the other file is.
func beside(file, name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(file), name)
}
