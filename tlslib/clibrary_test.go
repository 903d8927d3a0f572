package tlslib

import (
	"maps"
	"os/exec"
	"reflect"
	"runtime"
	"slices"
	"testing"
)

// TestInstalledLibraries compares what is found in real libraries with what
// binutils says about them.
func TestInstalledLibraries(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatalf("there is no node; install the package nodejs: %v", err)
	}
	tests := []struct {
		name, path, version string
		library             Library
	}{
		{"OpenSSL", installed(t, "install libssl3", "/usr/lib/*/libssl.so.3", "/usr/lib64/libssl.so.3"), "3", OpenSSL},
		{"GnuTLS", installed(t, "install libgnutls30", "/usr/lib/*/libgnutls.so.30", "/usr/lib64/libgnutls.so.30"), "30", GnuTLS},
		// Node's own builds have OpenSSL in the executable; those of distributions
		// may use the shared library.
		{"Node", node, "", OpenSSL},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := readelfFunctions(t, test.path)
			for outer, inner := range passing() {
				if len(want[outer]) > 0 && calls(t, test.path, outer, inner) {
					delete(want, outer)
				}
			}
			found := findIn(t, test.path)
			if len(want) == 0 {
				if len(found.Images) > 0 {
					t.Fatalf("found %+v where readelf sees nothing", found)
				}
				return
			}
			image := onlyImage(t, found)
			if image.Library != test.library || image.Version != test.version {
				t.Errorf("found %v %q", image.Library, image.Version)
			}
			checkC(t, image, want)
		})
	}
}

// passing names the functions that may pass through others.
func passing() map[string]string {
	return map[string]string{
		"SSL_connect": "SSL_do_handshake", "SSL_accept": "SSL_do_handshake",
		"SSL_read_ex": "SSL_read", "SSL_write_ex": "SSL_write",
		"gnutls_record_send": "gnutls_record_send2",
	}
}

// checkC compares entries and returns with the offsets of functions.
func checkC(t *testing.T, image Image, want map[string][]uint64) {
	t.Helper()
	if got := places(image, Entry); !reflect.DeepEqual(got, want) {
		t.Errorf("entries are\n%v, want\n%v", got, want)
	}
	returning := maps.Clone(want)
	for _, name := range []string{"SSL_shutdown", "SSL_free", "gnutls_bye", "gnutls_deinit"} {
		delete(returning, name)
	}
	if got := places(image, Return); !reflect.DeepEqual(got, returning) {
		t.Errorf("returns are\n%v, want\n%v", got, returning)
	}
	if got := places(image, Exit); len(got) > 0 {
		t.Errorf("a C function has exits: %v", got)
	}
}

// Functions with a body each, so that none is the same as another.
const (
	readAndWrite = `
		int SSL_read(int *s, void *b, int n) { return *s + n; }
		int SSL_write(int *s, const void *b, int n) { return *s - n; }
	`
	program = `int main(int c, char **v) { return SSL_read(&c, v, 1) + SSL_write(&c, v, 1); }`
)

