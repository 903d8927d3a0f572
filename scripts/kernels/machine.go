package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"sonde_exporter/scripts/kernels/guest"
)

// Files of a running machine.
const (
	consoleFile = "console"
	outputFile  = "output"
	initrdFile  = "initrd"
)

// consoleTail is how many lines of the console tell why a machine failed.
const consoleTail = 40

// board is how an architecture is emulated.
type board struct {
	qemu    string
	options []string
	console string // the kernel's name of the first serial port
	port    string // the device of the second one, for the tests' output
}

// boardOf returns the board of an architecture. The arm64 one has one serial
// port only, so the second is a PCI card.
func boardOf(arch string) (board, error) {
	switch arch {
	case "amd64":
		return board{
			qemu:    "qemu-system-x86_64",
			options: []string{"-machine", "q35", "-cpu", "max", "-serial", "file:" + consoleFile, "-serial", "file:" + outputFile},
			console: "ttyS0", port: "/dev/ttyS1",
		}, nil
	case "arm64":
		return board{
			qemu: "qemu-system-aarch64",
			// The architecture's own pointer authentication is slow to emulate.
			options: []string{"-machine", "virt", "-cpu", "max,pauth-impdef=on", "-serial", "file:" + consoleFile,
				"-chardev", "file,id=output,path=" + outputFile, "-device", "pci-serial,chardev=output"},
			console: "ttyAMA0", port: "/dev/ttyS0",
		}, nil
	}
	return board{}, fmt.Errorf("no machine is known for %s", arch)
}

// commandLine is the kernel's. Any oops ends the machine; what only takes time in
// an emulation is switched off. The clock is not the TSC: on a busy host the
// kernel mismeasures its rate, and time inside has run more than twice too fast.
func (b board) commandLine() string {
	return "console=" + b.console + " loglevel=5 panic=-1 oops=panic mitigations=off nokaslr random.trust_cpu=on " +
		"rcupdate.rcu_expedited=1 cryptomgr.notests audit=0 no_timer_check tsc=unstable clocksource=hpet 8250.nr_uarts=2"
}

// arguments are QEMU's. With a thread for each processor, the kernel's patching
// of running code crashes the guest. There is neither network nor disk.
func (b board) arguments(image string) []string {
	return append([]string{
		"-accel", "tcg,thread=single", "-smp", "2", "-m", "2G",
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-kernel", image, "-initrd", initrdFile, "-append", b.commandLine(),
	}, b.options...)
}

// boot runs a machine until it ends and returns what the command inside printed
// and its exit status. A machine that fails is an error with the console's end.
func boot(ctx context.Context, b board, image string, initrd []byte) (output string, status int, err error) {
	directory, err := os.MkdirTemp("", "sonde-machine-")
	if err != nil {
		return "", 0, fmt.Errorf("there is no room for a machine's files: %w", err)
	}
	defer func() { _ = os.RemoveAll(directory) }()
	if err := os.WriteFile(filepath.Join(directory, initrdFile), initrd, 0o600); err != nil {
		return "", 0, fmt.Errorf("the machine's file system cannot be written: %w", err)
	}
	command := exec.CommandContext(ctx, b.qemu, b.arguments(image)...)
	command.Dir = directory
	// The machine must not outlive this program. The signal is bound to the thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	ended := runCommand(command)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		ended = errors.New("it did not end in time")
	}
	// Files that QEMU never made are as telling as empty ones.
	printed, _ := os.ReadFile(filepath.Join(directory, outputFile))
	console, _ := os.ReadFile(filepath.Join(directory, consoleFile))
	output, status, complete := cutMarker(strings.ReplaceAll(string(printed), "\r", ""))
	if !complete {
		return output, 0, &machineError{ended, lastLines(string(console), consoleTail)}
	}
	return output, status, nil
}

// machineError is a machine that ended without having run its command to the end.
type machineError struct {
	cause   error // of QEMU; nil if it believes that all was well
	console string
}

func (e *machineError) Error() string {
	if e.cause == nil {
		return "the machine rebooted before the tests ended"
	}
	return "the machine failed: " + e.cause.Error()
}

// cutMarker parts the output from the marker that ends it.
func cutMarker(output string) (before string, status int, found bool) {
	before, after, found := strings.Cut(output, "\n"+guest.EndMarker)
	if !found {
		return output, 0, false
	}
	status, err := strconv.Atoi(strings.TrimSpace(after))
	return before, status, err == nil
}
