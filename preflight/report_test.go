package preflight

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"sonde_exporter/config"
	"sonde_exporter/probe"
)

// healthy is a machine that has everything.
func healthy() Facts {
	f := Facts{
		Release: "6.18.44", Machine: "amd64", Lockdown: "none", Unprivileged: "2",
		Procfs: Procfs{Path: "/proc", Processes: 100},
		Config: config.Default(), Addresses: []Address{{Text: ":19100"}},
		Trial: probe.Trial{
			Cgroup: "/sys/fs/cgroup", UprobeMulti: true, Memory: probe.MapMemory{Now: 25e6, Most: 180e6},
			Maps: []probe.MapTrial{{Name: "socket storage"}, {Name: "ring buffer"}},
		},
	}
	for _, name := range []string{"CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN", "CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"} {
		f.Capabilities = append(f.Capabilities, probe.Capability{Name: name, Why: "to work", Has: true})
	}
	for _, hook := range []probe.Tap{
		{Name: probe.TapProcesses, Hook: "tp_btf/sched_process_fork"}, {Name: probe.TapSockets, Hook: "tp_btf/inet_sock_set_state"},
		{Name: probe.TapWire, Hook: "cgroup_skb/ingress"}, {Name: probe.TapWire, Hook: "cgroup_skb/egress"},
		{Name: probe.TapSockets, Hook: "iter/task_file"}, {Name: probe.TapSockets, Hook: "iter/task_file"},
	} {
		f.Trial.Hooks = append(f.Trial.Hooks, probe.HookTrial{Tap: hook})
	}
	return f
}

func (f *Facts) breakHook(name string, err error) {
	for i := range f.Trial.Hooks {
		if f.Trial.Hooks[i].Hook == name {
			f.Trial.Hooks[i].Err = err
		}
	}
}

func (f *Facts) dropCapability(name string) {
	for i := range f.Capabilities {
		if f.Capabilities[i].Name == name {
			f.Capabilities[i].Has = false
		}
	}
}

var errRefused = errors.New("operation not permitted")

