package probe

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakeProcfs is a procfs whose process "self" consists of plain files.
func fakeProcfs(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, "self", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestCheckCapabilities(t *testing.T) {
	cases := []struct {
		name, status string
		want         []string // words of the error; none if it is nil
		wantNot      []string
	}{
		{"root", "Name:\tsonde\nCapEff:\t000001ffffffffff\n", nil, nil},
		{"the five that are needed", "CapEff:\t000000c000081004\n", nil, nil},
		{"CAP_SYS_ADMIN for CAP_BPF and CAP_PERFMON", "CapEff:\t0000000000281004\n", nil, nil},
		{
			"an ordinary user", "CapEff:\t0000000000000000\n",
			[]string{"CAP_BPF (to load programs)", "CAP_PERFMON", "CAP_NET_ADMIN", "CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH", "run it as root", "setcap cap_bpf,"}, nil,
		},
		{"all but CAP_NET_ADMIN", "CapEff:\t000000c000080004\n", []string{"lacks CAP_NET_ADMIN (to attach"}, []string{"lacks CAP_BPF", "CAP_SYS_PTRACE (to"}},
		{"no such line", "Name:\tsonde\n", []string{"no line CapEff", "--path.procfs"}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			checkWords(t, checkCapabilities(fakeProcfs(t, map[string]string{"status": c.status})), c.want, c.wantNot)
		})
	}
	t.Run("no procfs", func(t *testing.T) {
		checkWords(t, checkCapabilities(t.TempDir()), []string{"status", "--path.procfs"}, nil)
	})
}

func checkWords(t *testing.T, err error, want, wantNot []string) {
	t.Helper()
	if len(want) == 0 {
		if err != nil {
			t.Errorf("error %q, want none", err)
		}
		return
	}
	if err == nil {
		t.Fatalf("no error, want one that says %q", want)
	}
	for _, words := range want {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("error %q, want it to say %q", err, words)
		}
	}
	for _, words := range wantNot {
		if strings.Contains(err.Error(), words) {
			t.Errorf("error %q, want it not to say %q", err, words)
		}
	}
}

func TestCheckBTF(t *testing.T) {
	there := filepath.Join(t.TempDir(), "vmlinux")
	checkWords(t, CheckBTF(there), []string{"no BTF at " + there, "; use one built with CONFIG_DEBUG_INFO_BTF=y"}, nil)
	if err := os.WriteFile(there, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	checkWords(t, CheckBTF(there), nil, nil)
}

// TestCapabilityRemedy: who follows it has what is needed.
func TestCapabilityRemedy(t *testing.T) {
	for _, c := range needed() {
		if !strings.Contains(CapabilityRemedy, strings.ToLower(c.Name)) {
			t.Errorf("the remedy does not grant %s: %s", c.Name, CapabilityRemedy)
		}
	}
}

func TestCheckPIDNamespace(t *testing.T) {
	for target, want := range map[string][]string{
		"pid:[4026531836]": nil,
		"pid:[4026532441]": {"PID namespace of its own", "--pid=host"},
	} {
		procfs := fakeProcfs(t, map[string]string{"ns/placeholder": ""})
		if err := os.Symlink(target, filepath.Join(procfs, "self", "ns", "pid")); err != nil {
			t.Fatal(err)
		}
		checkWords(t, CheckPIDNamespace(procfs), want, nil)
	}
}
