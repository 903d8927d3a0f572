package tlslib

import (
	"cmp"
	"debug/elf"
	"slices"
	"strings"
)

// cFunction is a function of a library in C.
type cFunction struct {
	name     string
	function Function
	// returns says that its end matters, too.
	returns bool
	// through names a function that has the same purpose, and that this one
	// calls in some versions of the library. It then needs no probes of its own,
	// and must have none, because bytes would be seen twice.
	through string
}

// cLibrary is a library in C.
type cLibrary struct {
	library   Library
	functions []cFunction
}

// cLibraries lists what to attach to.
//
// SSL_connect and SSL_accept call SSL_do_handshake in OpenSSL and BoringSSL, not
// in LibreSSL. SSL_read_ex and SSL_write_ex call SSL_read and SSL_write in
// LibreSSL, not in OpenSSL. gnutls_record_send calls gnutls_record_send2 since
// GnuTLS 3.6.3.
func cLibraries() []cLibrary {
	return []cLibrary{
		{OpenSSL, []cFunction{
			{name: "SSL_read", function: Read, returns: true},
			{name: "SSL_read_ex", function: ReadEx, returns: true, through: "SSL_read"},
			{name: "SSL_write", function: Write, returns: true},
			{name: "SSL_write_ex", function: WriteEx, returns: true, through: "SSL_write"},
			{name: "SSL_do_handshake", function: Handshake, returns: true},
			{name: "SSL_connect", function: Handshake, returns: true, through: "SSL_do_handshake"},
			{name: "SSL_accept", function: Handshake, returns: true, through: "SSL_do_handshake"},
			{name: "SSL_shutdown", function: Shutdown},
			{name: "SSL_free", function: Free},
		}},
		{GnuTLS, []cFunction{
			{name: "gnutls_record_recv", function: Read, returns: true},
			{name: "gnutls_record_send", function: Write, returns: true, through: "gnutls_record_send2"},
			{name: "gnutls_record_send2", function: Write, returns: true},
			{name: "gnutls_handshake", function: Handshake, returns: true},
			{name: "gnutls_bye", function: Shutdown},
			{name: "gnutls_deinit", function: Free},
		}},
	}
}

// wantedNames is the set of all names to look up in symbol tables.
func wantedNames() map[string]bool {
	wanted := map[string]bool{}
	for _, library := range cLibraries() {
		for _, function := range library.functions {
			wanted[function.name] = true
		}
	}
	for _, function := range goFunctions() {
		wanted[function.name] = true
	}
	return wanted
}

// findC finds the libraries in C by the functions that a file defines.
func findC(file *image, symbols symbolTable) ([]Image, error) {
	calls := callFinder{file: file, symbols: symbols}
	images := []Image{}
	for _, library := range cLibraries() {
		sites := sites{}
		for _, function := range library.functions {
			for _, symbol := range symbols[function.name] {
				passes, err := calls.passesThrough(symbol, function.through)
				if err != nil {
					return nil, err
				}
				code, ok := file.mapped(symbol.address, elf.PF_X)
				if !ok || passes {
					continue
				}
				sites.add(Site{function.function, Entry, function.name, code.offset})
				if function.returns {
					sites.add(Site{function.function, Return, function.name, code.offset})
				}
			}
		}
		if sites.carryData() {
			images = append(images, Image{library.library, file.sonameVersion(), sites.sorted()})
		}
	}
	return images, nil
}

// sonameVersion is what follows ".so." in the name of a shared library.
func (f *image) sonameVersion() string {
	_, version, _ := strings.Cut(f.soname, ".so.")
	return strings.ToValidUTF8(version, "\uFFFD")
}

// sites collects places to attach to.
type sites []Site

// add leaves out what is there already: a second probe on one instruction would
// see every call twice. Functions share an address if a linker found their code
// to be the same.
func (s *sites) add(site Site) {
	for _, known := range *s {
		if known.Place == site.Place && known.Offset == site.Offset {
			return
		}
	}
	*s = append(*s, site)
}

// carryData says whether plaintext can be seen, without which the rest is of no
// use.
func (s sites) carryData() bool {
	return slices.ContainsFunc(s, func(site Site) bool {
		switch site.Function {
		case Read, ReadEx, Write, WriteEx:
			return true
		}
		return false
	})
}

func (s sites) sorted() []Site {
	slices.SortFunc(s, func(a, b Site) int {
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Place, b.Place))
	})
	return s
}