// TestRows breaks one thing at a time: what the row says, what the remedy is, and
// whether Sonde can run all the same.
func TestRows(t *testing.T) {
	cases := []struct {
		name, item string
		change     func(*Facts)
		state      State
		says       string
		remedy     string // a part of it; empty for none
		works      bool
	}{
		{"as it should be", "Linux", func(*Facts) {}, OK, "6.18.44, amd64 (tried: 6.1, ", "", true},
		{"an old kernel", "Linux", func(f *Facts) { f.Release = "5.15.0-1" }, Limited, "older than 6.1", "use Linux 6.1 or newer", true},
		{"the oldest kernel", "Linux", func(f *Facts) { f.Release = "6.1.0-40-amd64" }, OK, "6.1.0-40-amd64", "", true},
		{"a kernel of nobody's", "Linux", func(f *Facts) { f.Release = "mine" }, OK, "mine", "", true},
		{"no BTF", "BTF", func(f *Facts) { f.BTF = probe.CheckBTF("/nonexistent/vmlinux") }, Missing, "has no BTF at /nonexistent/vmlinux", "CONFIG_DEBUG_INFO_BTF=y", false},
		{"no BTF, seen from a hook", "tp_btf/sched_process_fork", func(f *Facts) {
			f.BTF = probe.CheckBTF("/nonexistent/vmlinux")
			f.breakHook("tp_btf/sched_process_fork", errRefused)
		}, NotTried, "there is no BTF", "", false},
		{"no lockdown", "lockdown", func(f *Facts) { f.Lockdown = "" }, OK, "not in this kernel", "", true},
		{"lockdown for integrity", "lockdown", func(f *Facts) { f.Lockdown = "integrity" }, OK, "integrity", "", true},
		{"lockdown for confidentiality", "lockdown", func(f *Facts) { f.Lockdown = "confidentiality" }, Limited, "must not read", "lockdown=integrity", true},
		{"a seccomp filter that lets pass", "seccomp", func(f *Facts) { f.Seccomp = true }, OK, "lets bpf(2) pass", "", true},
		{"a seccomp filter that may not", "seccomp", func(f *Facts) { f.Seccomp, f.Trial.Load = true, errRefused }, Limited, "may forbid", "seccomp=unconfined", true},
		{"AppArmor that lets pass", "AppArmor, SELinux", func(f *Facts) { f.Profile = "docker-default (enforce)" }, OK, "docker-default", "", true},
		{"AppArmor that may not", "AppArmor, SELinux", func(f *Facts) { f.Profile, f.Trial.Load = "docker-default (enforce)", errRefused }, Limited, "docker-default (enforce) is in force", "apparmor=unconfined", true},
		{"unconfined", "AppArmor, SELinux", func(f *Facts) { f.Profile = "unconfined" }, OK, "nothing in force", "", true},
		{"unprivileged BPF", "unprivileged BPF", func(f *Facts) { f.Unprivileged = "0" }, NotNeeded, "unprivileged_bpf_disabled=0", "", true},
		{"unprivileged BPF, unknown", "unprivileged BPF", func(f *Facts) { f.Unprivileged = "" }, NotNeeded, "cannot be read", "", true},
		{"kprobes", "kprobes", func(f *Facts) { f.Kprobes = true }, NotNeeded, "has them", "", true},
		{"no fentry", "fentry", func(*Facts) {}, NotNeeded, "has none", "", true},
		{"tracefs", "tracefs", func(*Facts) {}, NotNeeded, "BTF tracepoints", "", true},

		{"a capability", "CAP_NET_ADMIN", func(f *Facts) { f.dropCapability("CAP_NET_ADMIN") }, Missing, "to work", probe.CapabilityRemedy, false},
		{"CAP_SYS_ADMIN instead", "CAP_BPF", func(f *Facts) { f.Capabilities[0].ByAdmin = true }, OK, "CAP_SYS_ADMIN stands in", "", true},
		{"no procfs to ask", "capabilities", func(f *Facts) {
			f.Capabilities, f.CapabilitiesErr = nil, errors.New("x/self/status is gone; check --path.procfs")
		}, Missing, "x/self/status is gone", "check --path.procfs", false},
		{"no procfs to ask, seen from a hook", "cgroup_skb/egress", func(f *Facts) {
			f.Capabilities, f.CapabilitiesErr = nil, errRefused
			f.breakHook("cgroup_skb/egress", errors.New("there is no cgroup v2"))
		}, Missing, "there is no cgroup v2", "", false},
		{"a PID namespace", "PID namespace", func(f *Facts) { f.PIDNamespace = &probe.Shortage{Lack: errors.New("its own"), Remedy: "--pid=host"} }, Missing, "its own", "--pid=host", false},
		{"an empty procfs", "procfs", func(f *Facts) { f.Procfs.Processes = 0 }, Missing, "no process is to be seen at /proc", "check --path.procfs", false},
		{"one process", "procfs", func(f *Facts) { f.Procfs.Processes = 1 }, OK, "/proc, one process", "", true},
		{"hidepid", "procfs", func(f *Facts) { f.Procfs.HidePID = "invisible" }, OK, "hidepid=invisible", "", true},
		{"few are protected", "procfs", func(f *Facts) { f.Procfs.Denied = 1 }, OK, "100 processes, of which 1 cannot be read", "", true},
		{"most are protected", "procfs", func(f *Facts) { f.Procfs.Denied = 90 }, Limited, "of which 90 cannot be read", "AppArmor or SELinux", true},
		{"no right to read others", "procfs", func(f *Facts) { f.Procfs.Denied = 1; f.dropCapability("CAP_SYS_PTRACE") }, Limited, "of which 1 cannot", probe.CapabilityRemedy, false},

		{"cgroup v2", "cgroup v2", func(*Facts) {}, OK, "/sys/fs/cgroup", "", true},
		{"cgroup v2 of Sonde's own", "cgroup v2", func(f *Facts) { f.Trial.CgroupIsOurs = true }, OK, "Sonde mounts it", "", true},
		{"no cgroup v2", "cgroup v2", func(f *Facts) {
			f.Trial.CgroupErr = &probe.Shortage{Lack: errors.New("not mounted"), Remedy: "mount it"}
		}, Missing, "not mounted", "mount it", false},
		{"no socket storage", "socket storage", func(f *Facts) { f.Trial.Maps[0].Err = errRefused }, Missing, "operation not permitted", "", false},
		{"a ring buffer, not tried", "ring buffer", func(f *Facts) { f.Trial.Maps[1].Err = errRefused; f.dropCapability("CAP_BPF") }, NotTried, "this process must not load", "", false},
		{"a tap, not tried", "wire", func(f *Facts) { f.dropCapability("CAP_BPF") }, NotTried, "what is missing above", "", false},
		{"TLS, not tried", "tls", func(f *Facts) { f.dropCapability("CAP_BPF") }, NotTried, "this process must not load", "", false},
		{"uprobes, not tried", "uprobes", func(f *Facts) { f.Trial.Load, f.Trial.TLS = errRefused, errRefused }, NotTried, "the other programs cannot be loaded", "", true},
		{"no ingress", "cgroup_skb/ingress", func(f *Facts) { f.breakHook("cgroup_skb/ingress", errRefused) }, Missing, "operation not permitted", "", false},
		{"no ingress, seen from the tap", "wire", func(f *Facts) { f.breakHook("cgroup_skb/ingress", errRefused) }, Missing, "it needs cgroup_skb/ingress", "", false},
		{"no ingress, seen from another tap", "processes", func(f *Facts) { f.breakHook("cgroup_skb/ingress", errRefused) }, Missing, "does not start", "", false},
		{"no walk over files", "iter/task_file", func(f *Facts) { f.breakHook("iter/task_file", errRefused) }, Missing, "operation not permitted", "", false},
		{"uprobe_multi", "uprobes", func(*Facts) {}, OK, "uprobe_multi", "", true},
		{"perf_event", "uprobes", func(f *Facts) { f.Trial.UprobeMulti = false }, OK, "one perf event", "", true},
		{"no uprobes", "uprobes", func(f *Facts) { f.Trial.TLS = errRefused }, Missing, "operation not permitted", "CAP_SYS_ADMIN", true},
		{"no uprobes, seen from the tap", "tls", func(f *Facts) { f.Trial.TLS = errRefused }, Missing, "counted as connections only", "", true},
		{"no statistics", "BPF statistics", func(f *Facts) { f.Trial.Stats = errRefused }, Limited, "operation not permitted", "kernel.bpf_stats_enabled=1", true},

		{"memory lock", "RLIMIT_MEMLOCK", func(*Facts) {}, NotNeeded, "5.11", "", true},
		{"maps", "maps", func(*Facts) {}, OK, "25 MB at the start; 180 MB", "", true},
		{"maps that were not made", "maps", func(f *Facts) { f.Trial.Memory = probe.MapMemory{} }, NotNeeded, "no estimate", "", true},
		{"no limit", "memory.max", func(*Facts) {}, OK, "no limit", "", true},
		{"room enough", "memory.max", func(f *Facts) { f.Memory = Memory{Limit: 300e6, LimitAt: "/sys/fs/cgroup/a/memory.max"} }, OK, "300 MB (/sys/fs/cgroup/a/memory.max)", "", true},
		{"too little room", "memory.max", func(f *Facts) { f.Memory = Memory{Limit: 200e6, LimitAt: "/x", Resident: 30e6} }, Limited, "may come to 210 MB", "raise it to 210 MB", true},

		{"no file", "file", func(*Facts) {}, OK, "none: every process that listens is a service", "", true},
		{"a file", "file", func(f *Facts) { f.ConfigFile = "/etc/sonde.yml" }, OK, "/etc/sonde.yml: ", "", true},
		{"a bad file", "file", func(f *Facts) { f.Config, f.ConfigErr = nil, errors.New("line 1: a\nline 2: b") }, Missing, "line 1: a", "", false},
		{"a bad web configuration", "web configuration", func(f *Facts) { f.WebErr = errors.New("no such file; check --web.config.file") }, Missing, "no such file", "check --web.config.file", false},
		{"no web configuration", "web configuration", func(*Facts) {}, OK, "without TLS", "", true},
		{"a good web configuration", "web configuration", func(f *Facts) { f.WebFile = "/etc/web.yml" }, OK, "/etc/web.yml", "", true},
		{"a free address", "listen address", func(*Facts) {}, OK, `":19100" is free`, "", true},
		{"a taken address", "listen address", func(f *Facts) { f.Addresses[0].Err = errors.New("another program uses it; stop it") }, Missing, "another program", "stop it", false},
		{"an address taken by Sonde", "listen address", func(f *Facts) {
			f.Addresses[0].Err, f.Trial.Neighbours = errors.New("another program uses it; stop it"), 1
		}, Limited, "perhaps the Sonde that runs", "stop it", true},
		{"nobody else", "other Sondes", func(*Facts) {}, OK, "none", "", true},
		{"others", "other Sondes", func(f *Facts) { f.Trial.Neighbours = 2 }, OK, "2 attached", "", true},
		{"others, unknown", "other Sondes", func(f *Facts) { f.Trial.NeighboursErr = errRefused }, NotNeeded, "CAP_SYS_ADMIN", "", true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := healthy()
			c.change(&f)
			report := New(f)
			row := find(t, report, c.item)
			if row.State != c.state {
				t.Errorf("%s is %q, want %q", c.item, row.State, c.state)
			}
			if !strings.Contains(row.Says, c.says) {
				t.Errorf("%s says %q, want %q in it", c.item, row.Says, c.says)
			}
			if !strings.Contains(row.Remedy, c.remedy) || (c.remedy == "") != (row.Remedy == "") {
				t.Errorf("the remedy for %s is %q, want %q", c.item, row.Remedy, c.remedy)
			}
			if report.Works() != c.works {
				t.Errorf("Sonde can run here: %t, want %t", report.Works(), c.works)
			}
		})
	}
}

