package tlstap

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sonde_exporter/tlslib"
)

// inodeLibrary is one library of one file.
type inodeLibrary struct {
	id      fileID
	library tlslib.Library
}

// fakeAttacher remembers the inodes that it is attached to, and asserts that
// none is attached twice.
type fakeAttacher struct {
	t        *testing.T
	attached map[inodeLibrary]bool
	attempts int
	err      error
}

func (f *fakeAttacher) AttachTLS(path string, image tlslib.Image) (io.Closer, error) {
	f.attempts++
	if f.err != nil {
		return nil, f.err
	}
	stat := unix.Stat_t{}
	if err := unix.Stat(path, &stat); err != nil {
		f.t.Errorf("the path for the attacher leads nowhere: %v", err)
	}
	key := inodeLibrary{fileID{stat.Dev, stat.Ino}, image.Library}
	if f.attached[key] {
		f.t.Errorf("inode %d is attached twice", stat.Ino)
	}
	f.attached[key] = true
	return closer(func() error { delete(f.attached, key); return nil }), nil
}

type closer func() error

func (c closer) Close() error { return c() }

// host is a tap with everything around it, worked by hand.
type host struct {
	*Tap
	t        *testing.T
	attacher *fakeAttacher
	// members are the processes of services as the kernel would say.
	members  map[uint32][]uint32
	listings int
	finds    int
	log      *bytes.Buffer
	clock    time.Time
}

func newHost(t *testing.T) *host {
	t.Helper()
	h := &host{
		t: t, attacher: &fakeAttacher{t: t, attached: map[inodeLibrary]bool{}},
		members: map[uint32][]uint32{}, log: &bytes.Buffer{}, clock: time.Now(),
	}
	h.Tap = New(Options{
		Attacher: h.attacher,
		Processes: func(service uint32) []uint32 {
			h.listings++
			return h.members[service]
		},
		NameOf: func(service uint32) string { return "service-" + string(rune('a'+service)) },
		Logger: slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:    func() time.Time { return h.clock },
	})
	h.analyser.find = func(source io.ReaderAt, size int64) (tlslib.Found, error) {
		h.finds++
		return fakeFind(source, size)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil || len(h.attacher.attached) > 0 {
			t.Errorf("after Close %d files are attached, and the error is %v", len(h.attacher.attached), err)
		}
	})
	return h
}

// fakeFind reads files that writeLibrary wrote.
func fakeFind(source io.ReaderAt, size int64) (tlslib.Found, error) {
	content := make([]byte, min(size, 100))
	if _, err := source.ReadAt(content, 0); err != nil && !errors.Is(err, io.EOF) {
		return tlslib.Found{}, err
	}
	name, isLibrary := strings.CutPrefix(string(content), "a TLS library: ")
	if !isLibrary {
		return tlslib.Found{}, tlslib.ErrNotELF
	}
	found := tlslib.Found{}
	for _, name := range strings.Fields(name) {
		switch name {
		case "openssl":
			found.Images = append(found.Images, tlslib.Image{Library: tlslib.OpenSSL, Version: "3", Sites: []tlslib.Site{{Symbol: "SSL_read"}}})
		case "gnutls":
			found.Images = append(found.Images, tlslib.Image{Library: tlslib.GnuTLS, Version: "30"})
		default:
			found.Hidden = append(found.Hidden, tlslib.Hidden{Library: name, Reason: "it is not known how"})
		}
	}
	return found, nil
}

// writeLibrary writes a file that fakeFind takes for TLS libraries.
func writeLibrary(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte("a TLS library: "+content), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// library writes a library to a directory of its own.
func library(t *testing.T, content string) string {
	t.Helper()
	return writeLibrary(t, filepath.Join(t.TempDir(), "libfake.so"), content)
}

// settle lets the worker do all that was requested.
func (h *host) settle() { h.work(context.Background(), h.answer) }

// later sweeps after a while.
func (h *host) later(after time.Duration) {
	h.clock = h.clock.Add(after)
	h.work(context.Background(), h.Tap.sweep)
}

func (h *host) speaks(service, pid uint32) {
	h.Spoken(service, pid)
	h.settle()
}

// wantFiles compares all that is attached: "library path processes services".
func (h *host) wantFiles(want ...File) {
	h.t.Helper()
	got := h.Files()
	if len(got) != len(h.attacher.attached) && len(want) == len(got) {
		h.t.Errorf("%d files are reported, %d inodes are attached", len(got), len(h.attacher.attached))
	}
	if !slices.EqualFunc(got, want, func(a, b File) bool {
		return a.Path == b.Path && a.Library == b.Library && a.Version == b.Version &&
			a.Processes == b.Processes && slices.Equal(a.Services, b.Services)
	}) {
		h.t.Errorf("attached are %+v, want %+v", got, want)
	}
}

func openssl(path string, processes int, services ...uint32) File {
	return File{Path: path, Library: tlslib.OpenSSL, Version: "3", Processes: processes, Services: services}
}

// wantHidden compares the names and a part of the reasons, in order.
func (h *host) wantHidden(service uint32, want ...tlslib.Hidden) {
	h.t.Helper()
	got := h.Hidden(service)
	if !slices.EqualFunc(got, want, func(a, b tlslib.Hidden) bool {
		return a.Library == b.Library && strings.Contains(a.Reason, b.Reason)
	}) {
		h.t.Errorf("hidden of service %d is %+v, want %+v", service, got, want)
	}
}

// wantLogged counts lines of the log that contain all of the parts.
func (h *host) wantLogged(times int, parts ...string) {
	h.t.Helper()
	got := 0
	for line := range strings.Lines(h.log.String()) {
		if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(line, part) }) {
			got++
		}
	}
	if got != times {
		h.t.Errorf("%d lines of the log contain %q, want %d. The log:\n%s", got, parts, times, h.log)
	}
}

// needRoot leaves a test to "make test", which runs as root.
func needRoot(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs root: mount namespaces, and /proc/PID/map_files of other processes")
	}
}
