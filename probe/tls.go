package probe

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"sonde_exporter/bpf"
	"sonde_exporter/tlslib"
	"sonde_exporter/tlstap"
)

// tlsTap is the kernel side of the TLS tap. It is loaded when the first file is
// attached to, so that a host without TLS does not pay for it.
type tlsTap struct {
	mu       sync.Mutex
	isLoaded bool
	objects  bpf.TlsObjects
	links    []link.Link
	attached uint32 // files
}

// sessionPatience is how long a process may go on to read what had arrived when
// its connection was closed.
const sessionPatience = uint64(time.Minute)

var tlsFunctions = map[tlslib.Function]bpf.SondeTlsFunction{
	tlslib.Read:      bpf.SondeTlsFunctionTLS_READ,
	tlslib.ReadEx:    bpf.SondeTlsFunctionTLS_READ_EX,
	tlslib.Write:     bpf.SondeTlsFunctionTLS_WRITE,
	tlslib.WriteEx:   bpf.SondeTlsFunctionTLS_WRITE_EX,
	tlslib.Handshake: bpf.SondeTlsFunctionTLS_HANDSHAKE,
	tlslib.Shutdown:  bpf.SondeTlsFunctionTLS_SHUTDOWN,
	tlslib.Free:      bpf.SondeTlsFunctionTLS_FREE,
}

var tlsLibraries = map[tlslib.Library]bpf.SondeTlsLibrary{
	tlslib.OpenSSL: bpf.SondeTlsLibraryTLS_OPENSSL,
	tlslib.GnuTLS:  bpf.SondeTlsLibraryTLS_GNUTLS,
	tlslib.Go:      bpf.SondeTlsLibraryTLS_GO,
}

// AttachTLS puts probes on the functions of a TLS library in a file, for every
// process that maps it. Closing the result takes them off again.
func (p *Probe) AttachTLS(path string, image tlslib.Image) (io.Closer, error) {
	p.tls.mu.Lock()
	defer p.tls.mu.Unlock()
	if err := p.loadTLS(); err != nil {
		return nil, err
	}
	file, err := link.OpenExecutable(path)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be opened: %w", path, err)
	}
	attached := &tlsFile{probe: p}
	for _, site := range image.Sites {
		l, err := p.attachSite(file, image.Library, site)
		if err != nil {
			return nil, errors.Join(&tlstap.SymbolError{Symbol: site.Symbol, Err: err}, closeAll(attached.links))
		}
		attached.links = append(attached.links, l)
	}
	if err := p.countTLSFiles(1); err != nil {
		return nil, errors.Join(err, closeAll(attached.links))
	}
	return attached, nil
}

func (p *Probe) attachSite(file *link.Executable, library tlslib.Library, site tlslib.Site) (link.Link, error) {
	options := &link.UprobeOptions{
		Address: site.Offset,
		Cookie:  uint64(tlsFunctions[site.Function]) | uint64(tlsLibraries[library])<<8,
	}
	switch {
	case site.Function == tlslib.Shutdown || site.Function == tlslib.Free:
		return file.Uprobe(site.Symbol, p.tls.objects.TlsEnd, options)
	case site.Place == tlslib.Entry:
		return file.Uprobe(site.Symbol, p.tls.objects.TlsEnter, options)
	case site.Place == tlslib.Return:
		return file.Uretprobe(site.Symbol, p.tls.objects.TlsLeave, options)
	default: // Go is left by its return instructions, where a uprobe is enough
		return file.Uprobe(site.Symbol, p.tls.objects.TlsLeave, options)
	}
}

// countTLSFiles tells the kernel how many files are attached to, and that
// connections which began before now may have been missed in part.
func (p *Probe) countTLSFiles(change int) error {
	now, err := monotonic()
	if err != nil {
		return err
	}
	p.tls.attached += uint32(change)
	failures := []error{p.objects.TlsAttached.Set(p.tls.attached)}
	if change > 0 {
		failures = append(failures, p.objects.TlsAttachedNs.Set(now))
	}
	return errors.Join(failures...)
}

// monotonic is the time of bpf_ktime_get_ns().
func monotonic() (uint64, error) {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return 0, fmt.Errorf("the clock cannot be read: %w", err)
	}
	return uint64(now.Nano()), nil
}

// tlsFile is a file that is attached to.
type tlsFile struct {
	probe *Probe
	links []link.Link
}

// Close implements io.Closer.
func (f *tlsFile) Close() error {
	f.probe.tls.mu.Lock()
	defer f.probe.tls.mu.Unlock()
	return errors.Join(closeAll(f.links), f.probe.countTLSFiles(-1))
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
	if err := spec.LoadAndAssign(&p.tls.objects, &ebpf.CollectionOptions{MapReplacements: shared}); err != nil {
		return explainLoad(err)
	}
	for _, t := range []struct {
		hook    string
		program *ebpf.Program
	}{
		{"tp_btf/tcp_rcv_space_adjust", p.tls.objects.TlsSocketRead},
		{"tp_btf/inet_sock_set_state", p.tls.objects.TlsSocketState},
	} {
		l, err := link.AttachTracing(link.TracingOptions{Program: t.program, AttachType: ebpf.AttachTraceRawTp})
		if err != nil {
			return errors.Join(fmt.Errorf("the program for %s cannot be attached: %w", t.hook, err), p.closeTLS())
		}
		p.tls.links = append(p.tls.links, l)
	}
	p.tls.isLoaded = true
	return nil
}

func (p *Probe) closeTLS() error {
	err := errors.Join(closeAll(p.tls.links), p.tls.objects.Close())
	p.tls.links, p.tls.isLoaded, p.tls.objects = nil, false, bpf.TlsObjects{}
	return err
}

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
		deleteIfThere(p.objects.Sessions, session.Key),
	)
}

func (p *Probe) sweepGoroutines() error {
	var dead []bpf.TlsGoroutineKey
	var key bpf.TlsGoroutineKey
	for entries := p.tls.objects.Goroutines.Iterate(); entries.Next(&key, ignored{}); {
		if !p.lives(key.Tgid) {
			dead = append(dead, key)
		}
	}
	var failures []error
	for _, key := range dead {
		failures = append(failures, deleteIfThere(p.tls.objects.Goroutines, key))
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
