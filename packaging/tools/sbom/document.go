package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/uuid"
)

// name is what the program is called in the document.
const name = "sonde_exporter"

// writeDocument writes the CycloneDX document. Nothing in it is random.
func writeDocument(path string, p program, modules []*module) error {
	content, err := os.ReadFile(p.path)
	if err != nil {
		return fmt.Errorf("the program cannot be read: %w", err)
	}
	sum := sha256.Sum256(content)
	self := cdx.Component{
		BOMRef: name, Type: cdx.ComponentTypeApplication, Name: name, Version: p.version,
		Hashes:     &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum[:])}},
		Licenses:   &cdx.Licenses{{Expression: "Apache-2.0"}},
		Components: &[]cdx.Component{kernelPrograms(p.version)},
	}
	components := make([]cdx.Component, len(modules))
	uses := make([]string, len(modules))
	for i, m := range modules {
		components[i] = m.component()
		uses[i] = components[i].BOMRef
	}
	bom := cdx.NewBOM()
	bom.SerialNumber = "urn:uuid:" + uuid.NewSHA1(uuid.NameSpaceOID, sum[:]).String()
	bom.Metadata = &cdx.Metadata{Timestamp: p.date.Format(time.RFC3339), Component: &self}
	bom.Components = &components
	bom.Dependencies = &[]cdx.Dependency{{Ref: name, Dependencies: &uses}}

	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("the document cannot be written: %w", err)
	}
	if err := cdx.NewBOMEncoder(file, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_6); err != nil {
		_ = file.Close()
		return fmt.Errorf("the document cannot be written: %w", err)
	}
	return file.Close()
}

// kernelPrograms are the compiled BPF objects inside, which have a licence of
// their own.
func kernelPrograms(version string) cdx.Component {
	return cdx.Component{
		BOMRef: name + "/bpf", Type: cdx.ComponentTypeLibrary, Name: name + "/bpf", Version: version,
		Description: "BPF programs, compiled from C",
		Licenses:    &cdx.Licenses{{Expression: "GPL-2.0-only OR BSD-2-Clause"}},
	}
}

func (m *module) component() cdx.Component {
	url := fmt.Sprintf("pkg:golang/%s@%s?type=module", m.path, m.version)
	component := cdx.Component{
		BOMRef: url, Type: cdx.ComponentTypeLibrary, Name: m.path, Version: m.version, PackageURL: url,
		Licenses: &cdx.Licenses{{Expression: strings.Join(m.licences, " AND ")}},
	}
	// A module's h1 is the SHA-256 of the list of its files and their sums; this is
	// the form in which other tools for Go put it here as well.
	if sum, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(m.sum, "h1:")); err == nil && len(sum) == sha256.Size {
		component.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum)}}
	}
	return component
}
