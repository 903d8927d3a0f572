package preflight

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakeProcfs is a directory of plain files. PROC in a content is its path.
func fakeProcfs(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(content, "PROC", root)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestLookAtMemory(t *testing.T) {
	mounts := "1 2 0:3 / PROC/v2 rw - cgroup2 cgroup2 rw\n1 2 0:3 / PROC/v1 rw - cgroup cgroup rw,memory\n1 2 0:3 / PROC/cpu rw - cgroup cgroup rw,cpu\n"
	cases := []struct {
		name   string
		files  map[string]string
		limit  uint64
		source string
	}{
		{"the lowest above", map[string]string{
			"self/cgroup": "0::/a/b\n", "v2/a/b/memory.max": "500\n", "v2/a/memory.max": "400\n", "v2/memory.max": "max\n",
		}, 400, "v2/a/memory.max"},
		{"no limit", map[string]string{"self/cgroup": "0::/a\n", "v2/a/memory.max": "max\n"}, 0, ""},
		{"at the root", map[string]string{"self/cgroup": "0::/\n", "v2/memory.max": "300\n"}, 300, "v2/memory.max"},
		{"version 1", map[string]string{
			"self/cgroup": "4:memory:/m\n3:cpu:/c\n0::/\n", "v1/m/memory.limit_in_bytes": "700\n",
			"v1/memory.limit_in_bytes": "9223372036854771712\n", "cpu/c/memory.limit_in_bytes": "1\n",
		}, 700, "v1/m/memory.limit_in_bytes"},
		{"nonsense", map[string]string{"self/cgroup": "x\n::\n0:memory\n"}, 0, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.files["self/mountinfo"], c.files["self/statm"] = mounts, "900 3 1 1 0 1 0\n"
			procfs := fakeProcfs(t, c.files)
			got := lookAtMemory(procfs)
			if source := strings.TrimPrefix(got.LimitAt, procfs+"/"); got.Limit != c.limit || source != c.source {
				t.Errorf("limit %d from %q, want %d from %q", got.Limit, source, c.limit, c.source)
			}
			if want := uint64(3 * os.Getpagesize()); got.Resident != want {
				t.Errorf("%d bytes resident, want %d", got.Resident, want)
			}
		})
	}
}

func TestLookAtProcfs(t *testing.T) {
	for options, want := range map[string]string{
		"rw": "", "rw,hidepid=invisible": "invisible", "rw,gid=4,hidepid=2": "2", "rw,hidepid=0": "", "rw,hidepid=off": "",
	} {
		procfs := fakeProcfs(t, map[string]string{
			"self/mountinfo": "1 2 0:3 / / rw - ext4 /dev/a rw\n1 2 0:3 / PROC rw - proc proc " + options + "\n1 2 0:3 / /other rw - proc proc rw,hidepid=1\n",
			"1/environ":      "", "200/environ": "", "300/comm": "", "sys/x": "",
		})
		p := lookAtProcfs(procfs)
		if p.HidePID != want || p.Processes != 3 || p.Denied != 0 || p.Err != nil {
			t.Errorf("mounted with %s: %+v, want hidepid %q and 3 processes", options, p, want)
		}
	}
	if p := lookAtProcfs("/nonexistent"); p.Err == nil {
		t.Error("a directory that is not there is no error")
	}
}

func TestChosen(t *testing.T) {
	for choice, want := range map[string]string{
		"[none] integrity confidentiality": "none", "none [integrity] confidentiality": "integrity", "": "", "x": "",
	} {
		if got := chosen(choice); got != want {
			t.Errorf("chosen(%q) is %q, want %q", choice, got, want)
		}
	}
}

func TestSeccompFilter(t *testing.T) {
	for status, want := range map[string]bool{
		"Name:\tsonde\nSeccomp:\t2\nSeccomp_filters:\t1\n": true, "Name:\tsonde\nSeccomp:\t0\nSeccomp_filters:\t2\n": false, "": false,
	} {
		if got := hasSeccompFilter(fakeProcfs(t, map[string]string{"self/status": status})); got != want {
			t.Errorf("a filter is in force: %t, want %t: %q", got, want, status)
		}
	}
}