// TestCompiledLibraries checks what the installed libraries do not have.
func TestCompiledLibraries(t *testing.T) {
	script := write(t, "versions", `OPENSSL_1.0 { global: old_SSL_read; }; OPENSSL_3.0.0 { global: SSL_*; };`)
	shared := []string{"-shared", "-fPIC"}
	library := compile(t, readAndWrite, shared...)
	tests := []struct {
		name, source string
		arguments    []string
		want         []string // The functions that have sites.
	}{
		{"shared", readAndWrite, shared, []string{"SSL_read", "SSL_write"}},
		{"old hash table", readAndWrite, []string{"-shared", "-fPIC", "-Wl,--hash-style=sysv"}, []string{"SSL_read", "SSL_write"}},
		{"executable with symbols", readAndWrite + program, nil, []string{"SSL_read", "SSL_write"}},
		{"fixed addresses", readAndWrite + program, []string{"-no-pie", "-static"}, []string{"SSL_read", "SSL_write"}},
		{
			"alias", readAndWrite + `int _libre_SSL_read(int *s, void *b, int n) __attribute__((alias("SSL_read")));`,
			shared, []string{"SSL_read", "SSL_write"},
		},
		{
			"two versions", readAndWrite + `
				int old_SSL_read(int *s, void *b, int n) { return *s * n; }
				__asm__(".symver old_SSL_read,SSL_read@OPENSSL_1.0");`,
			append(slices.Clone(shared), "-Wl,--version-script="+script), []string{"SSL_read", "SSL_write"},
		},
		{
			"name that ends like it", readAndWrite + `int my_SSL_read(int *s) { return *s + 2; } int SSL_read_early(int *s) { return *s; }`,
			shared, []string{"SSL_read", "SSL_write"},
		},
		{
			"chosen at load time", `
				static int fast(int *s) { return *s; }
				static void *choose(void) { return fast; }
				int SSL_write(int *s) __attribute__((ifunc("choose")));
				int SSL_read(int *s) { return *s + 1; }`,
			shared, []string{"SSL_read"},
		},
		{"imported", `int SSL_read(int *); int f(int *s) { return SSL_read(s); }`, shared, nil},
		{
			// Such a symbol is undefined and has an address all the same.
			"imported, and its address taken", `
				int SSL_read(int *);
				int main(int c, char **v) { int (*volatile f)(int *) = SSL_read; return f(&c); }`,
			[]string{"-no-pie", "-fno-pic", library}, nil,
		},
		{"data", `int SSL_read = 1; int SSL_write(int *s) { return *s; }`, shared, []string{"SSL_write"}},
		{
			"function that cannot be executed", readAndWrite + `
				__asm__(".data; .globl SSL_free; .type SSL_free, %function; SSL_free: .long 1; .size SSL_free, 4; .text");`,
			shared, []string{"SSL_read", "SSL_write"},
		},
		{"no plaintext", `int SSL_free(int *s) { return *s; }`, shared, nil},
		{"imitation in GnuTLS", readAndWrite, append(slices.Clone(shared), "-Wl,-soname,libgnutls-openssl.so.27"), nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := compile(t, test.source, test.arguments...)
			found := findIn(t, path)
			if len(test.want) == 0 {
				if len(found.Images)+len(found.Hidden) > 0 {
					t.Fatalf("found %+v, want nothing", found)
				}
				return
			}
			all := readelfFunctions(t, path)
			want := map[string][]uint64{}
			for _, name := range test.want {
				want[name] = all[name]
			}
			checkC(t, onlyImage(t, found), want)
		})
	}
}

// TestPassingThrough checks which functions need no sites of their own, in all
// ways in which a compiler calls.
func TestPassingThrough(t *testing.T) {
	const source = readAndWrite + `
		int state(int *s) { return *s / 3; }
		int SSL_do_handshake(int *s) { return *s * 5; }
		int SSL_connect(int *s) { if (!*s) state(s); return SSL_do_handshake(s); }
		int SSL_accept(int *s) { return state(s) + 7; }
		int SSL_read_ex(int *s, void *b, int n) { return SSL_read(s, b, n) + 1; }
		int SSL_write_ex(int *s, const void *b, int n) { return state(s) + 8; }
	`
	// What hardened distributions build with: an instruction that marks where
	// indirect calls may lead, in functions and in the stubs between them.
	hardened := []string{"-shared", "-fPIC", "-fno-inline", "-fcf-protection=full", "-Wl,-z,ibtplt"}
	if runtime.GOARCH == "arm64" {
		hardened = []string{"-shared", "-fPIC", "-fno-inline", "-mbranch-protection=standard", "-Wl,-z,force-bti"}
	}
	own := []string{"SSL_accept", "SSL_do_handshake", "SSL_read", "SSL_write", "SSL_write_ex"}
	tests := []struct {
		name      string
		arguments []string
	}{
		{"procedure linkage table", []string{"-shared", "-fPIC", "-fno-inline"}},
		{"bound late", []string{"-shared", "-fPIC", "-fno-inline", "-Wl,-z,lazy"}},
		{"global offset table", []string{"-shared", "-fPIC", "-fno-inline", "-fno-plt"}},
		{"direct", []string{"-shared", "-fPIC", "-fno-inline", "-Wl,-Bsymbolic"}},
		{"hardened", hardened},
		{"tail calls", []string{"-shared", "-fPIC", "-fno-inline", "-foptimize-sibling-calls"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			image := onlyImage(t, findIn(t, compile(t, source, test.arguments...)))
			if got := slices.Sorted(maps.Keys(places(image, Entry))); !slices.Equal(got, own) {
				t.Errorf("functions with sites are %v, want %v", got, own)
			}
		})
	}
	t.Run("inlined", func(t *testing.T) {
		path := compile(t, source, "-shared", "-fPIC", "-O3", "-fvisibility=hidden", "-fno-semantic-interposition")
		image := onlyImage(t, findIn(t, path))
		if got := places(image, Entry); len(got["SSL_connect"]) != 1 || len(got["SSL_read_ex"]) != 1 {
			t.Errorf("SSL_connect or SSL_read_ex has no site though what it called is inlined: %v", got)
		}
	})
}
