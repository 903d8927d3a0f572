package packaging

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"sonde_exporter/test/harness"
	"sonde_exporter/test/servers"
)

// container is how a runtime would confine Sonde. No image can be built or run where
// registries cannot be reached, so confine/ does what a runtime does.
type container struct {
	capabilities []string
	mounts       []string // FROM:TO
	args         []string
	// ownNetwork and ownCgroup say that the namespaces are not the host's.
	ownNetwork, ownCgroup bool
}

// command is the container's process, with the exporter on a free port.
func (c container) command(t testing.TB, port int) *exec.Cmd {
	t.Helper()
	args := []string{"-c", `echo $$ >"$1/cgroup.procs" && shift && exec "$@"`, "sh", newCgroup(t),
		"unshare", "--mount", "--uts", "--ipc"}
	if c.ownNetwork {
		args = append(args, "--net")
	}
	if c.ownCgroup {
		args = append(args, "--cgroup")
	}
	args = append(args, filepath.Join(release(t).dir, "confine"), "-root", servers.Dir(t),
		"-capabilities", fmt.Sprint(maskOf(t, c.capabilities)))
	for _, mount := range c.mounts {
		args = append(args, "-mount", mount)
	}
	args = append(args, "--", release(t).binary(), fmt.Sprintf("--web.listen-address=127.0.0.1:%d", port))
	return exec.Command("sh", append(args, c.args...)...)
}

// start runs the container until the test ends.
func (c container) start(t *testing.T) *harness.Exporter {
	t.Helper()
	port := servers.FreePort(t)
	process := servers.Start(t, "the container", port, c.command(t, port))
	url, transport := fmt.Sprintf("http://127.0.0.1:%d", port), &http.Transport{DialContext: dialIn(process.PID)}
	waitReady(t, url, transport)
	status := statusOf(t, fmt.Sprint(process.PID))
	if want := fmt.Sprintf("%016x", maskOf(t, c.capabilities)); status["CapEff"] != want || status["CapBnd"] != want {
		t.Errorf("the container has the capabilities %s of %s, want %s", status["CapEff"], status["CapBnd"], want)
	}
	return harness.Attach(url, transport)
}

