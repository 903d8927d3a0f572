package probe

import (
	"errors"
	"fmt"
	"io"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"sonde_exporter/bpf"
	"sonde_exporter/tlslib"
	"sonde_exporter/tlstap"
)

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

// AttachTLS implements tlstap.Attacher: it puts probes on the functions of a TLS
// library in a file, for every process that maps it. Closing the result takes
// them off again.
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
	for _, group := range p.groupSites(image) {
		links, err := group.attach(file, p.tls.isMulti)
		attached.links = append(attached.links, links...)
		if err != nil {
			return nil, errors.Join(err, closeAll(attached.links))
		}
	}
	if err := p.countTLSFiles(1); err != nil {
		return nil, errors.Join(err, closeAll(attached.links))
	}
	p.options.Logger.Debug("uprobes attached", "library", image.Library, "sites", len(image.Sites),
		"links", len(attached.links), "by", p.tls.way())
	return attached, nil
}

// siteGroup is sites that get the same program in the same way.
type siteGroup struct {
	program  *ebpf.Program
	isReturn bool // uretprobes
	symbols  []string
	offsets  []uint64
	cookies  []uint64
}

// groupSites sorts the sites of an image by what they get.
func (p *Probe) groupSites(image tlslib.Image) []*siteGroup {
	enter := &siteGroup{program: p.tls.objects.TlsEnter}
	leave := &siteGroup{program: p.tls.objects.TlsLeave, isReturn: true}
	// Go is left by its return instructions, where a uprobe is enough.
	exit := &siteGroup{program: p.tls.objects.TlsLeave}
	end := &siteGroup{program: p.tls.objects.TlsEnd}
	for _, site := range image.Sites {
		group := enter
		switch {
		case site.Function == tlslib.Shutdown || site.Function == tlslib.Free:
			group = end
		case site.Place == tlslib.Return:
			group = leave
		case site.Place == tlslib.Exit:
			group = exit
		}
		group.symbols = append(group.symbols, site.Symbol)
		group.offsets = append(group.offsets, site.Offset)
		group.cookies = append(group.cookies, uint64(tlsFunctions[site.Function])|uint64(tlsLibraries[image.Library])<<8)
	}
	// Who leaves must have entered, so the ways out come first.
	return []*siteGroup{end, leave, exit, enter}
}

// attach returns the links that it made, also if there is an error.
func (g *siteGroup) attach(file *link.Executable, isMulti bool) ([]link.Link, error) {
	if len(g.offsets) == 0 {
		return nil, nil
	}
	if isMulti {
		attach := file.UprobeMulti
		if g.isReturn {
			attach = file.UretprobeMulti
		}
		l, err := attach(nil, g.program, &link.UprobeMultiOptions{Addresses: g.offsets, Cookies: g.cookies})
		if err != nil {
			return nil, &tlstap.SymbolError{Symbol: g.symbols[0], Err: err}
		}
		return []link.Link{l}, nil
	}
	attach := file.Uprobe
	if g.isReturn {
		attach = file.Uretprobe
	}
	var links []link.Link
	for i, symbol := range g.symbols {
		l, err := attach(symbol, g.program, &link.UprobeOptions{Address: g.offsets[i], Cookie: g.cookies[i]})
		if err != nil {
			return links, &tlstap.SymbolError{Symbol: symbol, Err: err}
		}
		links = append(links, l)
	}
	return links, nil
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
