package procfile

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func fakeProcfs(t *testing.T, name, content string) string {
	t.Helper()
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "self"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "self", name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return root
}

func TestMounts(t *testing.T) {
	procfs := fakeProcfs(t, "mountinfo", "31 30 0:28 / /sys/fs/cgroup/cpu rw,nosuid shared:4 - cgroup cgroup rw,cpu\n"+
		"nonsense\n1 2 0:3 / /short rw - tmpfs\n"+
		`1 2 0:3 / /a\040b\011c\012d\134040 rw - cgroup2 none rw`+"\n")
	got, err := Mounts(procfs, "self")
	if err != nil {
		t.Fatal(err)
	}
	want := []Mount{
		{"/sys/fs/cgroup/cpu", "cgroup", []string{"rw", "cpu"}},
		{"/a b\tc\nd\\040", "cgroup2", []string{"rw"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the mounts are %q, want %q", got, want)
	}
	if _, err := Mounts(procfs, "1"); !os.IsNotExist(err) {
		t.Errorf("a process that is not there: %v, want that it does not exist", err)
	}
}

func TestResidentBytes(t *testing.T) {
	for content, pages := range map[string]int{"900 3 1 1 0 1 0\n": 3, "nonsense": 0} {
		if got, want := ResidentBytes(fakeProcfs(t, "statm", content)), uint64(pages*os.Getpagesize()); got != want {
			t.Errorf("%q is %d bytes, want %d", content, got, want)
		}
	}
}
