package tlstap

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sonde_exporter/tlslib"
)

// startIn runs a child in a mount namespace of its own, prepared by a shell script
// whose first argument is a directory.
func startIn(t *testing.T, directory, script string) *child {
	t.Helper()
	return start(t, "unshare", "--mount", "sh", "-ec", script+"\nexec \"$2\"", "sh", directory, testBinary(t))
}

func TestDeletedFile(t *testing.T) {
	needRoot(t)
	h := newHost(t)
	path := library(t, "openssl")
	process := start(t).maps(path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	h.speaks(a, process.pid)
	h.wantFiles(openssl(path, 1, a))

	// Another file of that name is another file.
	writeLibrary(t, path, "openssl")
	h.speaks(b, start(t).maps(path).pid)
	h.wantFiles(openssl(path, 1, a), openssl(path, 1, b))
}

func TestFileInAnotherMountNamespace(t *testing.T) {
	needRoot(t)
	h := newHost(t)
	directory := t.TempDir()
	process := startIn(t, directory, `
		mount -t tmpfs none "$1"
		printf 'a TLS library: openssl' >"$1/libinside.so"`)
	path := filepath.Join(directory, "libinside.so")
	h.speaks(a, process.maps(path).pid)
	h.wantFiles(openssl(path, 1, a))
	if _, err := os.Stat(path); err == nil {
		t.Fatal("the file can be seen from outside of its namespace: this test proves nothing")
	}
}

// TestImageLayerOfTwoContainers: uprobes through both overlays would belong to one
// inode, and every call would be seen twice.
func TestImageLayerOfTwoContainers(t *testing.T) {
	needRoot(t)
	h := newHost(t)
	directory := t.TempDir()
	for _, name := range []string{"lower", "one", "two", "three"} {
		if err := os.Mkdir(filepath.Join(directory, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	writeLibrary(t, filepath.Join(directory, "lower", "libimage.so"), "openssl")
	container := func(name, then string) *child {
		t.Helper()
		return startIn(t, filepath.Join(directory, name), `
			mount -t tmpfs none "$1"
			mkdir "$1/upper" "$1/work" "$1/root"
			mount -t overlay none -o "lowerdir=$1/../lower,upperdir=$1/upper,workdir=$1/work" "$1/root"
			`+then)
	}
	inside := func(name string) string { return filepath.Join(directory, name, "root", "libimage.so") }
	one := container("one", "").maps(inside("one"))
	two := container("two", "").maps(inside("two"))
	h.speaks(a, one.pid)
	h.speaks(b, two.pid)
	h.wantFiles(openssl(inside("one"), 2, a, b))

	// A container that changed the file has a copy in its own layer.
	three := container("three", `chmod 0700 "$1/root/libimage.so"`).maps(inside("three"))
	h.speaks(b, three.pid)
	h.wantFiles(openssl(inside("one"), 2, a, b), openssl(inside("three"), 1, b))

	one.stop()
	three.stop()
	h.later(sweepInterval)
	h.wantFiles(openssl(inside("one"), 1, b)) // By its first name.
	two.stop()
	h.later(sweepInterval)
	h.wantFiles()
	if len(h.attachments.files) > 0 {
		t.Errorf("%d names of files are remembered when all are gone", len(h.attachments.files))
	}
}

func TestSameBelow(t *testing.T) {
	base := fingerprint{overlay: true, inode: 7, size: 100, modified: unix.Timespec{Sec: 5}, changed: unix.Timespec{Sec: 6, Nsec: 1}}
	cases := []struct {
		name   string
		change func(*fingerprint)
		want   bool
	}{
		{"two containers", func(*fingerprint) {}, true},
		{"a container and the host", func(f *fingerprint) { f.overlay = false }, true},
		{"another file of the image", func(f *fingerprint) { f.inode = 8 }, false},
		{"a copy in the upper layer", func(f *fingerprint) { f.changed.Nsec = 2 }, false},
		{"another size", func(f *fingerprint) { f.size = 101 }, false},
		{"another date", func(f *fingerprint) { f.modified.Sec = 4 }, false},
	}
	for _, c := range cases {
		other := base
		c.change(&other)
		if got := base.sameBelow(other); got != c.want {
			t.Errorf("%s: sameBelow is %v, want %v", c.name, got, c.want)
		}
	}
	base.overlay = false
	if base.sameBelow(base) {
		t.Error("two ids outside of overlayfs are one file, want two")
	}
}

// fakeProcess is a process in a procfs that a test writes, without map_files, as
// for one who may not use these.
func fakeProcess(t *testing.T, maps string) (procfs, uint32, string) {
	t.Helper()
	const pid = 42
	directory := t.TempDir()
	root := filepath.Join(directory, "42", "root")
	if err := os.MkdirAll(root, 0o755); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		"stat": "42 (evil) R) S 1 42 42 0 -1 4194560 100 0 0 0 0 0 0 0 20 0 1 0 12345 0 0",
		"maps": maps,
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(directory, "42", name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return procfs(directory), pid, root
}

func TestHostileNames(t *testing.T) {
	fake, pid, root := fakeProcess(t, "")
	secret := writeLibrary(t, filepath.Join(t.TempDir(), "secret"), "openssl")
	writeLibrary(t, filepath.Join(root, "libssl.so"), "openssl")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(unix.Mkfifo(filepath.Join(root, "fifo.so"), 0o644))
	must(os.Mkdir(filepath.Join(root, "directory.so"), 0o755))
	must(os.Symlink(secret, filepath.Join(root, "outside.so")))
	must(os.Symlink("/libssl.so", filepath.Join(root, "inside.so")))
	must(os.Symlink("/proc/self/exe", filepath.Join(root, "magic.so")))
	inode := func(path string) (device, inode uint64) {
		stat := unix.Stat_t{}
		must(unix.Stat(path, &stat))
		return stat.Dev, stat.Ino
	}
	device, library := inode(filepath.Join(root, "libssl.so"))
	_, pipe := inode(filepath.Join(root, "fifo.so"))
	secretDevice, secretInode := inode(secret)
	cases := []struct {
		name   string
		wanted mapping
		opens  bool
	}{
		{"a library", mapping{device: device, inode: library, path: "/libssl.so"}, true},
		{"a link in the root", mapping{device: device, inode: library, path: "/inside.so"}, true},
		{"a FIFO", mapping{device: device, inode: pipe, path: "/fifo.so"}, false},
		{"a directory", mapping{device: device, inode: library, path: "/directory.so"}, false},
		{"a link out of the root", mapping{device: secretDevice, inode: secretInode, path: "/outside.so"}, false},
		{"a path out of the root", mapping{device: secretDevice, inode: secretInode, path: "/../.." + secret}, false},
		{"a link of procfs", mapping{device: device, inode: library, path: "/magic.so"}, false},
		{"another inode", mapping{device: device, inode: library + 1, path: "/libssl.so"}, false},
		{"another device", mapping{device: device + 1, inode: library, path: "/libssl.so"}, false},
		{"a deleted file of the same name", mapping{device: device, inode: library, path: "/libssl.so", deleted: true}, false},
		{"no file", mapping{device: device, inode: library, path: "/no.so"}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.wanted.addresses = "1000-2000"
			done := time.AfterFunc(10*time.Second, func() { panic("opening " + c.name + " waits") })
			defer done.Stop()
			file, err := fake.openMapped(pid, c.wanted)
			if err == nil {
				defer file.Close()
			}
			if (err == nil) != c.opens {
				t.Errorf("opening %s gives the error %v, want one: %v", c.wanted.path, err, !c.opens)
			}
		})
	}
}

func TestUnreadableFileIsTold(t *testing.T) {
	fake, pid, root := fakeProcess(t, "1000-2000 r-xp 00000000 00:01 7 /libssl.so\n")
	if err := unix.Mkfifo(filepath.Join(root, "libssl.so"), 0o644); err != nil {
		t.Fatal(err)
	}
	h := newHost(t)
	h.procfs = fake
	h.speaks(a, pid)
	h.wantHidden(a, tlslib.Hidden{Library: unknownLibrary, Reason: `"/libssl.so" cannot be read (it is not a regular file)`})
}
