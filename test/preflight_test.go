package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// fiveCapabilities are those that the README asks for.
const fiveCapabilities = "+bpf,+perfmon,+net_admin,+sys_ptrace,+dac_read_search"

// table is what --preflight printed.
type table struct {
	harness.Outcome
	t     *testing.T
	items []string          // in their order, headings included
	rows  map[string]string // state and what follows, by item
	fixes []string
}

// preflight runs the exporter by way of other programs, such as setpriv.
func preflight(t *testing.T, uid uint32, env []string, command ...string) table {
	t.Helper()
	command = append(command, "--preflight")
	out := harness.Run(t, command[0], uid, env, command[1:]...)
	if strings.Contains(out.Stdout+out.Stderr, "goroutine ") {
		t.Fatalf("it panicked:\n%s%s", out.Stdout, out.Stderr)
	}
	if out.Stderr != "" {
		t.Errorf("it complains beside the table:\n%s", out.Stderr)
	}
	return readTable(t, out)
}

var rowOfTable = regexp.MustCompile(`^  (\S.*?)  +(ok|missing|limited|not tried|not needed)(?:  +(.*))?$`)

// readTable undoes the wrapping of lines.
func readTable(t *testing.T, out harness.Outcome) table {
	t.Helper()
	parsed := table{Outcome: out, t: t, rows: map[string]string{}}
	more := func(string) {} // takes the other lines of what was wrapped
	for line := range strings.Lines(out.Stdout) {
		line = strings.TrimSuffix(line, "\n")
		if n := len([]rune(line)); n > 100 {
			t.Errorf("a line has %d columns: %q", n, line)
		}
		fix, isFix := strings.CutPrefix(line, "      fix: ")
		row := rowOfTable.FindStringSubmatch(line)
		switch {
		case isFix:
			parsed.fixes = append(parsed.fixes, fix)
			more = func(text string) { parsed.fixes[len(parsed.fixes)-1] += " " + text }
		case row != nil:
			parsed.items = append(parsed.items, row[1])
			parsed.rows[row[1]] = strings.TrimSpace(row[2] + " " + row[3])
			more = func(text string) { parsed.rows[row[1]] += " " + text }
		case strings.HasPrefix(line, "   "):
			more(strings.TrimSpace(line))
		case line != "":
			parsed.items = append(parsed.items, line)
		}
	}
	return parsed
}

// want checks the exit code and how rows begin: "missing to load programs".
func (p table) want(code int, rows map[string]string) {
	p.t.Helper()
	if p.Code != code {
		p.t.Errorf("it ended with %d, want %d", p.Code, code)
	}
	for item, want := range rows {
		if got := p.rows[item]; !strings.HasPrefix(got, want) {
			p.t.Errorf("%s is %q, want %q", item, got, want)
		}
	}
	if p.t.Failed() {
		p.t.Logf("it printed:\n%s", p.Stdout)
	}
}

func (p table) wantFix(words string) {
	p.t.Helper()
	if n := len(slices.DeleteFunc(slices.Clone(p.fixes), func(fix string) bool { return !strings.Contains(fix, words) })); n != 1 {
		p.t.Errorf("%d remedies say %q, want one; they are %q", n, words, p.fixes)
	}
}

// free makes the flag of an address that nobody uses.
func free(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("--web.listen-address=127.0.0.1:%d", servers.FreePort(t))
}

// hooksOK are the rows of a process that may do what Sonde does.
func hooksOK() map[string]string {
	rows := map[string]string{}
	for _, item := range []string{
		"BTF", "CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN", "CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH", "PID namespace",
		"cgroup v2", "socket storage", "ring buffer", "tp_btf/sched_process_fork", "tp_btf/sched_process_exec",
		"tp_btf/sched_process_exit", "tp_btf/inet_sock_set_state", "tp_btf/tcp_rcv_space_adjust",
		"cgroup_skb/ingress", "cgroup_skb/egress", "iter/task_file", "listen address", "wire", "sockets", "processes",
	} {
		rows[item] = "ok"
	}
	return rows
}

