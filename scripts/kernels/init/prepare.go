package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// mounts are in the order of their depth.
var mounts = [...]struct{ kind, path string }{
	{"proc", "/proc"},
	{"sysfs", "/sys"},
	{"devtmpfs", "/dev"},
	{"tmpfs", "/dev/shm"},
	{"tmpfs", "/run"},
	{"tmpfs", "/tmp"},
	{"bpf", "/sys/fs/bpf"},
	{"tracefs", "/sys/kernel/tracing"},
	{"securityfs", "/sys/kernel/security"},
	{"cgroup2", "/sys/fs/cgroup"},
}

// prepare makes of a bare kernel what tests expect of a machine.
func prepare(modules []string) error {
	for _, m := range mounts {
		// Directories of sysfs exist already and cannot be made.
		_ = os.MkdirAll(m.path, 0o755)
		if err := unix.Mount(m.kind, m.path, m.kind, 0, ""); err != nil {
			return fmt.Errorf("%s cannot be mounted: %w", m.path, err)
		}
	}
	for _, path := range modules {
		if err := loadModule(path); err != nil {
			return err
		}
	}
	return bringUp("lo")
}

func loadModule(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("module cannot be opened: %w", err)
	}
	defer func() { _ = file.Close() }()
	if err := unix.FinitModule(int(file.Fd()), "", 0); err != nil {
		return fmt.Errorf("module %s cannot be loaded: %w", path, err)
	}
	return nil
}

func bringUp(device string) error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("no socket for %s: %w", device, err)
	}
	defer func() { _ = unix.Close(socket) }()
	request, err := unix.NewIfreq(device)
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request); err != nil {
		return fmt.Errorf("%s cannot be brought up: %w", device, err)
	}
	return nil
}

// openPort opens the serial port for the command's output. In raw mode the
// kernel does not turn each line feed into two characters.
func openPort(path string) (*os.File, error) {
	port, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, fmt.Errorf("the port for output cannot be opened: %w", err)
	}
	mode, err := unix.IoctlGetTermios(int(port.Fd()), unix.TCGETS)
	if err != nil {
		return nil, fmt.Errorf("%s is no serial port: %w", path, err)
	}
	mode.Oflag &^= unix.OPOST
	mode.Lflag &^= unix.ECHO | unix.ICANON | unix.ISIG
	if err := unix.IoctlSetTermios(int(port.Fd()), unix.TCSETS, mode); err != nil {
		return nil, fmt.Errorf("%s cannot be set to raw mode: %w", path, err)
	}
	return port, nil
}
