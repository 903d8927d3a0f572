// Testreport reads the output of go test -json from standard input and prints a
// line for each package, the output of the tests that failed, the skipped tests
// with their reasons, and a closing line with the counts. It exits with 1 if a
// test failed or none ran.
package main

import (
	"fmt"
	"os"
)

func main() {
	r := newReport(os.Stdout)
	err := r.read(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
	}
	if !r.finish() || err != nil {
		os.Exit(1)
	}
}
