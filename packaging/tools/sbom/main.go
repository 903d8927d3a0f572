// Command sbom tells what is inside a Go program, from the program itself: a
// CycloneDX document for scanners, and the texts of all licences for people, which
// most of these licences want to be passed on.
//
//	sbom -source DIR -out PROGRAM.cdx.json -licences FILE PROGRAM
//
// Its output depends on nothing but the program and the modules' files.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	source := flag.String("source", ".", "`directory` of the main module, where the go command finds the others")
	out := flag.String("out", "", "`file` for the CycloneDX document")
	licences := flag.String("licences", "", "`file` for the texts of the licences")
	version := flag.String("version", "", "version of the program")
	date := flag.Int64("date", 0, "`second` since 1970 that the document is dated to")
	flag.Parse()
	if flag.NArg() != 1 || *out == "" || *licences == "" || *version == "" {
		fmt.Fprintln(os.Stderr, "sbom: one program, -out, -licences and -version are needed")
		flag.Usage()
		os.Exit(2)
	}
	program := program{path: flag.Arg(0), version: *version, date: time.Unix(*date, 0).UTC()}
	if err := run(program, *source, *out, *licences); err != nil {
		fmt.Fprintf(os.Stderr, "sbom: %v\n", err)
		os.Exit(1)
	}
}

func run(program program, source, out, licences string) error {
	modules, err := program.modules(source)
	if err != nil {
		return err
	}
	if err := identify(modules); err != nil {
		return err
	}
	if err := os.WriteFile(licences, licenceTexts(modules), 0o644); err != nil {
		return fmt.Errorf("the licences cannot be written: %w", err)
	}
	return writeDocument(out, program, modules)
}
