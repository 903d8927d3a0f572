// Package discovery knows which process is which service: it hears from the
// kernel who listens, asks procfs what that process is, and lets the rules of
// the configuration decide whether it is measured.
package discovery

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"sonde_exporter/config"
	"sonde_exporter/discovery/inspect"
	"sonde_exporter/probe"
)

// announcementsPerSecond is how many operations an instance may announce in a
// second, once it has used up its first ones. More go to its overflow series.
const announcementsPerSecond = 2000

// Kernel is what the registry needs of the kernel side.
type Kernel interface {
	Service(id uint32) (probe.Service, error)
	Decide(id uint32, decision probe.Decision) error
	LimitAnnouncements(id uint32, limit uint64) error
	Rejudge() error
}

// Registry holds the instances. It is safe for concurrent use.
type Registry struct {
	kernel Kernel
	procfs inspect.FS
	logger *slog.Logger

	mu        sync.RWMutex
	rules     config.Discovery
	instances map[uint32]*Instance
	settled   bool // what was there at the start has been found
}

// New returns an empty registry.
func New(kernel Kernel, procfs inspect.FS, rules config.Discovery, logger *slog.Logger) *Registry {
	return &Registry{
		kernel: kernel, procfs: procfs, rules: rules, logger: logger,
		instances: map[uint32]*Instance{},
	}
}

// Instances returns a copy of all instances, those that are gone and not yet
// retired included.
func (r *Registry) Instances() []Instance {
	r.mu.RLock()
	defer r.mu.RUnlock()
	all := make([]Instance, 0, len(r.instances))
	for _, instance := range r.instances {
		all = append(all, *instance)
	}
	slices.SortFunc(all, func(a, b Instance) int { return int(a.ID) - int(b.ID) })
	return all
}

// Instance returns a copy of the instance with this number.
func (r *Registry) Instance(id uint32) (Instance, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	instance, ok := r.instances[id]
	if !ok {
		return Instance{}, false
	}
	return *instance, true
}

// Listens implements probe.ProcessHandler.
func (r *Registry) Listens(event probe.ProcessEvent) {
	if instance, known := r.Instance(event.Service); known && instance.Gone.IsZero() {
		r.update(event.Service, func(i *Instance) { i.addPort(event.Port) })
		return
	}
	process := r.inspect(event)
	r.update(event.Service, func(i *Instance) {
		i.Process = process
		i.Gone = time.Time{}
		i.addPort(event.Port)
	})
}

// Executes implements probe.ProcessHandler: another program, another name.
func (r *Registry) Executes(event probe.ProcessEvent) {
	process := r.inspect(event)
	r.update(event.Service, func(i *Instance) { i.Process = process })
}

// Joins implements probe.ProcessHandler. Where init listened on behalf of a
// service (socket activation), the process that reads says what the service is.
func (r *Registry) Joins(event probe.ProcessEvent) {
	instance, known := r.Instance(event.Service)
	if !known || instance.Process.PID > 1 {
		return
	}
	process := r.inspect(event)
	r.update(event.Service, func(i *Instance) { i.Process = process })
}

// SetRules puts new rules in force for all instances, old and new.
func (r *Registry) SetRules(rules config.Discovery) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rules = rules
	for _, instance := range r.instances {
		r.judge(instance, *instance)
	}
}

// update changes an instance, which it makes if need be, and judges it anew.
func (r *Registry) update(id uint32, change func(*Instance)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	instance, known := r.instances[id]
	if !known {
		instance = &Instance{ID: id, Selected: true, announceLimit: probe.FirstAnnouncements}
		if r.settled {
			instance.Appeared = time.Now()
		}
		r.instances[id] = instance
	}
	was := *instance
	change(instance)
	r.judge(instance, was)
}

// judge applies the rules and tells the kernel if they say otherwise than before.
func (r *Registry) judge(instance *Instance, was Instance) {
	decision := judge(r.rules, instance.Process.Executable, instance.Ports)
	instance.Selected, instance.Reason = decision.selected, decision.reason
	instance.Identity = identify(instance.Process, decision.rule)
	if was.decision() != instance.decision() {
		r.tellKernel(instance, was.Selected != instance.Selected)
	}
	if was.Selected != instance.Selected || was.Identity != instance.Identity {
		r.tell(instance, was.Selected && was.Identity.Name != "")
	}
}

func (r *Registry) tellKernel(instance *Instance, rejudge bool) {
	err := r.kernel.Decide(instance.ID, instance.decision())
	if err == nil && rejudge {
		err = r.kernel.Rejudge()
	}
	if err != nil {
		r.logger.Error("a decision did not reach the kernel", "service", instance.Identity.Name, "err", err)
	}
}

// Sweep is called every second. It lets instances announce operations again,
// marks those whose processes and listeners are gone, and returns those that
// have been gone for longer than the retention. The caller retires these.
func (r *Registry) Sweep(now time.Time, retention time.Duration) []Instance {
	r.mu.Lock()
	defer r.mu.Unlock()
	var expired []Instance
	for _, instance := range r.instances {
		if err := r.refresh(instance, now); err != nil {
			r.logger.Error("an instance cannot be refreshed", "service", instance.Identity.Name, "err", err)
			continue
		}
		if !instance.Gone.IsZero() && now.Sub(instance.Gone) >= retention {
			expired = append(expired, *instance)
		}
	}
	return expired
}

func (r *Registry) refresh(instance *Instance, now time.Time) error {
	service, err := r.kernel.Service(instance.ID)
	if err != nil {
		return err
	}
	lives := service.Processes > 0 || service.Listeners > 0
	if lives {
		instance.Gone = time.Time{}
	} else if instance.Gone.IsZero() {
		instance.Gone = now
	}
	if limit := service.Announced + announcementsPerSecond; limit > instance.announceLimit {
		instance.announceLimit = limit
		return r.kernel.LimitAnnouncements(instance.ID, limit)
	}
	return nil
}

// Remove forgets an instance whose number is about to be used again.
func (r *Registry) Remove(id uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.instances, id)
}

// inspectPatience bounds how long a process may keep procfs waiting: some of its
// files may lie on a file system that the process itself serves.
const inspectPatience = 2 * time.Second

// inspect asks procfs about a process. One that is gone already, or does not let
// itself be read, is known by what the kernel said of it.
func (r *Registry) inspect(event probe.ProcessEvent) inspect.Process {
	type answer struct {
		process inspect.Process
		err     error
	}
	answers := make(chan answer, 1)
	go func() {
		process, err := r.procfs.Process(int(event.Tgid))
		answers <- answer{process, err}
	}()
	err := fmt.Errorf("no answer within %s", inspectPatience)
	select {
	case a := <-answers:
		if a.err == nil {
			return a.process
		}
		err = a.err
	case <-time.After(inspectPatience):
	}
	comm := commOf(event)
	r.logger.Debug("process cannot be inspected", "pid", event.Tgid, "comm", comm, "err", err)
	return inspect.Process{PID: int(event.Tgid), Command: comm}
}

func commOf(event probe.ProcessEvent) string {
	comm := make([]byte, 0, len(event.Comm))
	for _, c := range event.Comm {
		if c == 0 {
			break
		}
		comm = append(comm, byte(c))
	}
	return inspect.Sanitize(string(comm))
}
