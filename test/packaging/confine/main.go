// Command confine makes a container as a runtime would, and becomes a program in it.
// It is started in new namespaces already, but for those of the host that the
// container shares.
//
//	confine -root DIR -capabilities BITS [-mount FROM:TO]... PROGRAM ARGUMENTS...
//
// The root holds the program at /usr/bin, a procfs, a sysfs, the container's own
// view of cgroup v2 and what is mounted, all of it read-only.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

func main() {
	root := flag.String("root", "", "empty `directory` to make the root in")
	capabilities := flag.Uint64("capabilities", 0, "`bits` of the capabilities to keep")
	var binds []string
	flag.Func("mount", "`FROM:TO`: a file or directory of the host, and where it is in the container", func(bind string) error {
		binds = append(binds, bind)
		return nil
	})
	flag.Parse()
	// Capabilities belong to a thread, and the one that executes takes its along.
	runtime.LockOSThread()
	err := run(*root, binds, *capabilities, flag.Args())
	fmt.Fprintln(os.Stderr, "confine:", err)
	os.Exit(1)
}

func run(root string, binds []string, capabilities uint64, command []string) error {
	if len(command) == 0 {
		return fmt.Errorf("there is no program to become")
	}
	if err := buildRoot(root, append(binds, command[0]+":/usr/bin/"+filepath.Base(command[0]))); err != nil {
		return err
	}
	if err := enterRoot(root); err != nil {
		return err
	}
	if err := raiseLoopback(); err != nil {
		return fmt.Errorf("the loopback device: %w", err)
	}
	if err := dropCapabilities(capabilities); err != nil {
		return fmt.Errorf("capabilities: %w", err)
	}
	command[0] = "/usr/bin/" + filepath.Base(command[0])
	return unix.Exec(command[0], command, os.Environ())
}

func buildRoot(root string, binds []string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("mounts cannot be made private: %w", err)
	}
	const plain = unix.MS_NOSUID | unix.MS_NODEV
	mounts := []struct {
		from, to, kind string
		flags          uintptr
	}{
		{"tmpfs", "", "tmpfs", plain},
		{"proc", "proc", "proc", plain | unix.MS_NOEXEC},
		{"sysfs", "sys", "sysfs", plain | unix.MS_NOEXEC | unix.MS_RDONLY},
		{"cgroup", "sys/fs/cgroup", "cgroup2", plain | unix.MS_NOEXEC | unix.MS_RDONLY},
	}
	for _, m := range mounts {
		to := filepath.Join(root, m.to)
		if err := os.MkdirAll(to, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m.from, to, m.kind, m.flags, ""); err != nil {
			return fmt.Errorf("%s cannot be mounted: %w", m.from, err)
		}
	}
	for _, bind := range binds {
		from, to, _ := strings.Cut(bind, ":")
		if err := bindReadOnly(from, filepath.Join(root, to)); err != nil {
			return fmt.Errorf("%s cannot be mounted: %w", bind, err)
		}
	}
	return nil
}

func bindReadOnly(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if info.IsDir() {
		err = os.MkdirAll(to, 0o755)
	} else if err = os.MkdirAll(filepath.Dir(to), 0o755); err == nil {
		err = os.WriteFile(to, nil, 0o755)
	}
	if err != nil {
		return err
	}
	if err := unix.Mount(from, to, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return err
	}
	return unix.Mount("", to, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, "")
}

func enterRoot(root string) error {
	if err := os.Chdir(root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("the root cannot be entered: %w", err)
	}
	// The old root now lies on the new one.
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("the host's root cannot be left: %w", err)
	}
	return unix.Mount("", "/", "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, "")
}

func raiseLoopback() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request)
}

// dropCapabilities keeps some, and forbids to ever have others.
func dropCapabilities(keep uint64) error {
	for bit := range uintptr(unix.CAP_LAST_CAP + 1) {
		if keep&(1<<bit) != 0 {
			continue
		}
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, bit, 0, 0, 0); err != nil {
			return err
		}
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	sets := [2]unix.CapUserData{}
	for i := range sets {
		word := uint32(keep >> (32 * i))
		sets[i] = unix.CapUserData{Effective: word, Permitted: word}
	}
	if err := unix.Capset(&header, &sets[0]); err != nil {
		return err
	}
	return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
}
