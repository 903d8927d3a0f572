package probe

import (
	"errors"
	"fmt"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/features"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"sonde_exporter/bpf"
)

// tlsTap is the kernel side of the TLS tap. It is loaded when the first file is
// attached to, so that a host without TLS does not pay for it.
type tlsTap struct {
	mu       sync.Mutex
	isLoaded bool
	isMulti  bool // one link may have many probes
	objects  bpf.TlsObjects
	links    []link.Link
	attached uint32 // files
}

// monotonic is the time of bpf_ktime_get_ns().
func monotonic() (uint64, error) {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return 0, fmt.Errorf("the clock cannot be read: %w", err)
	}
	return uint64(now.Nano()), nil
}

func closeAll(links []link.Link) error {
	var failures []error
	for _, l := range links {
		failures = append(failures, l.Close())
	}
	return errors.Join(failures...)
}

// loadTLS loads the object of the TLS tap around the maps of the first one.
func (p *Probe) loadTLS() error {
	if p.tls.isLoaded {
		return nil
	}
	spec, err := bpf.LoadTls()
	if err != nil {
		return fmt.Errorf("the embedded BPF object of the TLS tap cannot be read: %w", err)
	}
	if err := p.settings.apply(spec); err != nil {
		return err
	}
	shared := map[string]*ebpf.Map{}
	for name, m := range p.maps {
		if mine, both := spec.Maps[name]; both {
			mine.MaxEntries = m.MaxEntries()
			shared[name] = m
		}
	}
	whyNot := features.HaveBPFLinkUprobeMulti()
	if p.tls.isMulti = whyNot == nil; p.tls.isMulti {
		for _, program := range []string{bpf.TlsProgTlsEnter, bpf.TlsProgTlsLeave, bpf.TlsProgTlsEnd} {
			spec.Programs[program].AttachType = ebpf.AttachTraceUprobeMulti
		}
	}
	if err := spec.LoadAndAssign(&p.tls.objects, &ebpf.CollectionOptions{MapReplacements: shared}); err != nil {
		return explainLoad(err)
	}
	l, err := link.AttachTracing(link.TracingOptions{Program: p.tls.objects.TlsSocketState, AttachType: ebpf.AttachTraceRawTp})
	if err != nil {
		return errors.Join(fmt.Errorf("the program for tp_btf/inet_sock_set_state cannot be attached: %w", err), p.closeTLS())
	}
	p.tls.links = append(p.tls.links, l)
	p.tls.isLoaded = true
	p.options.Logger.Debug("the TLS tap is loaded", "uprobes_by", p.tls.way())
	if whyNot != nil {
		p.options.Logger.Debug("there are no uprobe_multi links on this kernel", "reason", whyNot)
	}
	return nil
}

// way is how uprobes are attached on this kernel.
func (t *tlsTap) way() string {
	if t.isMulti {
		return "uprobe_multi"
	}
	return "perf_event"
}

// taps lists what is attached besides the functions of libraries.
func (t *tlsTap) taps() []Tap {
	if !t.isLoaded {
		return nil
	}
	taps := []Tap{{TapTLS, "tp_btf/inet_sock_set_state"}}
	if t.attached > 0 {
		taps = append(taps, Tap{TapTLS, "uprobe"})
	}
	return taps
}

func (p *Probe) closeTLS() error {
	err := errors.Join(closeAll(p.tls.links), p.tls.objects.Close())
	p.tls.links, p.tls.isLoaded, p.tls.objects = nil, false, bpf.TlsObjects{}
	return err
}
