// Init is PID 1 of the machines in which kernel tests run: it prepares the guest,
// runs one command with its output on a serial port, and reboots, which ends the
// machine.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"sonde_exporter/scripts/kernels/guest"
)

func main() {
	plan, err := readPlan()
	if err != nil {
		fatal(err)
	}
	if err := prepare(plan.Modules); err != nil {
		fatal(err)
	}
	port, err := openPort(plan.Port)
	if err != nil {
		fatal(err)
	}
	status, err := run(plan, port)
	if err != nil {
		fatal(err)
	}
	_, _ = fmt.Fprintf(port, "\n%s%d\n", guest.EndMarker, status)
	drain(port)
	restart()
}

func readPlan() (*guest.Plan, error) {
	text, err := os.ReadFile(guest.PlanFile)
	if err != nil {
		return nil, fmt.Errorf("the plan of this machine is missing: %w", err)
	}
	var plan guest.Plan
	if err := json.Unmarshal(text, &plan); err != nil {
		return nil, fmt.Errorf("the plan of this machine cannot be read: %w", err)
	}
	return &plan, nil
}

// run starts the command and returns its exit status. It reaps every orphan that
// the command leaves behind, as nobody else can.
func run(plan *guest.Plan, port *os.File) (status int, err error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	command, err := os.StartProcess(plan.Command[0], plan.Command, &os.ProcAttr{
		Dir: filepath.Dir(plan.Command[0]), Env: plan.Env, Files: []*os.File{null, port, port},
	})
	if err != nil {
		return 0, fmt.Errorf("the command cannot be started: %w", err)
	}
	for {
		var state unix.WaitStatus
		pid, err := unix.Wait4(-1, &state, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 0, fmt.Errorf("the command cannot be waited for: %w", err)
		case pid != command.Pid:
		case state.Signaled():
			return 128 + int(state.Signal()), nil
		case state.Exited():
			return state.ExitStatus(), nil
		}
	}
}

// fatal tells the console. Without an end marker the host knows that the machine
// failed, not the command.
func fatal(err error) {
	_, _ = fmt.Fprintln(os.Stderr, "init:", err)
	drain(os.Stderr)
	restart()
}

// drain waits until the port has sent what was written: a reboot drops the rest.
func drain(port *os.File) {
	// TCSBRK with an argument is tcdrain(3).
	_ = unix.IoctlSetInt(int(port.Fd()), unix.TCSBRK, 1)
}

// restart ends QEMU, which runs with -no-reboot.
func restart() {
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
	select {} // PID 1 must not exit: that panics.
}
