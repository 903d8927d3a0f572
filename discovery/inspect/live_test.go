package inspect

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func makeFIFO(t *testing.T, path string) {
	t.Helper()
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
}

// start runs a command until the end of the test, and returns once it wrote a
// line, so that it certainly has executed.
func start(t *testing.T, command *exec.Cmd) int {
	t.Helper()
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = input.Close() // The child ends with its input.
		_ = command.Wait()
	})
	if _, err := bufio.NewReader(output).ReadString('\n'); err != nil {
		t.Fatalf("%s did not start: %v", command.Path, err)
	}
	return command.Process.Pid
}

// TestMain lets the test binary be the process that is looked at.
func TestMain(m *testing.M) {
	if os.Getenv("INSPECT_TEST_CHILD") != "" {
		_, _ = os.Stdout.WriteString("ready\n")
		_, _ = io.Copy(io.Discard, os.Stdin)
		return
	}
	os.Exit(m.Run())
}

func TestLiveGoProgram(t *testing.T) {
	before := time.Now()
	command := exec.Command(os.Args[0], "-unused")
	command.Env = append(os.Environ(), "INSPECT_TEST_CHILD=1", "OTEL_SERVICE_NAME=", "OTEL_RESOURCE_ATTRIBUTES=service.name=sh%6Fp,service.namespace=acme")
	command.Dir = t.TempDir()
	p, err := FS{}.Process(start(t, command))
	if err != nil {
		t.Fatal(err)
	}
	if p.Language != languageGo || p.Parent != os.Getpid() || len(p.Args) != 2 || p.WorkingDir != command.Dir {
		t.Errorf("live process is %+v", p)
	}
	if want, _ := os.Executable(); p.Executable != want {
		t.Errorf("Executable = %q, want %q", p.Executable, want)
	}
	if age := p.StartTime.Sub(before).Abs(); age > 5*time.Second {
		t.Errorf("StartTime %v is %v away from the start", p.StartTime, age)
	}
	if got, want := p.Identity(), (Identity{"shop", "acme", SourceResourceAttributes}); got != want {
		t.Errorf("Identity = %+v, want %+v", got, want)
	}
}

// needPrograms leaves a test to those runs that have all programs: scripts/setup
// installs what is missing.
func needPrograms(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short leaves out what needs compilers and interpreters")
	}
}

// The same command lines, and those of more interpreters, are tested with made-up
// processes, too.
func TestLiveInterpreters(t *testing.T) {
	needPrograms(t)
	dir := filepath.Join(t.TempDir(), "bookshop")
	write := func(name, content string) {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	python := "import sys\nprint('ready', flush=True)\nsys.stdin.read()\n"
	write("orders.py", python)
	write("shopmodule/__main__.py", python)
	write("package.json", `{"name": "@acme/bookshop"}`)
	write("dist/server.js", "console.log('ready'); process.stdin.resume(); process.stdin.on('end', () => process.exit())")
	write("billing.pl", "$| = 1; print \"ready\\n\"; <STDIN>;")

	for _, test := range []struct {
		command  []string
		name     string
		language string
	}{
		{[]string{"python3", "-u", "orders.py"}, "orders", languagePython},
		{[]string{"python3", "-m", "shopmodule"}, "shopmodule", languagePython},
		{[]string{"node", "dist/server.js"}, "@acme/bookshop", languageNode},
		{[]string{"perl", "-w", "billing.pl"}, "billing", languagePerl},
	} {
		t.Run(test.command[0], func(t *testing.T) {
			command := exec.Command(test.command[0], test.command[1:]...)
			command.Dir = dir
			p, err := FS{}.Process(start(t, command))
			if err != nil {
				t.Fatal(err)
			}
			p.Cgroups, p.ContainerID, p.Env = nil, "", nil // Those of whoever runs the test.
			if p.Language != test.language {
				t.Errorf("Language = %q, want %q", p.Language, test.language)
			}
			if got, want := p.Identity(), (Identity{Name: test.name, Source: SourceInterpreter}); got != want {
				t.Errorf("Identity = %+v, want %+v (args %q, in %s)", got, want, p.Args, p.WorkingDir)
			}
		})
	}
}
