package probe

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCgroupMounts(t *testing.T) {
	const unified = "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"
	cases := []struct {
		name, mounts, first string // mountinfo of Sonde and of process 1
		roots               string // which mount points are roots of the hierarchy
		whole, part         string
	}{
		{"unified", "23 28 0:22 / /sys rw - sysfs sysfs rw\n" + unified, "", "/sys/fs/cgroup", "/sys/fs/cgroup", "/sys/fs/cgroup"},
		{
			"hybrid", "30 23 0:27 / /sys/fs/cgroup ro - tmpfs tmpfs ro\n31 30 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n" +
				"32 30 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n", "",
			"/sys/fs/cgroup/unified", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/unified",
		},
		{"the first of several", "1 2 0:3 / /one rw - cgroup2 a rw\n1 2 0:3 / /two rw - cgroup2 b rw\n", "", "/one /two", "/one", "/one"},
		{"not a part of it", "1 2 0:3 /system.slice /part rw - cgroup2 a rw\n1 2 0:3 / /whole rw - cgroup2 b rw\n", "", "/whole", "/whole", "/part"},
		{"the host's, seen from a cgroup namespace", "1 2 0:3 /../.. /host/cgroup rw - cgroup2 a rw\n", "", "/host/cgroup", "/host/cgroup", "/host/cgroup"},
		{"a container's own", unified, "", "", "", "/sys/fs/cgroup"},
		{"a container's own, with the host's process 1", unified, unified, "PROC/1/root/sys/fs/cgroup", "PROC/1/root/sys/fs/cgroup", "/sys/fs/cgroup"},
		{"none", "23 28 0:22 / /sys rw - sysfs sysfs rw\n", "", "", "", ""},
		{
			"a path with a space, a tab, a line end and a backslash", `1 2 0:3 / /a\040b\011c\012d\134040 rw - cgroup2 none rw`, "",
			"/a b\tc\nd\\040", "/a b\tc\nd\\040", "/a b\tc\nd\\040",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			procfs := fakeProcfs(t, map[string]string{"mountinfo": c.mounts, "../1/mountinfo": c.first})
			here := func(text string) string { return strings.ReplaceAll(text, "PROC", procfs) }
			found, err := findCgroupMounts(procfs, func(directory string) bool {
				return directory == here(c.roots) || strings.Contains(" "+here(c.roots)+" ", " "+directory+" ")
			})
			if err != nil {
				t.Fatal(err)
			}
			if want := (foundMounts{here(c.whole), here(c.part)}); found != want {
				t.Errorf("found %+v, want %+v", found, want)
			}
		})
	}
	t.Run("no procfs", func(t *testing.T) {
		_, err := findCgroup(t.TempDir())
		checkWords(t, err, []string{"list of mounts", "--path.procfs"}, nil)
	})
}

// TestHierarchyRoot is about a kernel fact: which directory is the root.
func TestHierarchyRoot(t *testing.T) {
	needKernel(t)
	cgroup, err := findCgroup("/proc")
	if err != nil {
		t.Fatal(err)
	}
	defer cgroup.unmount()
	part := filepath.Join(cgroup.path, "sonde-test-part")
	if err := os.Mkdir(part, 0o755); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(part)
	for directory, want := range map[string]bool{cgroup.path: true, part: false, "/": false, "/nonexistent": false} {
		if got := isHierarchyRoot(directory); got != want {
			t.Errorf("isHierarchyRoot(%q) is %t, want %t", directory, got, want)
		}
	}
}
