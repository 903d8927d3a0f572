package probe

import (
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"sonde_exporter/bpf"
	"sonde_exporter/tlslib"
)

// Trial is what came of doing all that Sonde does to the kernel, and undoing it.
type Trial struct {
	// Load says why the programs cannot be loaded together; nil if they can.
	Load error
	// Hooks are those of all taps except TLS, in the order of attaching, then the
	// walks over what is open already.
	Hooks []HookTrial
	// Maps are the types of maps that an old or a lean kernel may lack.
	Maps []MapTrial
	// Cgroup is the root of cgroup v2, CgroupErr why there is none.
	Cgroup       string
	CgroupIsOurs bool // mounted for the trial
	CgroupErr    error
	// TLS says why uprobes cannot be attached; UprobeMulti, in which way they are.
	TLS         error
	UprobeMulti bool
	// Stats says why the kernel does not measure the time of programs.
	Stats error
	// Memory is that of the maps.
	Memory MapMemory
	// Neighbours are other Sondes that are attached; NeighboursErr says why they
	// cannot be counted.
	Neighbours    int
	NeighboursErr error
	// Undo says what could not be detached.
	Undo error
}

// HookTrial is one hook.
type HookTrial struct {
	Tap
	Program string
	Err     error // nil if the program was attached
}

// Try loads and attaches everything, and takes it off again. It changes nothing
// that outlives it, and never fails as a whole: what does not work is in the Trial.
func Try(options Options) (t Trial) {
	p := newProbe(options)
	defer func() { t.Undo = p.Close() }()
	if t.CgroupErr = p.openCgroup(); t.CgroupErr == nil {
		t.Cgroup, t.CgroupIsOurs = p.cgroup.path, p.cgroup.isOurs
		t.Neighbours, t.NeighboursErr = neighbours(p.cgroup.path)
	}
	if t.Load = p.load(); t.Load != nil {
		p.narrow(&t)
		return t
	}
	t.Memory = p.mapMemory()
	t.Maps = triedMaps(func(probedMap) error { return nil })
	for _, hook := range p.hooks() {
		t.Hooks = append(t.Hooks, HookTrial{hook.Tap, hook.program, p.tryHook(hook, t.CgroupErr)})
	}
	for _, walk := range p.walks() {
		t.Hooks = append(t.Hooks, HookTrial{walk.Tap, walk.program, walk.run()})
	}
	t.TLS = p.tryTLS()
	t.UprobeMulti = p.tls.isMulti
	t.Stats = tryStats()
	return t
}

func (p *Probe) tryHook(hook hook, cgroupErr error) error {
	if hook.Name == TapWire && cgroupErr != nil {
		return errors.New("there is no cgroup v2 to attach to")
	}
	return p.put(hook)
}

// walkTrial is a walk over what was open before.
type walkTrial struct {
	Tap
	program string
	run     func() error
}

func (p *Probe) walks() []walkTrial {
	o := &p.objects
	return []walkTrial{
		{Tap{TapSockets, "iter/task_file"}, bpf.SondeProgExistingListeners, func() error { return walk(o.ExistingListeners) }},
		{Tap{TapSockets, "iter/task_file"}, bpf.SondeProgExistingConnections, func() error { return walk(o.ExistingConnections) }},
	}
}

// ownExecutable is a file with a TLS library whose functions nobody calls while
// the trial lasts: Sonde itself.
const ownExecutable = "/proc/self/exe"

// tryTLS puts one uprobe on Sonde's own crypto/tls.
func (p *Probe) tryTLS() error {
	file, err := os.Open(ownExecutable)
	if err != nil {
		return fmt.Errorf("Sonde's own file, on which uprobes are tried, cannot be opened: %w", err)
	}
	defer file.Close()
	about, err := file.Stat()
	if err != nil {
		return fmt.Errorf("Sonde's own file, on which uprobes are tried, cannot be read: %w", err)
	}
	found, err := tlslib.Find(file, about.Size())
	if err != nil || len(found.Images) == 0 || len(found.Images[0].Sites) == 0 {
		return errors.Join(errors.New("uprobes cannot be tried: Sonde's own TLS library is not found"), err)
	}
	image := found.Images[0]
	image.Sites = image.Sites[:1]
	attached, err := p.AttachTLS(ownExecutable, image)
	if err != nil {
		return err
	}
	return attached.Close()
}

func tryStats() error {
	stats, err := EnableStats()
	if err != nil {
		return err
	}
	return stats.Close()
}

// neighbours counts the Sondes that are attached to the cgroup. To ask for the
// names of programs takes CAP_SYS_ADMIN.
func neighbours(cgroup string) (count int, err error) {
	directory, err := os.Open(cgroup)
	if err != nil {
		return 0, err
	}
	defer directory.Close()
	attached, err := link.QueryPrograms(link.QueryOptions{Target: int(directory.Fd()), Attach: ebpf.AttachCGroupInetIngress})
	if err != nil {
		return 0, err
	}
	for _, program := range attached.Programs {
		name, err := nameOfProgram(program.ID)
		switch {
		case errors.Is(err, os.ErrNotExist): // It has just been detached.
		case err != nil:
			return count, err
		case name == bpf.SondeProgWireIngress:
			count++
		}
	}
	return count, nil
}

func nameOfProgram(id ebpf.ProgramID) (string, error) {
	program, err := ebpf.NewProgramFromID(id)
	if err != nil {
		return "", err
	}
	defer program.Close()
	info, err := program.Info()
	if err != nil {
		return "", err
	}
	return info.Name, nil
}
