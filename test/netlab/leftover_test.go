package netlab

import (
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// expectNothingLeft compares goroutines and file descriptors before and after use.
func expectNothingLeft(t *testing.T, use func()) {
	t.Helper()
	use() // first, so that what the runtime opens once (its poller) is not taken for a leak
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	for range 3 {
		use()
	}
	// A goroutine that has done its work may need a moment to end.
	deadline := time.Now().Add(5 * time.Second)
	for runtime.NumGoroutine() > goroutines && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	if now := runtime.NumGoroutine(); now > goroutines {
		stacks := make([]byte, 1<<16)
		t.Errorf("%d goroutines before, %d after:\n%s", goroutines, now, stacks[:runtime.Stack(stacks, true)])
	}
	if now := openFiles(t); now > files {
		t.Errorf("%d open files before, %d after", files, now)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestCloseLeavesNothing(t *testing.T) {
	expectNothingLeft(t, func() {
		lab, err := New(Impairment{Loss: 0.02, Reorder: 0.5, HoldLimit: time.Hour, Delay: time.Millisecond, PayloadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		connection, accepted := connect(t, lab, lab.Server().IPv4())
		if _, err := connection.Write(make([]byte, 1<<16)); err != nil {
			t.Error(err)
		}
		sleeper := lab.Client().Command(t.Context(), "sleep", "20")
		if err := sleeper.Start(); err != nil {
			t.Error(err)
		}
		for range 2 {
			if err := lab.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := sleeper.Wait(); err == nil {
			t.Error("the program inside was not killed")
		}
		connection.Close()
		accepted.Close()
	})
}

// onThrowawayThread runs fn on a thread that dies afterwards, with whatever fn did
// to it.
func onThrowawayThread(fn func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		fn()
	}()
	<-done
}

func TestNewWithoutPrivilege(t *testing.T) {
	expectNothingLeft(t, func() {
		onThrowawayThread(func() {
			header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
			var none [2]unix.CapUserData // version 3 of the call reads two
			if err := unix.Capset(&header, &none[0]); err != nil {
				t.Error(err)
				return
			}
			expectFailure(t, "needs root (CAP_SYS_ADMIN)")
		})
	})
}

func TestNewWithoutTUN(t *testing.T) {
	expectNothingLeft(t, func() {
		onThrowawayThread(func() {
			if err := hideTUN(); err != nil {
				t.Error(err)
				return
			}
			expectFailure(t, "/dev/net/tun is not there")
		})
	})
}

// hideTUN covers /dev/net with an empty file system, for this thread only.
func hideTUN() error {
	if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS); err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	return unix.Mount("tmpfs", "/dev/net", "tmpfs", 0, "")
}

func expectFailure(t *testing.T, want string) {
	t.Helper()
	lab, err := New(Impairment{})
	if err == nil {
		t.Errorf("New succeeded; closing it gives %v", lab.Close())
	} else if !strings.Contains(err.Error(), want) {
		t.Errorf("error %q does not say %q", err, want)
	}
}

func TestCloseTellsThatTheWireBroke(t *testing.T) {
	lab, err := New(Impairment{})
	if err != nil {
		t.Fatal(err)
	}
	err = lab.Server().Do(func() error {
		wire, err := netlink.LinkByName(wireName)
		if err != nil {
			return err
		}
		return netlink.LinkDel(wire)
	})
	if err != nil {
		t.Error(err)
	}
	time.Sleep(50 * time.Millisecond) // the relay's poller has to see it before Close
	if err := lab.Close(); err == nil || !strings.Contains(err.Error(), "the wire towards the client broke") {
		t.Errorf("Close returned %v", err)
	}
}
