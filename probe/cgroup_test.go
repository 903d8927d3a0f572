package probe

import "testing"

func TestCgroupRoot(t *testing.T) {
	cases := []struct {
		name, mounts, want string
	}{
		{"unified", "sysfs /sys sysfs rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n", "/sys/fs/cgroup"},
		{
			"hybrid", "tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n" +
				"cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n", "/sys/fs/cgroup/unified",
		},
		{"the first of several", "a /one cgroup2 rw 0 0\nb /two cgroup2 rw 0 0\n", "/one"},
		{"a path with a space, a tab, a line end and a backslash", `none /a\040b\011c\012d\134040 cgroup2 rw 0 0`, "/a b\tc\nd\\040"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			root, undo, err := cgroupRoot(fakeProcfs(t, map[string]string{"mounts": c.mounts}))
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
