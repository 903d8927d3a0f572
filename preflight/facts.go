package preflight

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"

	toolkit "github.com/prometheus/exporter-toolkit/web"

	"sonde_exporter/config"
	"sonde_exporter/probe"
	"sonde_exporter/web"
)

// Facts are what was found on a machine.
type Facts struct {
	Release, Machine string
	BTF              error
	Lockdown         string // the mode in force; empty where the kernel has none
	Unprivileged     string // kernel.unprivileged_bpf_disabled
	Kprobes, Fentry  bool

	Capabilities    []probe.Capability
	CapabilitiesErr error
	PIDNamespace    error
	Procfs          Procfs
	Seccomp         bool   // a filter is in force
	Profile         string // of AppArmor or SELinux

	Trial  probe.Trial
	Memory Memory

	ConfigFile string
	Config     *config.Config // nil if it is not valid
	ConfigErr  error
	WebFile    string
	WebErr     error
	Addresses  []Address
}

// Address is one to listen on, and why that is not possible.
type Address struct {
	Text string
	Err  error
}

// Options say what to look at.
type Options struct {
	Procfs     string
	ConfigFile string
	Config     *config.Config // nil if ConfigErr says why it is not valid
	ConfigErr  error
	Web        *toolkit.FlagConfig
	Probe      probe.Options
}

// Gather looks at the machine and tries the hooks. It leaves nothing behind.
func Gather(o Options) Facts {
	f := Facts{
		Release: probe.KernelRelease(), Machine: runtime.GOARCH,
		BTF:          probe.CheckBTF(probe.KernelBTF),
		Lockdown:     chosen(contentOf("/sys/kernel/security/lockdown")),
		Unprivileged: contentOf(filepath.Join(o.Procfs, "sys/kernel/unprivileged_bpf_disabled")),
		Kprobes:      exists("/sys/bus/event_source/devices/kprobe"),
		Fentry:       probe.HaveFentry(),
		PIDNamespace: probe.CheckPIDNamespace(o.Procfs),
		Procfs:       lookAtProcfs(o.Procfs),
		Seccomp:      hasSeccompFilter(o.Procfs),
		Profile:      contentOf(filepath.Join(o.Procfs, "self/attr/current")),
		Trial:        probe.Try(o.Probe),
		Memory:       lookAtMemory(o.Procfs),
		ConfigFile:   o.ConfigFile, Config: o.Config, ConfigErr: o.ConfigErr,
		WebFile: *o.Web.WebConfigFile, WebErr: web.CheckConfig(o.Web),
	}
	f.Capabilities, f.CapabilitiesErr = probe.Capabilities(o.Procfs)
	for _, address := range web.Addresses(o.Web) {
		f.Addresses = append(f.Addresses, Address{address, web.CheckAddress(address)})
	}
	return f
}

// contentOf is the first line of a small file of the kernel, empty if there is
// none or it may not be read.
func contentOf(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(strings.TrimRight(string(content), "\n\x00"), "\n")
	return line
}

// chosen is the word in brackets, as in "none [integrity] confidentiality".
func chosen(choice string) string {
	_, rest, _ := strings.Cut(choice, "[")
	word, _, _ := strings.Cut(rest, "]")
	return word
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// hasSeccompFilter reads the mode of seccomp(2): 2 is a filter.
func hasSeccompFilter(procfs string) bool {
	content, err := os.ReadFile(filepath.Join(procfs, "self/status"))
	return err == nil && strings.Contains(string(content), "\nSeccomp:\t2\n")
}
