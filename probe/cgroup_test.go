package probe

import "testing"

func TestCgroupRoot(t *testing.T) {
	cases := []struct {
		name, mounts, want string
	}{
		{
			"unified", "23 28 0:22 / /sys rw - sysfs sysfs rw\n29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n",
			"/sys/fs/cgroup",
		},
		{
			"hybrid", "30 23 0:27 / /sys/fs/cgroup ro - tmpfs tmpfs ro\n31 30 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n" +
				"32 30 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n", "/sys/fs/cgroup/unified",
		},
		{"the first of several", "1 2 0:3 / /one rw - cgroup2 a rw\n1 2 0:3 / /two rw - cgroup2 b rw\n", "/one"},
		{"not a part of it", "1 2 0:3 /system.slice /part rw - cgroup2 a rw\n1 2 0:3 / /whole rw - cgroup2 b rw\n", "/whole"},
		{"a path with a space, a tab, a line end and a backslash", `1 2 0:3 / /a\040b\011c\012d\134040 rw - cgroup2 none rw`, "/a b\tc\nd\\040"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			root, undo, err := cgroupRoot(fakeProcfs(t, map[string]string{"mountinfo": c.mounts}))
			if err != nil {
				t.Fatal(err)
			}
			if root != c.want {
				t.Errorf("root %q, want %q", root, c.want)
			}
			if err := undo(); err != nil {
				t.Errorf("undo: %v", err)
			}
		})
	}
	t.Run("no procfs", func(t *testing.T) {
		_, _, err := cgroupRoot(t.TempDir())
		checkWords(t, err, []string{"list of mounts", "--path.procfs"}, nil)
	})
}
