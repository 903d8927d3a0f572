package probe

import (
	"fmt"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// Tap is a place where Sonde sees bytes, or learns whose they are.
type Tap struct {
	Name string // wire, tls: bytes; sockets, processes: whose they are
	Hook string // the kernel's name of the hook
}

// Taps lists the hooks that are attached.
func (p *Probe) Taps() []Tap {
	p.tls.mu.Lock()
	defer p.tls.mu.Unlock()
	return append(slices.Clone(p.taps), p.tls.taps()...)
}

// attach puts every program on its hook: first those that tell which socket is
// whose, so that no packet is seen of a socket that could have been known.
func (p *Probe) attach() error {
	root, undo, err := cgroupRoot(p.options.Procfs)
	if err != nil {
		return err
	}
	p.undo = append(p.undo, undo)
	tracepoints := []struct {
		tap, hook string
		program   *ebpf.Program
	}{
		{"processes", "tp_btf/sched_process_fork", p.objects.ProcessFork},
		{"processes", "tp_btf/sched_process_exec", p.objects.ProcessExec},
		{"processes", "tp_btf/sched_process_exit", p.objects.ProcessExit},
		{"sockets", "tp_btf/inet_sock_set_state", p.objects.SocketState},
		{"sockets", "tp_btf/tcp_rcv_space_adjust", p.objects.SocketRead},
	}
	for _, t := range tracepoints {
		l, err := link.AttachTracing(link.TracingOptions{Program: t.program, AttachType: ebpf.AttachTraceRawTp})
		if err := p.keep(l, err, t.tap, t.hook); err != nil {
			return err
		}
	}
	for _, c := range []struct {
		hook    string
		attach  ebpf.AttachType
		program *ebpf.Program
	}{
		{"cgroup_skb/ingress", ebpf.AttachCGroupInetIngress, p.objects.WireIngress},
		{"cgroup_skb/egress", ebpf.AttachCGroupInetEgress, p.objects.WireEgress},
	} {
		l, err := link.AttachCgroup(link.CgroupOptions{Path: root, Attach: c.attach, Program: c.program})
		if err := p.keep(l, err, "wire", c.hook); err != nil {
			return err
		}
	}
	return nil
}

func (p *Probe) keep(l link.Link, err error, tap, hook string) error {
	if err != nil {
		return fmt.Errorf("the program for %s cannot be attached on Linux %s: %w", hook, kernelRelease(), err)
	}
	p.links = append(p.links, l)
	p.taps = append(p.taps, Tap{Name: tap, Hook: hook})
	return nil
}
