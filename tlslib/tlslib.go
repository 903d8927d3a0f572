// Package tlslib says which TLS library is inside an ELF file, and at which
// offsets of that file uprobes see what the library reads and writes.
//
// It looks at the file alone: at symbol tables, at Go's function table, and at
// the code of the few functions it is about. What it cannot name an offset for,
// but recognises, it tells in words.
package tlslib

import (
	"errors"
	"fmt"
	"io"
)

// ErrNotELF says that a file is no ELF file, as most mapped data is not.
var ErrNotELF = errors.New("the file is not an ELF file")

// Library is a family of TLS libraries with the same functions.
type Library uint8

// The families that uprobes can be attached to.
const (
	// OpenSSL is OpenSSL, and BoringSSL and LibreSSL, which kept its interface.
	OpenSSL Library = iota + 1
	// GnuTLS is libgnutls.
	GnuTLS
	// Go is crypto/tls of Go's standard library.
	Go
)

// Libraries are all families.
func Libraries() []Library { return []Library{OpenSSL, GnuTLS, Go} }

// String is the library's name in small letters, fit for a label.
func (l Library) String() string {
	switch l {
	case OpenSSL:
		return "openssl"
	case GnuTLS:
		return "gnutls"
	case Go:
		return "go"
	}
	return fmt.Sprintf("library(%d)", uint8(l))
}

// Function is what a function of a TLS library does, under one name for all
// libraries.
type Function uint8

// What the functions do. The functions of one library and Function take their
// arguments alike: SSL_read_ex returns its count through a pointer and is
// therefore no Read.
const (
	// Read is SSL_read, gnutls_record_recv or (*Conn).Read.
	Read Function = iota + 1
	// ReadEx is SSL_read_ex.
	ReadEx
	// Write is SSL_write, gnutls_record_send, gnutls_record_send2 (which adds
	// arguments at the end) or (*Conn).Write.
	Write
	// WriteEx is SSL_write_ex.
	WriteEx
	// Handshake is SSL_do_handshake, gnutls_handshake, (*Conn).clientHandshake or
	// serverHandshake; also SSL_connect and SSL_accept where they do not call
	// SSL_do_handshake.
	Handshake
	// Shutdown is SSL_shutdown, gnutls_bye or (*Conn).Close.
	Shutdown
	// Free is SSL_free or gnutls_deinit.
	Free
)

// String is the function's name in small letters, fit for a label.
func (f Function) String() string {
	switch f {
	case Read:
		return "read"
	case ReadEx:
		return "read_ex"
	case Write:
		return "write"
	case WriteEx:
		return "write_ex"
	case Handshake:
		return "handshake"
	case Shutdown:
		return "shutdown"
	case Free:
		return "free"
	}
	return fmt.Sprintf("function(%d)", uint8(f))
}

// Place is where in a function, and with which kind of probe, a Site is.
type Place uint8

// The kinds of places.
const (
	// Entry wants a uprobe on the first instruction. A Go function whose stack
	// has to grow starts over, and then passes its entry twice in one call.
	Entry Place = iota + 1
	// Return wants a uretprobe on the first instruction.
	Return
	// Exit wants a uprobe on a return instruction, with the results still in
	// registers. Go functions have these instead of Return: a uretprobe changes
	// the return address on a stack that Go may move or unwind.
	Exit
)

// String is the place's name in small letters.
func (p Place) String() string {
	switch p {
	case Entry:
		return "entry"
	case Return:
		return "return"
	case Exit:
		return "exit"
	}
	return fmt.Sprintf("place(%d)", uint8(p))
}

// Site is one place for one probe.
type Site struct {
	Function Function
	Place    Place
	// Symbol is the function's name in the file, for messages.
	Symbol string
	// Offset counts bytes from the start of the file, as perf_event_open and
	// uprobe links want it. It is not an address.
	Offset uint64
}

// Image is one TLS library in a file.
type Image struct {
	Library Library
	// Version is what the file cheaply says: Go's version ("go1.26.1"), or what
	// follows ".so." in a shared library's name ("3", "1.1"), or "".
	Version string
	// Sites are in the order of their offsets. No two of one place share one.
	Sites []Site
}

// Hidden is a TLS library that is recognised but cannot be attached to.
type Hidden struct {
	// Library is its name as its makers write it.
	Library string
	// Reason says in words why not, and what would help if anything does.
	Reason string
}

// Found is what a file holds.
type Found struct {
	Images []Image
	Hidden []Hidden
}

// Find looks for TLS libraries in a file of size bytes. A file may hold several,
// for example a Go program with OpenSSL linked in statically. A file without
// any is no error. The error is ErrNotELF, or says what is malformed.
//
// Find reads at most 512 MiB and keeps a small part of that in memory. It
// neither trusts nor executes the file.
func Find(source io.ReaderAt, size int64) (found Found, err error) {
	// debug/elf says of itself that malformed files may make it panic, and any
	// user can map any file.
	defer func() {
		if reason := recover(); reason != nil {
			found, err = Found{}, fmt.Errorf("the ELF file is malformed: %v", reason)
		}
	}()
	file, err := open(source, size)
	if err != nil {
		return Found{}, err
	}
	if found := findBySoname(file); found != nil {
		return *found, nil
	}
	if reason := file.unsupported(); reason != "" {
		return findUnsupported(file, reason)
	}
	return findSupported(file)
}

// findSupported looks into a file whose machine code can be read.
func findSupported(file *image) (Found, error) {
	symbols, err := readSymbols(file)
	if err != nil {
		return Found{}, err
	}
	found := Found{}
	images, err := findC(file, symbols)
	if err != nil {
		return Found{}, err
	}
	found.Images = images
	if file.isGo() {
		goImage, hidden := findGo(file, symbols)
		if goImage != nil {
			found.Images = append(found.Images, *goImage)
		}
		if hidden != nil {
			found.Hidden = append(found.Hidden, *hidden)
		}
	}
	if len(found.Images) > 0 || len(found.Hidden) > 0 {
		return found, nil
	}
	found.Hidden, err = findTraces(file, "")
	return found, err
}
