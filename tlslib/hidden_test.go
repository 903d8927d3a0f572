package tlslib

import (
	"bytes"
	"debug/elf"
	"reflect"
	"testing"
)

func TestHiddenSonames(t *testing.T) {
	tests := []struct{ soname, library string }{
		{"libssl3.so", "NSS"},
		{"libnss3.so", ""}, // Loaded for certificates, too.
		{"libjvm.so", "JSSE"},
		{"libmbedtls.so.14", "mbedTLS"},
		{"libmbedcrypto.so.7", ""},
		{"libwolfssl.so.35", "wolfSSL"},
		{"libs2n.so.1.0.0", "s2n-tls"},
		{"libcrypto.so.3", ""},
		{"libc.so.6", ""},
	}
	for _, test := range tests {
		t.Run(test.soname, func(t *testing.T) {
			path := compile(t, "int f(void) { return 1; }", "-shared", "-fPIC", "-Wl,-soname,"+test.soname)
			checkHidden(t, findIn(t, path), test.library)
		})
	}
}

// checkHidden expects one hidden library, or none if its name is "".
func checkHidden(t *testing.T, found Found, library string) {
	t.Helper()
	names := []string{}
	for _, hidden := range found.Hidden {
		names = append(names, hidden.Library)
		if hidden.Reason == "" {
			t.Errorf("%s is hidden for no reason", hidden.Library)
		}
	}
	want := []string{}
	if library != "" {
		want = append(want, library)
	}
	if len(found.Images) > 0 || !reflect.DeepEqual(names, want) {
		t.Errorf("found %+v, want %q hidden", found, library)
	}
}

// TestTraces has texts as they are in real stripped programs.
func TestTraces(t *testing.T) {
	tests := []struct{ name, text, library string }{
		{"rustls", "/root/.cargo/registry/src/index.crates.io-6f17d22bba15001f/rustls-0.23.12/src/client/hs.rs", "rustls"},
		{"rustls, built by Bazel", "external/rules_rust++crate+crates_vendor__rustls-0.23.46/src/verify.rs", "rustls"},
		{"only the glue", "/root/.cargo/registry/src/x/tokio-rustls-0.26.0/src/lib.rs", ""},
		{"BoringSSL", "../../third_party/boringssl/src/ssl/ssl_lib.cc", "BoringSSL"},
		{"OpenSSL", "../deps/openssl/openssl/ssl/ssl_lib.c", "OpenSSL"},
		{"OpenSSL, built in its own tree", "ssl/ssl_lib.c", "OpenSSL"},
		{"libcrypto alone", "OpenSSL 3.0.17 1 Jul 2025", ""},
		{"Go with its names removed", "first record does not look like a TLS handshake", "Go"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := compile(t, `#include <stdio.h>
				int SSL_read(int *s) { puts("`+test.text+`"); return *s; }
				int main(int c, char **v) { return SSL_read(&c); }`)
			if image := onlyImage(t, findIn(t, path)); image.Library != OpenSSL {
				t.Errorf("with symbols: found %v", image.Library)
			}
			run(t, nil, "strip", "-s", path)
			checkHidden(t, findIn(t, path), test.library)
		})
	}
}

func TestUnsupportedMachine(t *testing.T) {
	text := part{name: ".rodata", kind: elf.SHT_PROGBITS, flags: elf.SHF_ALLOC, content: fixed([]byte("x/ssl/ssl_lib.c\x00"))}
	content := makeELF(elf.EM_RISCV, text)
	found, err := Find(bytes.NewReader(content), int64(len(content)))
	want := []Hidden{{"OpenSSL", "it is code for EM_RISCV, and only amd64 and arm64 can be probed"}}
	if err != nil || len(found.Images) > 0 || !reflect.DeepEqual(found.Hidden, want) {
		t.Errorf("found %+v (%v), want %+v", found, err, want)
	}
}
