package probe

import (
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"sonde_exporter/bpf"
)

// Tap is a place where Sonde sees bytes, or learns whose they are.
type Tap struct {
	Name string // wire, tls: bytes; sockets, processes: whose they are
	Hook string // the kernel's name of the hook
}

// Names of taps.
const (
	TapWire      = "wire"
	TapSockets   = "sockets"
	TapProcesses = "processes"
	TapTLS       = "tls"
)

// TapMeanings tells what is seen at each tap.
func TapMeanings() map[string]string {
	return map[string]string{
		TapWire:      "the bytes of every TCP connection",
		TapTLS:       "the plaintext inside TLS",
		TapSockets:   "which sockets listen, connect, read and close",
		TapProcesses: "which processes start, become others and end",
	}
}

// Taps lists the hooks that are attached.
func (p *Probe) Taps() []Tap {
	p.tls.mu.Lock()
	defer p.tls.mu.Unlock()
	return append(slices.Clone(p.taps), p.tls.taps()...)
}

// CgroupPath is the cgroup whose sockets are seen.
func (p *Probe) CgroupPath() string { return p.cgroup.path }

// hook is a place in the kernel that a program is put on.
type hook struct {
	Tap
	program string // its name in the object
	attach  func() (link.Link, error)
}

// hooks lists them in the order of attaching: first those that tell which socket
// is whose, so that no packet is seen of a socket that could have been known.
func (p *Probe) hooks() []hook {
	tracepoint := func(tap, name, program string, loaded **ebpf.Program) hook {
		return hook{Tap{tap, name}, program, func() (link.Link, error) {
			return link.AttachTracing(link.TracingOptions{Program: *loaded, AttachType: ebpf.AttachTraceRawTp})
		}}
	}
	cgroup := func(name, program string, attach ebpf.AttachType, loaded **ebpf.Program) hook {
		return hook{Tap{TapWire, name}, program, func() (link.Link, error) {
			return link.AttachCgroup(link.CgroupOptions{Path: p.cgroup.path, Attach: attach, Program: *loaded})
		}}
	}
	o := &p.objects
	return []hook{
		tracepoint(TapProcesses, "tp_btf/sched_process_fork", bpf.SondeProgProcessFork, &o.ProcessFork),
		tracepoint(TapProcesses, "tp_btf/sched_process_exec", bpf.SondeProgProcessExec, &o.ProcessExec),
		tracepoint(TapProcesses, "tp_btf/sched_process_exit", bpf.SondeProgProcessExit, &o.ProcessExit),
		tracepoint(TapSockets, "tp_btf/inet_sock_set_state", bpf.SondeProgSocketState, &o.SocketState),
		tracepoint(TapSockets, "tp_btf/tcp_rcv_space_adjust", bpf.SondeProgSocketRead, &o.SocketRead),
		cgroup("cgroup_skb/ingress", bpf.SondeProgWireIngress, ebpf.AttachCGroupInetIngress, &o.WireIngress),
		cgroup("cgroup_skb/egress", bpf.SondeProgWireEgress, ebpf.AttachCGroupInetEgress, &o.WireEgress),
	}
}

// attach puts every program on its hook.
func (p *Probe) attach() error {
	if err := p.openCgroup(); err != nil {
		return err
	}
	for _, hook := range p.hooks() {
		if err := p.put(hook); err != nil {
			return err
		}
	}
	return nil
}

func (p *Probe) openCgroup() (err error) {
	if p.cgroup, err = findCgroup(p.options.Procfs); err != nil {
		return err
	}
	p.undo = append(p.undo, p.cgroup.unmount)
	p.options.Logger.Debug("cgroup v2 is in use", "path", p.cgroup.path, "mounted_by_sonde", p.cgroup.isOurs)
	return nil
}

// put attaches one program.
func (p *Probe) put(h hook) error {
	l, err := h.attach()
	if err != nil {
		return lacking("", "the program for %s cannot be attached on Linux %s: %w", h.Hook, KernelRelease(), err)
	}
	p.links = append(p.links, l)
	p.taps = append(p.taps, h.Tap)
	p.options.Logger.Debug("program attached", "tap", h.Name, "hook", h.Hook, "program", h.program)
	return nil
}
