package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// outputOf runs a command and returns what it printed. The error has the end of
// what it complained of.
func outputOf(ctx context.Context, name string, arguments ...string) (string, error) {
	return outputIn(ctx, "", name, arguments...)
}

// outputIn is outputOf in a directory.
func outputIn(ctx context.Context, directory, name string, arguments ...string) (string, error) {
	var out bytes.Buffer
	command := exec.CommandContext(ctx, name, arguments...)
	command.Dir, command.Stdout = directory, &out
	if err := runCommand(command); err != nil {
		return "", err
	}
	return out.String(), nil
}

// runCommand runs a command whose error output is kept for the error.
func runCommand(command *exec.Cmd) error {
	var complaints bytes.Buffer
	command.Stderr = &complaints
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(command.Args, " "), err, lastLines(complaints.String(), 5))
	}
	return nil
}

// lastLines returns the end of a text, without the line feed that ends it.
func lastLines(text string, count int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-count):], "\n")
}
