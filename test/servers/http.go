package servers

import (
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

//go:embed assets
var assets embed.FS

// asset writes a script from this package to a directory of its own and
// returns its path.
func asset(t testing.TB, name string) string {
	t.Helper()
	content, err := assets.ReadFile("assets/" + name)
	if err != nil {
		t.Fatalf("cannot read the script %s: %v", name, err)
	}
	path := filepath.Join(Dir(t), name)
	WriteFile(t, path, string(content))
	return path
}

// PythonApp starts orders.py, a threaded HTTP/1.1 service.
func PythonApp(t testing.TB) *Process {
	t.Helper()
	port := FreePort(t)
	return start(t, "orders.py", port, exec.Command(Tool(t, "python3"), asset(t, "orders.py"), fmt.Sprint(port)))
}

// PythonModule starts python3 -m http.server, which answers in HTTP/1.0 and
// with no thread of its own for each client, serving dir.
func PythonModule(t testing.TB, dir string) *Process {
	t.Helper()
	port := FreePort(t)
	return start(t, "http.server", port, exec.Command(Tool(t, "python3"),
		"-m", "http.server", fmt.Sprint(port), "--bind", "127.0.0.1", "--directory", dir))
}

// Node starts billing.js.
func Node(t testing.TB) *Process {
	t.Helper()
	port := FreePort(t)
	return start(t, "billing.js", port, exec.Command(Tool(t, "node"), asset(t, "billing.js"), fmt.Sprint(port)))
}

// NodeCluster starts cluster.js with two workers; scheduling is "rr" where the
// primary accepts the connections, "none" where the workers do.
func NodeCluster(t testing.TB, scheduling string) *Process {
	t.Helper()
	port := FreePort(t)
	return start(t, "cluster.js", port,
		exec.Command(Tool(t, "node"), asset(t, "cluster.js"), fmt.Sprint(port), scheduling))
}

// NewCommand is a command for a server that a test starts by Launch, with
// additions to the environment.
func NewCommand(path string, env []string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), env...)
	return cmd
}

// Start runs cmd as a server and returns once it listens on port.
func Start(t testing.TB, name string, port int, cmd *exec.Cmd) *Process {
	t.Helper()
	return start(t, name, port, cmd)
}
