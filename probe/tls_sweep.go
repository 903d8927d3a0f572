package probe

import (
	"errors"
	"time"

	"sonde_exporter/bpf"
)

// sessionPatience is how long a process may go on to read what had arrived when
// its connection was closed.
const sessionPatience = uint64(time.Minute)

// SweepTLS forgets the sessions, goroutines and calls of processes that are gone, and
// sessions whose sockets were closed for so long that nobody will read on. Call
// it every now and then: what ends in order is forgotten by the kernel itself.
func (p *Probe) SweepTLS() error {
	p.tls.mu.Lock()
	defer p.tls.mu.Unlock()
	if !p.tls.isLoaded {
		return nil
	}
	now, err := monotonic()
	if err != nil {
		return err
	}
	var dead []bpf.SondeSession
	failures := []error{eachEntry(p.objects.Sessions, func(key bpf.SondeSessionKey, session bpf.SondeSession) {
		isOver := session.EndedNs != 0 && session.EndedNs+sessionPatience < now
		// A session whose object is freed waits for its socket under process 0.
		if isOver || (key.Tgid != 0 && !p.lives(key.Tgid)) {
			dead = append(dead, session)
		}
	})}
	for i := range dead {
		failures = append(failures, p.forgetSession(&dead[i]))
	}
	return errors.Join(append(failures, p.sweepGoroutines(), p.sweepWriters())...)
}

func (p *Probe) forgetSession(session *bpf.SondeSession) error {
	return errors.Join(
		deleteIfThere(p.objects.TlsSockets, session.Cookie),
		deleteIfThere(p.tls.objects.TlsSpills, session.Key),
		deleteIfThere(p.tls.objects.TlsCarries, session.Key),
		deleteIfThere(p.tls.objects.TlsTraces, session.Key),
		deleteIfThere(p.objects.Sessions, session.Key),
	)
}

func (p *Probe) sweepGoroutines() error {
	return deleteWhere(p.objects.Goroutines, func(key bpf.SondeGoroutineKey, _ ignored) bool { return !p.lives(key.Tgid) })
}

// sweepWriters forgets threads that were killed within a call: others may get their
// numbers.
func (p *Probe) sweepWriters() error {
	return deleteWhere(p.objects.Writers, func(thread uint64, _ ignored) bool { return !p.lives(uint32(thread >> 32)) })
}

// lives tells whether a process of a service has this thread group id.
func (p *Probe) lives(tgid uint32) bool {
	return p.objects.Processes.Lookup(tgid, ignored{}) == nil
}
