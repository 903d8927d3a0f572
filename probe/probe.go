// Package probe loads Sonde's programs into the kernel, attaches them, and is
// the one place that reads and writes their maps.
package probe

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"

	"sonde_exporter/bpf"
)

// Services is the number of instances that can be measured at one time. Number 0
// stands for none.
const Services = 4096

// overflowSeriesPerService is how many series each instance has beyond the limits.
const overflowSeriesPerService = 4

// Options is what the programs need to know before they are loaded.
type Options struct {
	// Bounds are the upper bounds of the slots in nanoseconds, ascending.
	Bounds []uint64
	// SeriesLimit bounds the series in all, overflow series aside.
	SeriesLimit uint32
	// Spans makes room for spans.
	Spans bool
	// Procfs is where /proc is mounted, for the list of mounts and namespaces.
	Procfs string
	// Logger receives what was found and what could not be done.
	Logger *slog.Logger
}

// Probe is the kernel side of Sonde while it runs.
type Probe struct {
	objects  bpf.SondeObjects
	maps     map[string]*ebpf.Map // all of them, those of variables included
	settings settings
	controls controls
	tls      tlsTap

	processRing *ringbuf.Reader
	requestRing *ringbuf.Reader
	spanRing    *ringbuf.Reader
	caughtUp    chan struct{} // a token when processes were flushed

	cgroup  cgroupV2
	links   []link.Link
	taps    []Tap
	options Options
	undo    []func() error
}

// Open loads and attaches all programs. From then on sockets that begin to
// listen or to connect are known; Walk finds those that were open before. The
// error is a sentence that says what the kernel or the process lacks.
func Open(options Options) (*Probe, error) {
	if err := checkRequirements(options.Procfs); err != nil {
		return nil, err
	}
	p := newProbe(options)
	for _, open := range []func() error{p.load, p.openRings, p.fillServices, p.attach} {
		if err := open(); err != nil {
			return nil, errors.Join(err, p.Close())
		}
	}
	return p, nil
}

func newProbe(options Options) *Probe {
	return &Probe{options: options, caughtUp: make(chan struct{}, 1)}
}

// Close detaches all programs and frees their maps.
func (p *Probe) Close() error {
	failures := []error{closeAll(p.links)}
	failures = append(failures, p.closeRings(), p.closeTLS(), p.objects.Close())
	for _, m := range p.maps {
		failures = append(failures, m.Close())
	}
	for _, undo := range p.undo {
		failures = append(failures, undo())
	}
	p.links, p.undo, p.maps = nil, nil, nil
	return errors.Join(failures...)
}

// settings are constants of the programs.
type settings map[string]any

func newSettings(options Options) settings {
	// The search in bpf/series.h subtracts, so every bound must fit in an int64.
	var bounds [256]uint64
	for i := range bounds {
		bounds[i] = math.MaxInt64
		if i < len(options.Bounds) {
			bounds[i] = min(bounds[i], options.Bounds[i])
		}
	}
	return settings{
		bpf.SondeVarSelfTgid:   uint32(os.Getpid()),
		bpf.SondeVarHashSeed:   rand.Uint64(),
		bpf.SondeVarSlotBounds: bounds,
	}
}

// apply sets the constants that an object has.
func (s settings) apply(spec *ebpf.CollectionSpec) error {
	for name, value := range s {
		variable, used := spec.Variables[name]
		if !used {
			continue
		}
		if err := variable.Set(value); err != nil {
			return fmt.Errorf("the BPF setting %s cannot be set: %w", name, err)
		}
	}
	return nil
}

func (p *Probe) load() error {
	spec, err := bpf.LoadSonde()
	if err != nil {
		return fmt.Errorf("the embedded BPF object cannot be read: %w", err)
	}
	p.settings = newSettings(p.options)
	if err := p.settings.apply(spec); err != nil {
		return err
	}
	spec.Maps[bpf.SondeMapSeries].MaxEntries = p.options.SeriesLimit + Services*overflowSeriesPerService
	if p.options.Spans {
		spec.Maps[bpf.SondeMapSpans].MaxEntries = spanRingBytes
	}
	loaded, err := ebpf.NewCollection(spec)
	if err != nil {
		return explainLoad(err)
	}
	defer loaded.Close()
	if p.maps, err = cloneMaps(loaded.Maps); err != nil {
		return err
	}
	if err := loaded.Assign(&p.objects); err != nil {
		return fmt.Errorf("the embedded BPF object is not what its Go side expects: %w", err)
	}
	return p.objects.SeriesLimit.Set(p.options.SeriesLimit)
}

// cloneMaps keeps maps for objects that are loaded later.
func cloneMaps(all map[string]*ebpf.Map) (map[string]*ebpf.Map, error) {
	clones := map[string]*ebpf.Map{}
	for name, m := range all {
		clone, err := m.Clone()
		if err != nil {
			return clones, fmt.Errorf("map %s cannot be shared: %w", name, err)
		}
		clones[name] = clone
	}
	return clones, nil
}

// explainLoad turns the kernel's refusal into a sentence. cilium/ebpf guesses at
// a memory limit for EPERM, which is not what it means since Linux 5.11.
func explainLoad(err error) error {
	var refused *ebpf.VerifierError
	if errors.As(err, &refused) {
		return lacking("use Linux 6.1 or newer with BTF; on such a kernel, please report this",
			"the verifier of Linux %s refuses a program of Sonde: %w", KernelRelease(), refused)
	}
	if errors.Is(err, os.ErrPermission) {
		return lacking("run it as root or with "+neededCapabilities()+", and check that no seccomp filter forbids bpf(2)",
			"the kernel does not let this process load BPF programs")
	}
	return lacking("", "the BPF programs cannot be loaded on Linux %s: %w", KernelRelease(), err)
}

func (p *Probe) fillServices() error {
	for id := uint32(1); id < Services; id++ {
		if err := p.offerService(id); err != nil {
			return err
		}
	}
	return nil
}