// waitReady waits until the exporter at a URL is ready.
func waitReady(t testing.TB, url string, transport *http.Transport) {
	t.Helper()
	client := http.Client{Transport: transport, Timeout: waitTimeout}
	defer transport.CloseIdleConnections()
	wait(t, "the exporter at "+url+" is ready", func() bool {
		resp, err := client.Get(url + "/-/ready")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// newCgroup makes a cgroup that is removed when the test ends, as each container has
// one.
func newCgroup(t testing.TB) string {
	t.Helper()
	root := "/sys/fs/cgroup"
	if _, err := os.Stat(root + "/cgroup.procs"); err != nil {
		root += "/unified"
	}
	dir, err := os.MkdirTemp(root, "sonde-container-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { wait(t, dir+" is empty", func() bool { return os.Remove(dir) == nil }) })
	return dir
}

// dialIn connects from the network namespace of a process. The thread comes back:
// if it ended, so would the programs that it has started (Pdeathsig).
func dialIn(pid int) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		own, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			return nil, err
		}
		defer own.Close()
		other, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", pid))
		if err != nil {
			return nil, err
		}
		defer other.Close()
		if err := unix.Setns(int(other.Fd()), unix.CLONE_NEWNET); err != nil {
			return nil, err
		}
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err := unix.Setns(int(own.Fd()), unix.CLONE_NEWNET); err != nil {
			panic(fmt.Sprintf("a thread is left in another network namespace: %v", err))
		}
		return conn, err
	}
}

// docker is what docs/installing.md says to run.
func docker(t testing.TB) container {
	t.Helper()
	text := release(t).source(t, "docs/installing.md")
	command := regexp.MustCompile(`(?s)docker run .*?\n  sonde_exporter ([^\n]+)\n`).FindStringSubmatch(text)
	if len(command) == 0 {
		t.Fatal("docs/installing.md has no docker run … sonde_exporter")
	}
	c := container{
		args:       strings.Fields(command[1]),
		ownNetwork: !strings.Contains(command[0], "--network=host"),
		ownCgroup:  !strings.Contains(command[0], "--cgroupns=host"),
	}
	for _, added := range regexp.MustCompile(`--cap-add=(\w+)`).FindAllStringSubmatch(command[0], -1) {
		c.capabilities = append(c.capabilities, "CAP_"+added[1])
	}
	for _, volume := range regexp.MustCompile(`--volume=([^:]+:[^:]+):ro`).FindAllStringSubmatch(command[0], -1) {
		c.mounts = append(c.mounts, volume[1])
	}
	for _, flag := range []string{"--pid=host", "--cap-drop=ALL", "--read-only", "no-new-privileges"} {
		if !strings.Contains(command[0], flag) {
			t.Errorf("the docker command has no %s:\n%s", flag, command[0])
		}
	}
	return c
}

func TestDocker(t *testing.T) {
	checkMeasures(t, startMachine(t, ""), docker(t).start(t))
}

// TestContainerWithoutHostCgroup demands an error in place of a measuring instrument
// that measures nothing but itself. Where the host's first process may be looked into,
// Sonde reaches the host's cgroups that way.
func TestContainerWithoutHostCgroup(t *testing.T) {
	c := docker(t)
	c.ownCgroup, c.mounts, c.args = true, nil, nil
	if _, err := os.Stat("/proc/1/root/sys/fs/cgroup"); err == nil {
		checkMeasures(t, startMachine(t, ""), c.start(t))
		return
	}
	said, err := c.command(t, servers.FreePort(t)).CombinedOutput()
	if err == nil || !strings.Contains(string(said), "sees only a part of cgroup v2") || !strings.Contains(string(said), "--cgroupns=host") {
		t.Errorf("Sonde ended with %v and said:\n%s\nwant it to say that the host's cgroups are missing", err, said)
	}
}

// TestContainerfile checks what can be checked without images: that what is copied is
// there, and that the command that builds does.
func TestContainerfile(t *testing.T) {
	text := release(t).source(t, "Containerfile")
	for _, line := range regexp.MustCompile(`(?m)^COPY ([^-].*)$`).FindAllStringSubmatch(text, -1) {
		files := strings.Fields(line[1])
		for _, file := range files[:len(files)-1] {
			if _, err := os.Stat(filepath.Join(release(t).root, file)); err != nil {
				t.Errorf("%s: %v", line[0], err)
			}
		}
	}
	context := t.TempDir() + "/src"
	output(t, "cp", "-R", release(t).root, context)
	for _, line := range strings.Fields(release(t).source(t, ".containerignore")) {
		if strings.HasPrefix(line, "/") || line == ".git" {
			output(t, "rm", "-rf", filepath.Join(context, line))
		}
	}
	build := regexp.MustCompile(`(?m)^RUN (GOARCH=.*make build.*)$`).FindStringSubmatch(text)
	if len(build) == 0 {
		t.Fatal("the Containerfile does not run make build")
	}
	output(t, "env", "-C", context, "TARGETARCH="+runtime.GOARCH, "REVISION=abc", "sh", "-ec", build[1])
	said := output(t, "sh", "-c", filepath.Join(context, "sonde_exporter")+" --version 2>&1")
	if !strings.Contains(said, "version "+release(t).version) || !strings.Contains(said, "revision: abc") {
		t.Errorf("the program in the image calls itself:\n%s", said)
	}
}

// TestCapabilitiesAgree holds everything that grants capabilities to what the program
// says that it needs.
func TestCapabilitiesAgree(t *testing.T) {
	outcome := harness.Run(t, release(t).programs.Exporter, harness.Nobody, nil)
	lacks, _, found := strings.Cut(outcome.Stderr, "; ")
	if !found || outcome.Code == 0 {
		t.Fatalf("without capabilities Sonde ended with %d and said:\n%s", outcome.Code, outcome.Stderr)
	}
	want := sorted(regexp.MustCompile(`CAP_[A-Z_]+`).FindAllString(lacks, -1))
	if len(want) == 0 {
		t.Fatalf("without capabilities Sonde names none: %s", outcome.Stderr)
	}
	for where, got := range map[string][]string{
		"AmbientCapabilities= of the unit":   unitCapabilities(t, "AmbientCapabilities"),
		"CapabilityBoundingSet= of the unit": unitCapabilities(t, "CapabilityBoundingSet"),
		"docker run in docs/installing.md":   docker(t).capabilities,
		"the DaemonSet":                      pod(t, nil).capabilities,
	} {
		if !slices.Equal(sorted(got), want) {
			t.Errorf("%s: %q, want %q, which Sonde says it needs", where, sorted(got), want)
		}
	}
}
