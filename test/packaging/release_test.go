package packaging

import (
	"crypto/sha256"
	"debug/buildinfo"
	"debug/elf"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

func TestChecksums(t *testing.T) {
	dist := filepath.Join(release(t).dir, "dist")
	sums, err := os.ReadFile(filepath.Join(dist, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{"SHA256SUMS": true}
	for line := range strings.Lines(string(sums)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		listed[name] = true
		content, err := os.ReadFile(filepath.Join(dist, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := sha256.Sum256(content); hex.EncodeToString(got[:]) != sum {
			t.Errorf("the SHA-256 of %s is %x, SHA256SUMS says %s", name, got, sum)
		}
	}
	entries, err := os.ReadDir(dist)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !listed[entry.Name()] {
			t.Errorf("SHA256SUMS does not list %s", entry.Name())
		}
	}
	if len(entries) != 9 {
		t.Errorf("%d files are released, want 4 for each architecture and SHA256SUMS", len(entries))
	}
}

// TestSameBytes builds once more, elsewhere, as somebody else would.
func TestSameBytes(t *testing.T) {
	r := release(t)
	elsewhere := filepath.Join(t.TempDir(), "sources")
	output(t, "cp", "-R", r.root, elsewhere)
	again := filepath.Join(t.TempDir(), "dist")
	output(t, "env", "TZ=Asia/Tokyo", "LC_ALL=C.UTF-8", "GOAMD64=v3", "HOSTNAME=elsewhere", "SOURCE_DATE_EPOCH=1",
		filepath.Join(elsewhere, "scripts", "release"), "--allow-changes", "--out", again, "amd64")
	for _, first := range []string{r.deb("amd64"), r.rpm("amd64"), r.archive("amd64"), r.sbom("amd64")} {
		second := filepath.Join(again, filepath.Base(first))
		if output(t, "sha256sum", first)[:64] != output(t, "sha256sum", second)[:64] {
			t.Errorf("%s differs when it is built in another directory", filepath.Base(first))
		}
	}
}

func TestChangesAreRefused(t *testing.T) {
	dir := t.TempDir()
	output(t, "git", "clone", "--quiet", "--depth=1", "file://"+release(t).root, dir+"/sources")
	output(t, "touch", dir+"/sources/left-over.go")
	said := failure(t, dir+"/sources/scripts/release", "--out", dir+"/dist", "amd64")
	if !strings.Contains(said, "not committed") || !strings.Contains(said, "make package") {
		t.Errorf("a release with changes says %q, want it to name them and a remedy", said)
	}
}

func TestPrograms(t *testing.T) {
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		t.Run(arch, func(t *testing.T) {
			program := unpack(t, arch)
			file, err := elf.Open(program)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			if file.Machine != machine {
				t.Errorf("the program is for %v, want %v", file.Machine, machine)
			}
			for _, segment := range file.Progs {
				if segment.Type == elf.PT_INTERP || segment.Type == elf.PT_DYNAMIC {
					t.Errorf("the program has a segment %v, want it static", segment.Type)
				}
			}
			checkSBOM(t, program, release(t).sbom(arch))
		})
	}
}

// checkSBOM compares the document with what the linker has noted in the program.
func checkSBOM(t *testing.T, program, document string) {
	t.Helper()
	file, err := os.Open(document)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	bom := cdx.BOM{}
	if err := cdx.NewBOMDecoder(file, cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	if hashes := bom.Metadata.Component.Hashes; hashes == nil || (*hashes)[0].Value != hex.EncodeToString(sum[:]) {
		t.Errorf("the document is about a program with the hashes %v, want %x", hashes, sum)
	}
	licences := map[string]string{}
	for _, component := range *bom.Components {
		if component.Licenses != nil {
			licences[component.Name+" "+component.Version] = (*component.Licenses)[0].Expression
		}
	}
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"std " + strings.TrimPrefix(info.GoVersion, "go")}
	for _, dependency := range info.Deps {
		want = append(want, dependency.Path+" "+dependency.Version)
	}
	for _, name := range want {
		if licences[name] == "" {
			t.Errorf("the document has no licence of %s", name)
		}
	}
	if len(licences) != len(want) {
		t.Errorf("the document has %d components, the program %d", len(licences), len(want))
	}
}

// unpack takes the program out of an archive, which should have the licences too.
func unpack(t *testing.T, arch string) string {
	t.Helper()
	dir := t.TempDir()
	output(t, "tar", "-C", dir, "--strip-components=1", "-xzf", release(t).archive(arch))
	for _, name := range []string{"LICENSE", "LICENSES/BSD-2-Clause.txt", "third-party-licences.txt", "sonde_exporter.service", "config.yml"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("the archive has no %s (%v)", name, err)
		}
	}
	return filepath.Join(dir, "sonde_exporter")
}
