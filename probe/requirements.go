package probe

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// initialPIDNamespace is the inode number of the first PID namespace on every
// kernel (PROC_PID_INIT_INO in include/linux/proc_ns.h).
const initialPIDNamespace = "pid:[4026531836]"

const kernelBTF = "/sys/kernel/btf/vmlinux"

type capability struct {
	bit  uint
	name string
	why  string
}

// needed are the capabilities without which nothing works. CAP_SYS_ADMIN stands
// in for the first two, as in the kernel.
var needed = [...]capability{
	{unix.CAP_BPF, "CAP_BPF", "to load programs"},
	{unix.CAP_PERFMON, "CAP_PERFMON", "to attach to tracepoints"},
	{unix.CAP_NET_ADMIN, "CAP_NET_ADMIN", "to attach to the sockets of a cgroup"},
	{unix.CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "to read how services are called"},
	{unix.CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", "to read how services are called"},
}

func neededCapabilities() string {
	names := make([]string, len(needed))
	for i, c := range needed {
		names[i] = c.name
	}
	return strings.Join(names, ", ")
}

// checkRequirements tells in a sentence each what this machine or process lacks.
func checkRequirements(procfs string) error {
	return errors.Join(checkCapabilities(procfs), checkBTF(), checkPIDNamespace(procfs))
}

func checkCapabilities(procfs string) error {
	effective, err := effectiveCapabilities(procfs)
	if err != nil {
		return err
	}
	has := func(bit uint) bool { return effective&(1<<bit) != 0 }
	var missing []string
	for _, c := range needed {
		byAdmin := (c.bit == unix.CAP_BPF || c.bit == unix.CAP_PERFMON) && has(unix.CAP_SYS_ADMIN)
		if !has(c.bit) && !byAdmin {
			missing = append(missing, fmt.Sprintf("%s (%s)", c.name, c.why))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("this process lacks %s; run it as root, or grant them: setcap %s+ep on the binary, or AmbientCapabilities= in its systemd unit",
		strings.Join(missing, ", "), strings.ToLower(strings.ReplaceAll(neededCapabilities(), ", ", ",")))
}

func effectiveCapabilities(procfs string) (uint64, error) {
	path := filepath.Join(procfs, "self", "status")
	file, err := os.Open(path)
	if err != nil {
		return 0, fmt.Errorf("%s cannot be read: %w; check --path.procfs", path, err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if value, found := strings.CutPrefix(lines.Text(), "CapEff:"); found {
			return strconv.ParseUint(strings.TrimSpace(value), 16, 64)
		}
	}
	return 0, fmt.Errorf("%s has no line CapEff; check --path.procfs", path)
}

func checkBTF() error {
	if _, err := os.Stat(kernelBTF); err != nil {
		return fmt.Errorf("this kernel (Linux %s) has no BTF at %s; use one built with CONFIG_DEBUG_INFO_BTF=y, as the kernels of all large distributions are", kernelRelease(), kernelBTF)
	}
	return nil
}

// checkPIDNamespace makes sure that the kernel and Sonde call a process by the
// same number.
func checkPIDNamespace(procfs string) error {
	namespace, err := os.Readlink(filepath.Join(procfs, "self", "ns", "pid"))
	if err != nil || namespace == initialPIDNamespace {
		return nil
	}
	return errors.New("this process runs in a PID namespace of its own and cannot tell which process is which; give its container the host's (docker run --pid=host, hostPID: true)")
}

func kernelRelease() string {
	var name unix.Utsname
	if unix.Uname(&name) != nil {
		return "of unknown version"
	}
	return unix.ByteSliceToString(name.Release[:])
}
