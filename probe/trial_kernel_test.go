package probe

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func trialOptions() Options {
	return Options{Bounds: testBounds(), SeriesLimit: 1000, Spans: true, Procfs: "/proc", Logger: slog.New(slog.DiscardHandler)}
}

// TestTry does everything once, beside another Sonde, and leaves nothing open. What the kernel has
// without a descriptor is the mount only, which Undo is about.
func TestTry(t *testing.T) {
	openProbe(t) // a neighbour
	before := openBPF(t)
	trial := Try(trialOptions())
	if trial.Neighbours < 1 {
		t.Errorf("%d other Sondes, want one at least", trial.Neighbours)
	}
	for what, err := range map[string]error{
		"load": trial.Load, "cgroup": trial.CgroupErr, "TLS": trial.TLS, "statistics": trial.Stats,
		"neighbours": trial.NeighboursErr, "undo": trial.Undo,
	} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	hooks := map[string]int{}
	for _, hook := range trial.Hooks {
		hooks[hook.Hook]++
		if hook.Err != nil {
			t.Errorf("%s (%s): %v", hook.Hook, hook.Program, hook.Err)
		}
	}
	for name, want := range map[string]int{
		"tp_btf/sched_process_fork": 1, "tp_btf/inet_sock_set_state": 1, "cgroup_skb/ingress": 1, "cgroup_skb/egress": 1,
		"iter/task_file": 2,
	} {
		if hooks[name] != want {
			t.Errorf("%s was tried %d times, want %d", name, hooks[name], want)
		}
	}
	if trial.Memory.Now == 0 || trial.Memory.Most <= trial.Memory.Now {
		t.Errorf("maps take %d bytes now and %d at most", trial.Memory.Now, trial.Memory.Most)
	}
	if after := openBPF(t); after != before {
		t.Errorf("%d descriptors of bpf(2) are open, %d were before", after, before)
	}
}

// TestNarrow finds the hooks that are to blame, here none of them.
func TestNarrow(t *testing.T) {
	needKernel(t)
	p := newProbe(trialOptions())
	p.settings = newSettings(p.options)
	var trial Trial
	p.narrow(&trial)
	if len(trial.Hooks) != len(p.hooks())+len(p.walks()) {
		t.Errorf("%d programs were loaded by themselves, want %d", len(trial.Hooks), len(p.hooks())+len(p.walks()))
	}
	for _, hook := range trial.Hooks {
		if hook.Err != nil {
			t.Errorf("%s (%s): %v", hook.Hook, hook.Program, hook.Err)
		}
	}
	for _, m := range trial.Maps {
		if m.Err != nil {
			t.Errorf("%s: %v", m.Name, m.Err)
		}
	}
	if err := p.loadAlone("no_such_program"); err == nil {
		t.Error("a program that is not there was loaded")
	}
}

// openBPF counts the descriptors of bpf(2) that this process has.
func openBPF(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, entry := range entries {
		target, err := os.Readlink(filepath.Join("/proc/self/fd", entry.Name()))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if strings.HasPrefix(target, "anon_inode:bpf") {
			count++
		}
	}
	return count
}
