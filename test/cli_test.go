package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// TestRefusals: what cannot work is refused at once, with a non-zero exit and
// one clear sentence.
func TestRefusals(t *testing.T) {
	dir := servers.Dir(t)
	file := func(content string) string {
		path := filepath.Join(dir, fmt.Sprintf("%d.yml", len(content)))
		servers.WriteFile(t, path, content)
		return "--config.file=" + path
	}
	taken := servers.Go(t, programs(t).GoServer)
	free := fmt.Sprintf("--web.listen-address=127.0.0.1:%d", servers.FreePort(t))
	cases := []struct {
		name string
		args []string
		env  []string
		uid  uint32
		says []string
	}{
		{name: "unknown flag", args: []string{free, "--no-such-flag"}, says: []string{"no-such-flag"}},
		{name: "unknown key", args: []string{free, file("routes:\n  unmatched: path\n  pattern: [/a]\n")}, says: []string{"line 3", "patterns"}},
		{name: "unknown key of a rule", args: []string{free, file("discovery:\n  services:\n    - open_prot: 80\n")}, says: []string{"line 3", "open_port"}},
		{name: "not YAML", args: []string{free, file("a: [1\n")}, says: []string{"line"}},
		{name: "no such file", args: []string{free, "--config.file=" + dir + "/missing.yml"}, says: []string{"missing.yml"}},
		{name: "bad port", args: []string{free, file("open_port: 70000\n")}, says: []string{"70000", "line 1"}},
		{name: "bad range", args: []string{free, "--discovery.open-port=90-80"}, says: []string{"90-80"}},
		{name: "bad expression", args: []string{free, "--discovery.executable-name=("}, says: []string{"discovery.executable-name"}},
		{name: "bad port in the environment", args: []string{free}, env: []string{"SONDE_OPEN_PORT=http"}, says: []string{"SONDE_OPEN_PORT", "http"}},
		{name: "bad unmatched", args: []string{free, "--routes.unmatched=sometimes"}, says: []string{"sometimes", "heuristic"}},
		{name: "buckets that fall", args: []string{free, "--histogram.buckets=1,0.5"}, says: []string{"0.5"}},
		{name: "buckets that are no numbers", args: []string{free, "--histogram.buckets=fast"}, says: []string{"fast"}},
		{name: "limit below zero", args: []string{free, "--series.limit=-1"}, says: []string{"-1"}},
		{name: "two rules that contradict", args: []string{free, file(
			"discovery:\n  services:\n    - open_port: 80\n      service_name: a\n    - open_port: 80\n      service_name: b\n")}, says: []string{"line 3", "line 5"}},
		{name: "address in use", args: []string{"--web.listen-address=" + taken.Addr()}, says: []string{taken.PortLabel(), "uses this address"}},
		{name: "no address", args: []string{"--web.listen-address=nowhere"}, says: []string{"nowhere"}},
		{name: "no web configuration", args: []string{free, "--web.config.file=" + dir + "/web.yml"}, says: []string{"web.yml"}},
		{name: "not root", args: []string{free}, uid: harness.Nobody, says: []string{"root", "CAP_BPF"}},
		{name: "no procfs", args: []string{free, "--path.procfs=" + dir + "/proc"}, says: []string{"proc"}},
		{name: "bad log level", args: []string{free, "--log.level=loud"}, says: []string{"loud"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			out := harness.Run(t, programs(t).Exporter, c.uid, c.env, c.args...)
			if out.Code == 0 {
				t.Errorf("the exit code is 0; it said:\n%s", out.Stderr)
			}
			for _, want := range c.says {
				if !strings.Contains(out.Stderr, want) {
					t.Errorf("it does not mention %q:\n%s", want, out.Stderr)
				}
			}
			if n := sentences(out.Stderr); n != 1 {
				t.Errorf("it says %d lines, want one:\n%s", n, out.Stderr)
			}
			if strings.Contains(out.Stderr, "goroutine ") {
				t.Errorf("it panicked:\n%s", out.Stderr)
			}
		})
	}
}

