package inspect

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestProcessReadsEverything(t *testing.T) {
	host := newFakeHost(t)
	p := host.inspect(fakeProcess{
		pid: 812, parent: 1, exe: "/usr/sbin/nginx (deleted)", comm: "ng) (x", cwd: "/srv",
		args:   []string{"nginx", "", "-g", "daemon off;", "", ""},
		env:    []string{"PATH=/bin", "OTEL_SERVICE_NAME=front", "AWS_SECRET_ACCESS_KEY=x", "OTEL_SERVICE_NAME=second", "name=x"},
		cgroup: "0::/system.slice/nginx.service\n",
		tty:    34816, start: 12345,
	})
	if p.PID != 812 || p.Parent != 1 || p.Executable != "/usr/sbin/nginx" || p.Command != "ng) (x" || p.WorkingDir != "/srv" {
		t.Errorf("wrong basics: %+v", p)
	}
	if want := []string{"nginx", "", "-g", "daemon off;"}; !slices.Equal(p.Args, want) {
		t.Errorf("Args = %q, want %q", p.Args, want)
	}
	if want := map[string]string{"OTEL_SERVICE_NAME": "front"}; !maps.Equal(p.Env, want) {
		t.Errorf("Env = %q, want only %q", p.Env, want)
	}
	if !p.Terminal || p.StartTicks != 12345 || p.SystemdUnit != "nginx.service" || p.ContainerID != "" {
		t.Errorf("wrong details: %+v", p)
	}
	if want := time.Unix(1700000123, 450_000_000); !p.StartTime.Equal(want) {
		t.Errorf("StartTime = %v, want %v", p.StartTime, want)
	}
}

func TestProcessThatIsGone(t *testing.T) {
	host := newFakeHost(t)
	for _, files := range []FS{host.FS, {}} {
		if _, err := files.Process(1 << 30); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%+v: error %v does not say that the process does not exist", files, err)
		}
	}
}

func TestProcessWithMalformedStat(t *testing.T) {
	for _, content := range []string{"", "42 comm S 1", "42 (x) S 1 2", "42 )x( S 1", "42 (x) S a b c d e f g h i j k l m n o p q r s t u v w"} {
		host := newFakeHost(t)
		pid := host.add(fakeProcess{exe: "/bin/x"})
		host.write(host.processPath(pid, "stat"), content)
		if _, err := host.Process(pid); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("stat %q: error = %v, want one about its form", content, err)
		}
	}
}

// A process may be known in part only: a kernel thread, or hidepid.
func TestProcessWithoutDetails(t *testing.T) {
	host := newFakeHost(t)
	pid := host.add(fakeProcess{comm: "kworker/0:1"})
	for _, name := range []string{"cmdline", "environ", "cgroup"} {
		if err := os.Remove(host.processPath(pid, name)); err != nil {
			t.Fatal(err)
		}
	}
	p, err := host.Process(pid)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Identity(); got != (Identity{Name: "kworker/0:1", Source: SourceCommand}) {
		t.Errorf("Identity = %+v", got)
	}
}

func TestReadsAreCapped(t *testing.T) {
	host := newFakeHost(t)
	p := host.inspect(fakeProcess{
		exe:  "/bin/x",
		args: []string{strings.Repeat("a", 2*maxCommandLine)},
		env:  []string{strings.Repeat("b", maxEnviron), "OTEL_SERVICE_NAME=late"},
	})
	if len(p.Args) != 1 || len(p.Args[0]) != maxCommandLine {
		t.Errorf("command line was not cut at %d bytes", maxCommandLine)
	}
	if len(p.Env) != 0 {
		t.Errorf("environment was read beyond %d bytes: %q", maxEnviron, p.Env)
	}
}

// A container must not make Sonde read the host's files, nor wait on a FIFO.
func TestReadInsideStaysInside(t *testing.T) {
	host := newFakeHost(t)
	pid := host.add(fakeProcess{exe: "/bin/x", files: map[string]string{"/run/real": "inside"}})
	outside := host.Root + "/etc/hostname"
	host.link(outside, host.seenBy(pid, "/absolute"))
	host.link("../../../../../../../../../.."+outside, host.seenBy(pid, "/relative"))
	host.link("/run/real", host.seenBy(pid, "/var/link"))
	makeFIFO(t, host.seenBy(pid, "/fifo"))

	for _, path := range []string{"/absolute", "/relative", "/fifo", "/", "/none"} {
		if content, err := host.readInside(pid, path, 100); err == nil {
			t.Errorf("%s: read %q, want an error", path, content)
		}
	}
	content, err := host.readInside(pid, "/var/link", 4)
	if err != nil || string(content) != "insi" {
		t.Errorf("a link within the container: %q, %v; want the first 4 bytes", content, err)
	}
}