func find(t *testing.T, report Report, item string) Row {
	t.Helper()
	for _, group := range report.Groups {
		for _, row := range group.Rows {
			if row.Item == item {
				return row
			}
		}
	}
	t.Fatalf("there is no row %q", item)
	return Row{}
}

func TestVerdict(t *testing.T) {
	f := healthy()
	if got := New(f).Verdict(); got != "Sonde can run here." {
		t.Errorf("a healthy machine: %q", got)
	}
	f.Trial.Stats = errRefused
	if got := New(f).Verdict(); !strings.Contains(got, "with the limits") {
		t.Errorf("without statistics: %q", got)
	}
	f.BTF = errRefused
	if got := New(f).Verdict(); !strings.Contains(got, "cannot run") {
		t.Errorf("without BTF: %q", got)
	}
}

// TestWriteTo: aligned, at most 100 columns, a common remedy once, and nothing
// that moves the cursor.
func TestWriteTo(t *testing.T) {
	f := healthy()
	for _, c := range f.Capabilities {
		f.dropCapability(c.Name)
	}
	f.ConfigErr = fmt.Errorf("config file \x1b[31mx\xff: %s", strings.Repeat("long ", 100))
	var b strings.Builder
	if n, err := New(f).WriteTo(&b); err != nil || n != int64(b.Len()) {
		t.Fatalf("WriteTo returns %d, %v", n, err)
	}
	text := b.String()
	column := strings.Index(strings.SplitAfter(text, "\n")[1], " ok ")
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if n := len([]rune(line)); n > width {
			t.Errorf("%d columns: %q", n, line)
		}
		if strings.HasSuffix(line, " ") || strings.ContainsAny(line, "\x1b\t") {
			t.Errorf("a line has what is not to be seen: %q", line)
		}
		if at := strings.Index(line, " missing  "); at >= 0 && at != column {
			t.Errorf("a state is at column %d, want %d: %q", at, column, line)
		}
	}
	unwrapped := strings.Join(strings.Fields(text), " ")
	if n := strings.Count(unwrapped, "fix: "+probe.CapabilityRemedy); n != 1 {
		t.Errorf("the remedy of five capabilities is told %d times, want once:\n%s", n, text)
	}
}
