package tlslib

import (
	"cmp"
	"slices"
	"strings"
)

// maxTraces bounds how much of .rodata is searched, which in a browser has some
// forty megabytes.
const maxTraces = 64 << 20

// sonamePrefix recognises a library by the name that it gives itself.
type sonamePrefix struct {
	prefix, library, reason string
}

// hiddenSonames lists libraries that cannot be attached to. Of NSS, libssl3.so
// is the one that speaks TLS: programs load libnss3.so for certificates alone.
func hiddenSonames() []sonamePrefix {
	const noFunctions = "its functions are not those of OpenSSL or GnuTLS, and there are no probes for them"
	return []sonamePrefix{
		{"libssl3.so", "NSS", noFunctions},
		{"libjvm.so", "JSSE", "Java's TLS is bytecode that the virtual machine compiles as it runs: there is no file to attach to"},
		{"libmbedtls.so", "mbedTLS", noFunctions},
		{"libwolfssl.so", "wolfSSL", noFunctions},
		{"libs2n.so", "s2n-tls", noFunctions},
	}
}

// findBySoname knows the libraries whose name says all. It is nil for others.
func findBySoname(file *image) *Found {
	// GnuTLS's imitation of OpenSSL calls libgnutls, where the same bytes are seen.
	if strings.HasPrefix(file.soname, "libgnutls-openssl.so") {
		return &Found{}
	}
	for _, known := range hiddenSonames() {
		if strings.HasPrefix(file.soname, known.prefix) {
			return &Found{Hidden: []Hidden{{known.library, known.reason}}}
		}
	}
	return nil
}

// findUnsupported says what TLS is in a file whose code cannot be probed.
func findUnsupported(file *image, reason string) (Found, error) {
	for _, known := range []sonamePrefix{{"libssl.so", "OpenSSL", reason}, {"libgnutls.so", "GnuTLS", reason}} {
		if strings.HasPrefix(file.soname, known.prefix) {
			return Found{Hidden: []Hidden{{known.library, known.reason}}}, nil
		}
	}
	hidden, err := findTraces(file, reason)
	return Found{Hidden: hidden}, err
}

// trace is a text that only the code of one library refers to.
type trace struct {
	text, library, reason string
}

// traces lists texts that stay in stripped files. Paths of sources are in the
// texts of errors; libcrypto has none of those of libssl.
func traces() []trace {
	const rustls = "rustls is compiled into the file and has no functions to attach to"
	const stripped = " is compiled in and stripped of its symbols; a build with symbols, or with the shared library, can be seen"
	return []trace{
		{"/rustls-0.", "rustls", rustls},
		{"_rustls-0.", "rustls", rustls}, // As Bazel names its directory.
		{"/ssl/ssl_lib.cc", "BoringSSL", "BoringSSL" + stripped},
		{"ssl/ssl_lib.c\x00", "OpenSSL", "OpenSSL or LibreSSL" + stripped},
		{
			"first record does not look like a TLS handshake", "Go",
			"Go's crypto/tls is compiled in, but the file's function table (.gopclntab) does not name it",
		},
	}
}

// findTraces searches the file's texts for libraries that have no symbols. Given
// a reason, it tells that instead of the library's own.
func findTraces(file *image, reason string) ([]Hidden, error) {
	known := traces()
	texts := make([]string, 0, len(known))
	for _, trace := range known {
		texts = append(texts, trace.text)
	}
	part, ok := file.content(file.elf.Section(".rodata"))
	if !ok {
		return nil, nil
	}
	part.size = min(part.size, maxTraces)
	places, err := file.find(part, texts)
	if err != nil {
		return nil, err
	}
	hidden := []Hidden{}
	for _, trace := range known {
		found := Hidden{trace.library, cmp.Or(reason, trace.reason)}
		if _, ok := places[trace.text]; ok && !slices.Contains(hidden, found) {
			hidden = append(hidden, found)
		}
	}
	return hidden, nil
}
