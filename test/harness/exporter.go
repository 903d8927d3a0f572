package harness

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"sonde_exporter/test/servers"
)

const (
	// readyTimeout is how long the exporter may take to load its programs.
	readyTimeout = 30 * time.Second
	// stopTimeout is how soon after SIGTERM everything has to be detached.
	stopTimeout = 5 * time.Second
)

// Options says how to start an exporter.
type Options struct {
	// Args are flags; --web.listen-address is added.
	Args []string
	// Env is added to the environment.
	Env []string
	// Config is the content of a file for --config.file; empty for none.
	Config string
	// Access is how to reach it; the zero value is plain HTTP for everyone.
	Access Access
}

// Access is how the exporter's own address is protected.
type Access struct {
	// TLS trusts the exporter's certificate; nil means plain HTTP.
	TLS *tls.Config
	// User and Password are for basic authentication; empty for none.
	User, Password string
}

// Exporter is a running sonde_exporter.
type Exporter struct {
	// URL is its address, without a path.
	URL string
	// PID is its process.
	PID int
	// ConfigFile is the path of Options.Config.
	ConfigFile string

	cmd    *exec.Cmd
	log    *log
	exited chan error
	client *http.Client
	access Access
}

// Launch starts the exporter and returns when /-/ready answers 200. The caller
// stops it.
func Launch(program string, listenPort int, dir string, opts Options) (*Exporter, error) {
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("the end-to-end tests load programs into the kernel: run them as root")
	}
	e := &Exporter{
		URL:    fmt.Sprintf("http://127.0.0.1:%d", listenPort),
		log:    &log{},
		exited: make(chan error, 1),
		client: &http.Client{Transport: &http.Transport{TLSClientConfig: opts.Access.TLS}},
		access: opts.Access,
	}
	if opts.Access.TLS != nil {
		e.URL = fmt.Sprintf("https://127.0.0.1:%d", listenPort)
	}
	args := append([]string{fmt.Sprintf("--web.listen-address=127.0.0.1:%d", listenPort)}, opts.Args...)
	if opts.Config != "" {
		e.ConfigFile = dir + "/sonde.yml"
		if err := os.WriteFile(e.ConfigFile, []byte(opts.Config), 0o644); err != nil {
			return nil, fmt.Errorf("cannot write the exporter's configuration: %w", err)
		}
		args = append(args, "--config.file="+e.ConfigFile)
	}
	e.cmd = exec.Command(program, args...)
	e.cmd.Env = append(os.Environ(), opts.Env...)
	e.cmd.Stdout, e.cmd.Stderr = e.log, e.log
	e.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := e.cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start the exporter: %w", err)
	}
	e.PID = e.cmd.Process.Pid
	go func(exited chan<- error) { exited <- e.cmd.Wait() }(e.exited)
	if err := e.waitReady(); err != nil {
		_ = e.cmd.Process.Kill()
		return nil, err
	}
	return e, nil
}

// Attach is an exporter that somebody else has started, who also stops it. The
// transport leads there.
func Attach(url string, transport *http.Transport) *Exporter {
	return &Exporter{URL: url, log: &log{}, client: &http.Client{Transport: transport}}
}

// Start is Launch for one test, which stops it and demands a clean end.
func Start(t testing.TB, program string, opts Options) *Exporter {
	t.Helper()
	e, err := Launch(program, servers.FreePort(t), servers.Dir(t), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the exporter said:\n%s", e.Log())
		}
	})
	return e
}

func (e *Exporter) waitReady() error {
	deadline := time.Now().Add(readyTimeout)
	for time.Now().Before(deadline) {
		select {
		case err := <-e.exited:
			e.exited <- err
			return fmt.Errorf("the exporter ended before it was ready (%v); it said:\n%s", err, e.Log())
		case <-time.After(20 * time.Millisecond):
		}
		if resp, err := e.do(http.MethodGet, "/-/ready", ""); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
	}
	return fmt.Errorf("the exporter is not ready after %v; it said:\n%s", readyTimeout, e.Log())
}

// Signal sends a signal to the exporter.
func (e *Exporter) Signal(s syscall.Signal) error { return e.cmd.Process.Signal(s) }

// Stop sends SIGTERM and demands an exit with code 0 within 5 seconds. A second
// Stop does nothing.
func (e *Exporter) Stop() error {
	if e.exited == nil {
		return nil
	}
	exited := e.exited
	e.exited = nil
	_ = e.Signal(syscall.SIGTERM)
	select {
	case err := <-exited:
		if err != nil {
			return fmt.Errorf("the exporter did not end cleanly after SIGTERM: %w; it said:\n%s", err, e.Log())
		}
		return nil
	case <-time.After(stopTimeout):
		_ = e.cmd.Process.Kill()
		err := <-exited
		return fmt.Errorf("the exporter still ran %v after SIGTERM (%w); it said:\n%s", stopTimeout, err, e.Log())
	}
}

// Log is what the exporter has written to standard output and error.
func (e *Exporter) Log() string { return e.log.String() }

// RSS is the memory that the exporter holds, in bytes.
func (e *Exporter) RSS(t testing.TB) int64 {
	t.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", e.PID))
	if err != nil {
		t.Fatalf("cannot tell how much memory the exporter holds: %v", err)
	}
	for line := range strings.Lines(string(content)) {
		var kilobytes int64
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kilobytes); n == 1 {
			return kilobytes * 1024
		}
	}
	t.Fatal("the kernel does not say how much memory the exporter holds")
	return 0
}

// Get fetches a path of the exporter and returns status and body.
func (e *Exporter) Get(t testing.TB, path string) (int, string) {
	t.Helper()
	return e.request(t, http.MethodGet, path)
}

// Post is Get with the method POST.
func (e *Exporter) Post(t testing.TB, path string) (int, string) {
	t.Helper()
	return e.request(t, http.MethodPost, path)
}

func (e *Exporter) request(t testing.TB, method, path string) (int, string) {
	t.Helper()
	resp, err := e.do(method, path, "")
	if err != nil {
		t.Fatalf("the exporter does not answer %s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	return resp.StatusCode, readAll(t, resp.Body)
}

func (e *Exporter) do(method, path, accept string) (*http.Response, error) {
	req, err := http.NewRequest(method, e.URL+path, nil)
	if err != nil {
		return nil, err
	}
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	if e.access.User != "" {
		req.SetBasicAuth(e.access.User, e.access.Password)
	}
	return e.client.Do(req)
}
