package netlab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// threadNetwork names the network namespace of the calling thread.
func threadNetwork() (string, error) {
	return os.Readlink(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()))
}

func TestDoRunsInsideAndComesBack(t *testing.T) {
	lab := newLab(t, Impairment{})
	runtime.LockOSThread() // so that before and after are read on one thread
	defer runtime.UnlockOSThread()

	before, err := threadNetwork()
	if err != nil {
		t.Fatal(err)
	}
	inside := map[string]bool{before: true}
	problem := errors.New("a problem of the function")
	for _, n := range []*Namespace{lab.Client(), lab.Server()} {
		err := n.Do(func() error {
			name, err := threadNetwork()
			inside[name] = true
			return errors.Join(err, problem)
		})
		if !errors.Is(err, problem) {
			t.Errorf("Do returned %v, want the function's error", err)
		}
	}
	if len(inside) != 3 {
		t.Errorf("outside, client and server are not three namespaces: %v", inside)
	}
	if after, err := threadNetwork(); err != nil || after != before {
		t.Errorf("after Do the thread is in %s (%v), before it was in %s", after, err, before)
	}
}

func TestDoComesBackWhenTheFunctionNeverReturns(t *testing.T) {
	lab := newLab(t, Impairment{})
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before, err := threadNetwork()
	if err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = lab.Client().Do(func() error { panic("inside") })
	}()
	if after, err := threadNetwork(); err != nil || after != before {
		t.Errorf("after a panic the thread is in %s (%v), before it was in %s", after, err, before)
	}
}

func TestCommandRunsInside(t *testing.T) {
	lab := newLab(t, Impairment{})
	command := lab.Server().Command(t.Context(), "sh", "-c", `echo $$; readlink /proc/self/ns/net; cat /proc/net/dev; echo "$GREETING"`)
	command.Env = append(os.Environ(), "GREETING=from outside")
	output, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var inside string
	if err := lab.Server().Do(func() (err error) { inside, err = threadNetwork(); return err }); err != nil {
		t.Fatal(err)
	}
	for what, want := range map[string]string{
		"process id":  strconv.Itoa(command.Process.Pid) + "\n",
		"namespace":   inside + "\n",
		"wire":        wireName + ":",
		"environment": "from outside\n",
	} {
		if !strings.Contains(string(output), want) {
			t.Errorf("%s: no %q in the program's output %q", what, want, output)
		}
	}
}

func TestCommandThatDoesNotExist(t *testing.T) {
	lab := newLab(t, Impairment{})
	err := lab.Client().Command(t.Context(), "no-such-program").Run()
	if !errors.Is(err, exec.ErrNotFound) || !strings.Contains(err.Error(), "no-such-program") {
		t.Errorf("error is %v", err)
	}
}

func TestCommandEnds(t *testing.T) {
	for name, end := range map[string]func(*Lab, context.CancelFunc){
		"with its context": func(_ *Lab, cancel context.CancelFunc) { cancel() },
		"with the lab":     func(lab *Lab, _ context.CancelFunc) { _ = lab.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			lab := newLab(t, Impairment{})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			command := lab.Server().Command(ctx, "sleep", "20")
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			end(lab, cancel)
			if err := command.Wait(); !errors.Is(err, context.Canceled) && !killed(err) {
				t.Errorf("the command ended with %v, want it killed", err)
			}
		})
	}
}

func killed(err error) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) && !exit.Exited()
}

func TestNamesAreNotResolved(t *testing.T) {
	lab := newLab(t, Impairment{})
	for _, address := range []string{"localhost:80", "198.18.0.2", "198.18.0.256:80"} {
		if c, err := lab.Client().DialContext(t.Context(), "tcp", address); err == nil {
			t.Errorf("DialContext(%q) succeeded: %v", address, c.Close())
		} else if !strings.HasPrefix(err.Error(), "netlab: ") {
			t.Errorf("DialContext(%q) got as far as the network: %v", address, err)
		}
		if l, err := lab.Server().Listen("tcp", address); err == nil {
			t.Errorf("Listen(%q) succeeded: %v", address, l.Close())
		}
	}
}

func TestLoopbackAndWildcard(t *testing.T) {
	lab := newLab(t, Impairment{})
	listener, err := lab.Server().Listen("tcp", ":8080")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	for _, test := range []struct {
		from    *Namespace
		address string
	}{
		{lab.Server(), "127.0.0.1:8080"},
		{lab.Server(), "[::1]:8080"},
		{lab.Client(), "198.18.0.2:8080"},
		{lab.Client(), "[2001:2::2]:8080"},
	} {
		connection, err := test.from.DialContext(ctx, "tcp", test.address)
		if err != nil {
			t.Error(err)
			continue
		}
		if err := connection.Close(); err != nil {
			t.Error(err)
		}
	}
	// The client's own loopback is another one.
	if c, err := lab.Client().DialContext(ctx, "tcp", "127.0.0.1:8080"); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("dialling 127.0.0.1:8080 in the client's namespace: %v, %v; want it refused", c, err)
	}
}

func TestClosedLabRefuses(t *testing.T) {
	lab := newLab(t, Impairment{})
	if err := lab.Close(); err != nil {
		t.Fatal(err)
	}
	n, start := lab.Client(), time.Now()
	_, dialErr := n.DialContext(t.Context(), "tcp", "198.18.0.2:80")
	_, listenErr := n.Listen("tcp", ":0")
	for what, err := range map[string]error{
		"Do":          n.Do(func() error { return nil }),
		"DialContext": dialErr,
		"Listen":      listenErr,
		"Command":     n.Command(t.Context(), "true").Run(),
	} {
		if !errors.Is(err, errClosed) {
			t.Errorf("%s: error is %v, want %v", what, err, errClosed)
		}
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("refusing took %v", took)
	}
}
