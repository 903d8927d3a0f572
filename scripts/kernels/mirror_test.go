package main

import (
	"slices"
	"strings"
	"testing"
)

func TestNewestRelease(t *testing.T) {
	names := []string{
		"linux-image-6.1.0-9-cloud-amd64", "linux-image-6.1.0-56-cloud-amd64", "linux-image-6.1.0-56-cloud-amd64-dbg",
		"linux-image-6.1.0-57-amd64", "linux-image-6.12-cloud-amd64", "linux-image-6.12.9+deb12-cloud-amd64",
		"linux-image-6.12.117+deb12-cloud-amd64", "linux-image-6.12.118+deb12-cloud-arm64",
		"linux-image-6.12.119+deb12-cloud-amd64-unsigned", "linux-image-7.3.4+deb13-cloud-amd64",
		"linux-image-cloud-amd64", "linux-binary-7.3.9+deb13-cloud-amd64", "linux-libc-dev",
	}
	tests := map[target]string{
		{"6.1", "amd64"}:  "6.1.0-56-cloud-amd64",
		{"6.12", "amd64"}: "6.12.117+deb12-cloud-amd64",
		{"6.12", "arm64"}: "6.12.118+deb12-cloud-arm64",
		{newest, "amd64"}: "7.3.4+deb13-cloud-amd64",
		{"6.18", "amd64"}: "",
		{"6.1", "arm64"}:  "",
	}
	for target, want := range tests {
		t.Run(target.name(), func(t *testing.T) {
			got, err := newestRelease(names, target)
			if got != want || (err != nil) != (want == "") {
				t.Errorf("got %q, %v; want %q", got, err, want)
			}
		})
	}
}

func TestPackagesOf(t *testing.T) {
	names := []string{
		"linux-image-6.1.0-56-cloud-amd64", "linux-headers-6.1.0-56-cloud-amd64",
		"linux-base-7.3.4+deb13-cloud-amd64", "linux-binary-7.3.4+deb13-cloud-amd64", "linux-binary-unsigned-7.3.4+deb13-cloud-amd64",
		"linux-modules-7.3.4+deb13-cloud-amd64", "linux-image-7.3.4+deb13-cloud-amd64", "linux-image-7.3.4+deb13-cloud-amd64-dbg",
	}
	tests := map[string][]string{
		"6.1.0-56-cloud-amd64": {"linux-image-6.1.0-56-cloud-amd64"},
		"7.3.4+deb13-cloud-amd64": {
			"linux-image-7.3.4+deb13-cloud-amd64", "linux-binary-7.3.4+deb13-cloud-amd64",
			"linux-modules-7.3.4+deb13-cloud-amd64", "linux-base-7.3.4+deb13-cloud-amd64",
		},
	}
	for release, want := range tests {
		if got := packagesOf(names, release); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", release, got, want)
		}
	}
}

func TestSourcesList(t *testing.T) {
	const third = "stable http://packages.test/tool/\n"
	tests := map[string]struct{ configured, want string }{
		"oldstable": {
			third + "bookworm http://mirror.test/debian/\nbookworm-updates http://mirror.test/debian/\nbookworm-security http://safe.test/debian-security/\n",
			"deb [k] http://mirror.test/debian/ bookworm main\ndeb [k] http://safe.test/debian-security/ bookworm-security main\ndeb [k] http://mirror.test/debian/ trixie-backports main\n",
		},
		"a newer Debian has the same kernels": {
			"trixie http://mirror.test/debian/\ntrixie-security http://mirror.test/security/\n",
			"deb [k] http://mirror.test/debian/ bookworm main\ndeb [k] http://mirror.test/security/ bookworm-security main\ndeb [k] http://mirror.test/debian/ trixie-backports main\n",
		},
		"no security updates": {third + "sid http://mirror.test/debian/\n", ""},
		"nothing":             {"", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := sourcesList(test.configured, "[k] ")
			if got != test.want || (err != nil) != (test.want == "") {
				t.Errorf("got %v and:\n%s\nwant:\n%s", err, got, test.want)
			}
		})
	}
}

func TestSelectTargets(t *testing.T) {
	if all, err := selectTargets(nil); err != nil || len(all) != len(matrix()) {
		t.Errorf("without names: %v, %v", all, err)
	}
	if some, err := selectTargets([]string{"6.12-arm64", "6.1-amd64"}); err != nil || strings.Join(targetNames(some), " ") != "6.12-arm64 6.1-amd64" {
		t.Errorf("two names: %v, %v", some, err)
	}
	if _, err := selectTargets([]string{"5.10-amd64"}); err == nil || !strings.Contains(err.Error(), "6.1-amd64, 6.12-amd64") {
		t.Errorf("an unknown name: %v", err)
	}
}