// TestPreflightAsRoot: everything is there, nothing is left behind, and the
// documentation shows such a table.
func TestPreflightAsRoot(t *testing.T) {
	temporary := servers.Dir(t)
	p := preflight(t, 0, []string{"TMPDIR=" + temporary}, programs(t).Exporter, free(t))
	rows := hooksOK()
	rows["uprobes"], rows["tls"], rows["BPF statistics"], rows["maps"] = "ok", "ok", "ok", "ok"
	rows["tracefs"], rows["kprobes"], rows["RLIMIT_MEMLOCK"] = "not needed", "not needed", "not needed"
	rows["file"] = "ok none: every process that listens is a service"
	p.want(0, rows)
	if !strings.Contains(p.Stdout, "\nSonde can run here") {
		t.Errorf("the verdict is missing:\n%s", p.Stdout)
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("it left %v behind (%v)", left, err)
	}
	root, err := harness.Root()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(root, "docs", "kernels.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(content), "$ sudo sonde_exporter --preflight\n")
	example, _, _ = strings.Cut(example, "```")
	documented := readTable(t, harness.Outcome{Stdout: example})
	shape := func(p table) []string { return p.items[:max(0, len(p.items)-1)] } // without the verdict
	if !slices.Equal(shape(documented), shape(p)) {
		t.Errorf("docs/kernels.md shows the rows\n%q, but they are\n%q", shape(documented), shape(p))
	}
}

// TestPreflightUnprivileged: the table says what is missing, and the remedy is
// the one that the error at start has.
func TestPreflightUnprivileged(t *testing.T) {
	p := preflight(t, harness.Nobody, nil, programs(t).Exporter, free(t))
	p.want(1, map[string]string{
		"CAP_BPF": "missing to load programs", "CAP_PERFMON": "missing", "CAP_NET_ADMIN": "missing", "CAP_SYS_PTRACE": "missing",
		"CAP_DAC_READ_SEARCH": "missing", "cgroup_skb/egress": "not tried this process must not load programs", "ring buffer": "not tried",
		"wire": "not tried", "BTF": "ok", "listen address": "ok",
	})
	if n := strings.Count(p.Stdout, "  missing  "); n != 5 {
		t.Errorf("%d rows are missing, want the five capabilities:\n%s", n, p.Stdout)
	}
	out := harness.Run(t, programs(t).Exporter, harness.Nobody, nil, free(t))
	_, remedy, _ := strings.Cut(strings.TrimSpace(out.Stderr), "; ")
	p.wantFix(remedy)
	p.wantFix("setcap cap_bpf,")
}

// TestPreflightWithCapabilities: the five that are documented are enough, and one
// less is not.
func TestPreflightWithCapabilities(t *testing.T) {
	as := func(capabilities string) []string {
		return []string{
			"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
			"--inh-caps=" + capabilities, "--ambient-caps=" + capabilities, programs(t).Exporter, free(t),
		}
	}
	t.Run("all five", func(t *testing.T) {
		preflight(t, 0, nil, as(fiveCapabilities)...).want(0, hooksOK())
	})
	t.Run("without CAP_NET_ADMIN", func(t *testing.T) {
		p := preflight(t, 0, nil, as(strings.Replace(fiveCapabilities, "+net_admin,", "", 1))...)
		p.want(1, map[string]string{
			"CAP_NET_ADMIN": "missing to attach to the sockets of a cgroup", "cgroup_skb/ingress": "missing the program for cgroup_skb/ingress cannot be attached",
			"tp_btf/inet_sock_set_state": "ok", "socket storage": "ok", "wire": "missing",
		})
	})
}

// TestPreflightInNamespaces: what a container has of its own.
func TestPreflightInNamespaces(t *testing.T) {
	t.Run("of processes", func(t *testing.T) {
		command := []string{"unshare", "--pid", "--fork", "--mount-proc", programs(t).Exporter, free(t)}
		p := preflight(t, 0, nil, command...)
		p.want(1, map[string]string{"PID namespace": "missing this process runs in a PID namespace of its own", "cgroup_skb/ingress": "ok", "wire": "missing"})
		p.wantFix("--pid=host")
		if out := harness.Run(t, command[0], 0, nil, command[1:]...); !strings.Contains(out.Stderr, p.fixes[0]) || out.Code != 1 {
			t.Errorf("the start ends with %d and says other words than %q:\n%s", out.Code, p.fixes[0], out.Stderr)
		}
	})
	t.Run("without cgroup v2", func(t *testing.T) {
		temporary := servers.Dir(t)
		hide := `grep -F " - cgroup2 " /proc/self/mountinfo | cut -d" " -f5 | while read -r point; do umount -l "$point"; done; exec "$@"`
		p := preflight(t, 0, []string{"TMPDIR=" + temporary}, "unshare", "--mount", "sh", "-c", hide, "sh", programs(t).Exporter, free(t))
		p.want(0, hooksOK())
		// The first process of the host may have it still.
		if got := p.rows["cgroup v2"]; !strings.Contains(got, "Sonde mounts it for itself") && !strings.Contains(got, "/proc/1/root/") {
			t.Errorf("cgroup v2 is %q, although it was unmounted", got)
		}
		if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
			t.Errorf("it left %v behind (%v)", left, err)
		}
	})
}

// TestPreflightConfiguration: what was written wrong is found as well.
func TestPreflightConfiguration(t *testing.T) {
	dir := servers.Dir(t)
	bad := filepath.Join(dir, "bad.yml")
	servers.WriteFile(t, bad, "series: {limitt: 5}\n")
	taken := servers.Go(t, programs(t).GoServer)
	p := preflight(t, harness.Nobody, nil, programs(t).Exporter, "--config.file="+bad, "--web.config.file="+dir+"/none.yml", "--web.listen-address="+taken.Addr())
	p.want(1, map[string]string{
		"file": "missing config file " + bad, "web configuration": "missing the web configuration file", "listen address": "missing cannot listen on",
	})
	p.wantFix("did you mean \"limit\"?")
	p.wantFix("choose another address with --web.listen-address")
}
