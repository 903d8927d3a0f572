package probe

import (
	"errors"
	"fmt"
	"time"

	"github.com/cilium/ebpf"

	"sonde_exporter/bpf"
)

// sessionPatience is how long a process may go on to read what had arrived when
// its connection was closed.
const sessionPatience = uint64(time.Minute)

// SweepTLS forgets the sessions and goroutines of processes that are gone, and
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
	var failures []error
	var key bpf.SondeSessionKey
	var session bpf.SondeSession
	var dead []bpf.SondeSession
	for entries := p.objects.Sessions.Iterate(); entries.Next(&key, &session); {
		isOver := session.EndedNs != 0 && session.EndedNs+sessionPatience < now
		// A session whose object is freed waits for its socket under process 0.
		if isOver || (key.Tgid != 0 && !p.lives(key.Tgid)) {
			dead = append(dead, session)
		}
	}
	for i := range dead {
		failures = append(failures, p.forgetSession(&dead[i]))
	}
	return errors.Join(append(failures, p.sweepGoroutines())...)
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
	var dead []bpf.SondeGoroutineKey
	var key bpf.SondeGoroutineKey
	for entries := p.objects.Goroutines.Iterate(); entries.Next(&key, ignored{}); {
		if !p.lives(key.Tgid) {
			dead = append(dead, key)
		}
	}
	var failures []error
	for _, key := range dead {
		failures = append(failures, deleteIfThere(p.objects.Goroutines, key))
	}
	return errors.Join(failures...)
}

// lives tells whether a process of a service has this thread group id.
func (p *Probe) lives(tgid uint32) bool {
	return p.objects.Processes.Lookup(tgid, ignored{}) == nil
}

func deleteIfThere(m *ebpf.Map, key any) error {
	if err := m.Delete(key); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
		return fmt.Errorf("an entry of %s cannot be deleted: %w", m, err)
	}
	return nil
}

// ignored takes a value that nobody looks at.
type ignored struct{}

// UnmarshalBinary implements encoding.BinaryUnmarshaler.
func (ignored) UnmarshalBinary([]byte) error { return nil }