// sentences counts the lines that are not the log's talk of starting.
func sentences(stderr string) int {
	n := 0
	for line := range strings.Lines(stderr) {
		if strings.TrimSpace(line) != "" && !strings.Contains(line, "level=INFO") && !strings.Contains(line, "level=info") {
			n++
		}
	}
	return n
}

// TestCheck: --config.check needs neither root nor kernel and starts nothing.
func TestCheck(t *testing.T) {
	dir := servers.Dir(t)
	good, bad := filepath.Join(dir, "good.yml"), filepath.Join(dir, "bad.yml")
	servers.WriteFile(t, good, "open_port: [80, \"8000-8999\"]\nroutes:\n  patterns: [\"/users/{id}\"]\n")
	servers.WriteFile(t, bad, "open_port: 80\nseries:\n  limits: 5\n")
	if out := harness.Run(t, programs(t).Exporter, harness.Nobody, nil, "--config.file="+good, "--config.check"); out.Code != 0 {
		t.Errorf("a good file is refused with %d:\n%s", out.Code, out.Stderr)
	}
	out := harness.Run(t, programs(t).Exporter, harness.Nobody, nil, "--config.file="+bad, "--config.check")
	if out.Code == 0 || !strings.Contains(out.Stderr, "line 3") || !strings.Contains(out.Stderr, "limit") {
		t.Errorf("a bad file ends with %d:\n%s", out.Code, out.Stderr)
	}
}

// TestVersion: --version and --help print and end well, for anybody.
func TestVersion(t *testing.T) {
	for flag, want := range map[string]string{"--version": "sonde_exporter", "--help": "--web.listen-address", "-h": "docs/configuration.md"} {
		out := harness.Run(t, programs(t).Exporter, harness.Nobody, nil, flag)
		if out.Code != 0 || !strings.Contains(out.Stdout+out.Stderr, want) {
			t.Errorf("%s ends with %d and says:\n%s%s", flag, out.Code, out.Stdout, out.Stderr)
		}
	}
}

// TestExamples: the example configurations of the repository are valid.
func TestExamples(t *testing.T) {
	root, err := harness.Root()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(root, "examples", "*.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		copied := filepath.Join(servers.Dir(t), filepath.Base(file))
		servers.WriteFile(t, copied, string(content))
		if out := harness.Run(t, programs(t).Exporter, 0, nil, "--config.check", "--config.file="+copied); out.Code != 0 {
			t.Errorf("%s is refused:\n%s", filepath.Base(file), out.Stderr)
		}
	}
}

// TestStopsAtOnce: SIGTERM under load ends the exporter within 5 seconds, all
// programs detached, and what it measured goes on as before.
func TestStopsAtOnce(t *testing.T) {
	web := servers.Go(t, programs(t).GoServer)
	before := bpfPrograms(t)
	e := exporter(t, harness.Options{})
	if during := bpfPrograms(t); during <= before {
		t.Fatalf("%d programs in the kernel before, %d during: the test sees nothing", before, during)
	}
	done := make(chan error, 1)
	go func() {
		var err error
		for end := time.Now().Add(2 * time.Second); time.Now().Before(end) && err == nil; {
			err = talkOnce(web.Addr(), request("/hello", "Connection: close"))
		}
		done <- err
	}()
	time.Sleep(500 * time.Millisecond)
	if err := e.Stop(); err != nil {
		t.Error(err)
	}
	harness.Eventually(t, "the programs to leave the kernel", func() bool { return bpfPrograms(t) <= before })
	if err := <-done; err != nil {
		t.Errorf("a request failed when Sonde left: %v", err)
	}
}

// bpfPrograms counts the programs in the kernel.
func bpfPrograms(t testing.TB) int {
	t.Helper()
	n := 0
	for id := (ebpf.ProgramID)(0); ; n++ {
		next, err := ebpf.ProgramGetNextID(id)
		if err != nil {
			return n
		}
		id = next
	}
}
