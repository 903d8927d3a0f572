package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The suites that have the kernels of the matrix, whatever Debian this machine
// runs. The last one has the newest.
const (
	oldSuite   = "bookworm"
	laterSuite = "trixie-backports"
)

// mirror reads Debian packages of one architecture with apt, by a configuration
// of its own: this machine's is neither used up nor changed, and root is not needed.
type mirror struct {
	arch    string
	options []string
	names   []string // of all packages
}

// openMirror fetches the lists of packages.
func openMirror(ctx context.Context, cache, arch string) (*mirror, error) {
	directory := filepath.Join(cache, "apt-"+arch)
	for _, needed := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(directory, needed), 0o755); err != nil {
			return nil, fmt.Errorf("the cache of apt cannot be made: %w", err)
		}
	}
	configured, err := outputOf(ctx, "apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)", "Created-By: Packages")
	if err != nil {
		return nil, err
	}
	sources, err := sourcesList(configured, findKeyring())
	if err != nil {
		return nil, err
	}
	for name, content := range map[string]string{"sources.list": sources, "status": ""} {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(content), 0o644); err != nil {
			return nil, fmt.Errorf("the configuration of apt cannot be written: %w", err)
		}
	}
	m := &mirror{arch: arch, options: aptOptions(directory, arch)}
	if _, err := m.apt(ctx, "", "apt-get", "-qq", "update"); err != nil {
		return nil, err
	}
	names, err := m.apt(ctx, "", "apt-cache", "pkgnames", "linux-")
	if err != nil {
		return nil, err
	}
	m.names = strings.Fields(names)
	return m, nil
}

func aptOptions(directory, arch string) []string {
	var options []string
	for _, setting := range []string{
		"APT::Architecture=" + arch,
		"APT::Architectures=" + arch,
		"Dir::State=" + directory,
		"Dir::State::status=" + filepath.Join(directory, "status"),
		"Dir::Cache=" + filepath.Join(directory, "cache"),
		"Dir::Etc::sourcelist=" + filepath.Join(directory, "sources.list"),
		"Dir::Etc::sourceparts=/dev/null",
		"Dir::Etc::preferences=/dev/null",
		"Dir::Etc::preferencesparts=/dev/null",
		"Acquire::Languages=none",
		"Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
		"Acquire::Retries=3",
		"Acquire::http::Timeout=30",
		"Acquire::https::Timeout=30",
		// Root's cache is closed to the user as whom apt would download.
		"APT::Sandbox::User=root",
		// Without it a mirror that cannot be reached is only a warning.
		"APT::Update::Error-Mode=any",
	} {
		options = append(options, "-o", setting)
	}
	return options
}

// apt runs a command of apt in a directory.
func (m *mirror) apt(ctx context.Context, directory, name string, arguments ...string) (string, error) {
	return outputIn(ctx, directory, name, slices.Concat(arguments, m.options)...)
}

// sourcesList takes the mirrors that this machine is set up with. A Debian mirror
// is one whose suite has a "-security" beside it; other archives have none.
func sourcesList(configured, keyring string) (string, error) {
	mirrors := make(map[string]string)
	for line := range strings.Lines(configured) {
		if suite, uri, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			mirrors[suite] = uri
		}
	}
	for suite, uri := range mirrors {
		security, ok := mirrors[suite+"-security"]
		if !ok {
			continue
		}
		var list strings.Builder
		for _, source := range [][2]string{{uri, oldSuite}, {security, oldSuite + "-security"}, {uri, laterSuite}} {
			fmt.Fprintf(&list, "deb %s%s %s main\n", keyring, source[0], source[1])
		}
		return list.String(), nil
	}
	return "", errors.New("apt on this machine knows no Debian mirror with a -security suite; add them to /etc/apt/sources.list")
}

// findKeyring returns the option that names Debian's keys: apt trusts them for
// Debian's archives only where each of these says so.
func findKeyring() string {
	for _, path := range []string{"/usr/share/keyrings/debian-archive-keyring.pgp", "/usr/share/keyrings/debian-archive-keyring.gpg"} {
		if _, err := os.Stat(path); err == nil {
			return "[signed-by=" + path + "] "
		}
	}
	return ""
}

// newestRelease returns the newest kernel of a series, as in linux-image-RELEASE.
// Packages without a full version depend on the newest, but contain nothing.
func newestRelease(names []string, t target) (string, error) {
	var best string
	for _, name := range names {
		release, isImage := strings.CutPrefix(name, "linux-image-")
		if !isImage || !strings.HasSuffix(release, "-cloud-"+t.arch) || len(numbers(release)) < 3 {
			continue
		}
		if t.series != newest && !strings.HasPrefix(release, t.series+".") {
			continue
		}
		if best == "" || slices.Compare(numbers(release), numbers(best)) > 0 {
			best = release
		}
	}
	if best == "" {
		return "", fmt.Errorf("the mirror has no cloud kernel %s for %s", t.series, t.arch)
	}
	return best, nil
}

// numbers returns those of the version that a release begins with: [6 1 0 56] of
// 6.1.0-56-cloud-amd64, and [7 3 4] of 7.3.4+deb13-cloud-amd64.
func numbers(release string) []int {
	version := regexp.MustCompile(`^[\d.]+(-\d+)?`).FindString(release)
	var all []int
	for _, digits := range regexp.MustCompile(`\d+`).FindAllString(version, -1) {
		number, err := strconv.Atoi(digits)
		if err != nil {
			return nil
		}
		all = append(all, number)
	}
	return all
}

// packagesOf returns what to download for a kernel. Since 7.0 Debian splits it.
func packagesOf(names []string, release string) []string {
	var wanted []string
	for _, prefix := range []string{"linux-image-", "linux-binary-", "linux-modules-", "linux-base-"} {
		if slices.Contains(names, prefix+release) {
			wanted = append(wanted, prefix+release)
		}
	}
	return wanted
}

// version returns a package's newest version without Debian's own part: 6.1.192.
func (m *mirror) version(ctx context.Context, name string) (string, error) {
	shown, err := m.apt(ctx, "", "apt-cache", "show", "--no-all-versions", name)
	if err != nil {
		return "", err
	}
	match := regexp.MustCompile(`(?m)^Version: ([^-~+\s]+)`).FindStringSubmatch(shown)
	if match == nil {
		return "", fmt.Errorf("apt knows no version of %s", name)
	}
	return match[1], nil
}
