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

// KernelBTF is where the kernel shows its own types.
const KernelBTF = "/sys/kernel/btf/vmlinux"

// Capability is one without which nothing works.
type Capability struct {
	Name string
	Why  string
	Has  bool // in effect, by itself or because CAP_SYS_ADMIN stands in
	// ByAdmin says that CAP_SYS_ADMIN stands in for it.
	ByAdmin bool

	bit uint
}

// CapabilityRemedy says how to get capabilities that are missing.
const CapabilityRemedy = "run it as root, or grant them: " +
	"setcap cap_bpf,cap_perfmon,cap_net_admin,cap_sys_ptrace,cap_dac_read_search+ep on the binary, " +
	"or AmbientCapabilities= in its systemd unit"

// needed are the capabilities of a process that has none.
func needed() []Capability {
	return []Capability{
		{Name: "CAP_BPF", Why: "to load programs", bit: unix.CAP_BPF},
		{Name: "CAP_PERFMON", Why: "to attach to tracepoints", bit: unix.CAP_PERFMON},
		{Name: "CAP_NET_ADMIN", Why: "to attach to the sockets of a cgroup", bit: unix.CAP_NET_ADMIN},
		{Name: "CAP_SYS_PTRACE", Why: "to read how services are called", bit: unix.CAP_SYS_PTRACE},
		{Name: "CAP_DAC_READ_SEARCH", Why: "to read how services are called", bit: unix.CAP_DAC_READ_SEARCH},
	}
}

func neededCapabilities() string {
	var names []string
	for _, c := range needed() {
		names = append(names, c.Name)
	}
	return strings.Join(names, ", ")
}

// Capabilities tells which of those that are needed this process has.
func Capabilities(procfs string) ([]Capability, error) {
	effective, err := effectiveCapabilities(procfs)
	if err != nil {
		return nil, err
	}
	has := func(bit uint) bool { return effective&(1<<bit) != 0 }
	all := needed()
	for i := range all {
		c := &all[i]
		// CAP_SYS_ADMIN stands in for these two, as in the kernel.
		c.ByAdmin = !has(c.bit) && (c.bit == unix.CAP_BPF || c.bit == unix.CAP_PERFMON) && has(unix.CAP_SYS_ADMIN)
		c.Has = has(c.bit) || c.ByAdmin
	}
	return all, nil
}

// checkRequirements tells in a sentence each what this machine or process lacks.
func checkRequirements(procfs string) error {
	return errors.Join(checkCapabilities(procfs), CheckBTF(KernelBTF), CheckPIDNamespace(procfs))
}

func checkCapabilities(procfs string) error {
	all, err := Capabilities(procfs)
	if err != nil {
		return err
	}
	var missing []string
	for _, c := range all {
		if !c.Has {
			missing = append(missing, fmt.Sprintf("%s (%s)", c.Name, c.Why))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return lacking(CapabilityRemedy, "this process lacks %s", strings.Join(missing, ", "))
}

const procfsRemedy = "check --path.procfs"

func effectiveCapabilities(procfs string) (uint64, error) {
	path := filepath.Join(procfs, "self", "status")
	file, err := os.Open(path)
	if err != nil {
		return 0, lacking(procfsRemedy, "%s cannot be read: %w", path, err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if value, found := strings.CutPrefix(lines.Text(), "CapEff:"); found {
			return strconv.ParseUint(strings.TrimSpace(value), 16, 64)
		}
	}
	return 0, lacking(procfsRemedy, "%s has no line CapEff", path)
}

// CheckBTF makes sure that the kernel shows its types at path.
func CheckBTF(path string) error {
	if _, err := os.Stat(path); err != nil {
		return lacking("use one built with CONFIG_DEBUG_INFO_BTF=y, as the kernels of all large distributions are",
			"this kernel (Linux %s) has no BTF at %s", KernelRelease(), path)
	}
	return nil
}

// CheckPIDNamespace makes sure that the kernel and Sonde call a process by the
// same number.
func CheckPIDNamespace(procfs string) error {
	namespace, err := os.Readlink(filepath.Join(procfs, "self", "ns", "pid"))
	if err != nil || namespace == initialPIDNamespace {
		return nil
	}
	return lacking("give its container the host's (docker run --pid=host, hostPID: true)",
		"this process runs in a PID namespace of its own and cannot tell which process is which")
}

// KernelRelease is what uname -r prints.
func KernelRelease() string {
	var name unix.Utsname
	if unix.Uname(&name) != nil {
		return "of unknown version"
	}
	return unix.ByteSliceToString(name.Release[:])
}
