package probe

import (
	"errors"
	"fmt"
	"sync"

	"sonde_exporter/bpf"
)

// FirstAnnouncements is how many operations a new instance may announce at once.
const FirstAnnouncements = 2000

// controls is what user space decides for each instance, as the kernel has it.
type controls struct {
	mu  sync.Mutex
	all [Services]bpf.SondeControl
}

// change hands a decision to the kernel.
func (p *Probe) change(id uint32, change func(*bpf.SondeControl)) error {
	if id >= Services {
		return fmt.Errorf("there is no instance %d", id)
	}
	p.controls.mu.Lock()
	defer p.controls.mu.Unlock()
	changed := p.controls.all[id]
	change(&changed)
	if err := p.objects.Controls.Put(id, changed); err != nil {
		return fmt.Errorf("instance %d cannot be controlled: %w", id, err)
	}
	p.controls.all[id] = changed
	return nil
}

// Decision is what user space decides about an instance.
type Decision struct {
	Excluded bool // it is not measured
	Hops     bool // its requests move between threads, as goroutines do
}

// Decide makes a decision known. Connections take it up when Rejudge is called.
func (p *Probe) Decide(id uint32, decision Decision) error {
	return p.change(id, func(c *bpf.SondeControl) {
		c.Flags = 0
		if decision.Excluded {
			c.Flags |= uint32(bpf.SondeServiceFlagSERVICE_EXCLUDED)
		}
		if decision.Hops {
			c.Flags |= uint32(bpf.SondeServiceFlagSERVICE_HOPS)
		}
	})
}

// LimitAnnouncements sets how many operations an instance may have announced in all.
func (p *Probe) LimitAnnouncements(id uint32, limit uint64) error {
	return p.change(id, func(c *bpf.SondeControl) { c.AnnounceLimit = limit })
}

// FreeService gives the number of an instance back to the kernel, which forgets
// what its ports spoke.
func (p *Probe) FreeService(id uint32) error {
	return errors.Join(p.forgetPorts(id), p.offerService(id))
}

func (p *Probe) offerService(id uint32) error {
	err := p.change(id, func(c *bpf.SondeControl) {
		*c = bpf.SondeControl{AnnounceLimit: FirstAnnouncements}
	})
	if err != nil {
		return err
	}
	if err := p.objects.FreeServices.Put(nil, id); err != nil {
		return fmt.Errorf("instance number %d cannot be given back: %w", id, err)
	}
	return nil
}
