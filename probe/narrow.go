package probe

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/features"

	"sonde_exporter/bpf"
)

// probedMap is a type of map, and what Sonde keeps in it.
type probedMap struct {
	kind ebpf.MapType
	name string // as in the kernel's documentation
}

// MapTrial is whether a type of map can be made.
type MapTrial struct {
	Name string
	Err  error
}

func triedMaps(try func(probedMap) error) []MapTrial {
	var all []MapTrial
	for _, m := range []probedMap{{ebpf.SkStorage, "socket storage"}, {ebpf.RingBuf, "ring buffer"}} {
		all = append(all, MapTrial{m.name, try(m)})
	}
	return all
}

// narrow finds out which programs and maps are to blame when the whole object is
// refused: it loads each program by itself, without attaching it.
func (p *Probe) narrow(t *Trial) {
	t.Maps = triedMaps(func(m probedMap) error { return features.HaveMapType(m.kind) })
	for _, hook := range p.hooks() {
		t.Hooks = append(t.Hooks, HookTrial{hook.Tap, hook.program, p.loadAlone(hook.program)})
	}
	for _, walk := range p.walks() {
		t.Hooks = append(t.Hooks, HookTrial{walk.Tap, walk.program, p.loadAlone(walk.program)})
	}
	t.TLS = errors.New("the other programs cannot be loaded")
	t.Stats = tryStats()
}

// loadAlone loads one program and the maps that it uses.
func (p *Probe) loadAlone(name string) error {
	spec, err := bpf.LoadSonde()
	if err != nil {
		return err
	}
	if err := p.settings.apply(spec); err != nil {
		return err
	}
	program := spec.Programs[name]
	if program == nil {
		return fmt.Errorf("the embedded BPF object has no program %s", name)
	}
	if err := features.HaveProgramType(program.Type); errors.Is(err, ebpf.ErrNotSupported) {
		return fmt.Errorf("this kernel has no programs of the type %s: %w", program.Type, err)
	}
	spec.Programs = map[string]*ebpf.ProgramSpec{name: program}
	loaded, err := ebpf.NewCollection(spec)
	if err != nil {
		return explainLoad(err)
	}
	loaded.Close()
	return nil
}
