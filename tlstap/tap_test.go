package tlstap

import (
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sonde_exporter/tlslib"
)

const a, b = uint32(0), uint32(1) // two services

var nothingMapped = tlslib.Hidden{Library: unknownLibrary, Reason: "no TLS library known to Sonde is mapped"}

func TestPlaintextIsLeftAlone(t *testing.T) {
	h := newHost(t)
	process := start(t).maps(library(t, "openssl rustls"))
	h.members[a] = []uint32{process.pid}
	h.Joined(a, process.pid)
	h.settle()
	h.later(time.Minute)
	h.wantFiles()
	h.wantHidden(a)
	if h.listings+h.finds+h.attacher.attempts != 0 {
		t.Errorf("%d listings, %d analyses and %d attachments for a service that speaks plaintext, want none",
			h.listings, h.finds, h.attacher.attempts)
	}
}

func TestOneFileIsAttachedOnce(t *testing.T) {
	h := newHost(t)
	path := library(t, "openssl")
	first, second, third := start(t).maps(path), start(t).maps(path, path), start(t).maps(path)
	h.members[a] = []uint32{first.pid, second.pid}
	h.members[b] = []uint32{third.pid}

	h.speaks(a, first.pid) // The second process is found in the list of the service.
	h.wantFiles(openssl(path, 2, a))
	h.speaks(b, 0)
	h.wantFiles(openssl(path, 3, a, b))
	h.wantHidden(a)
	h.wantLogged(1, "level=INFO", "service=service-a", "library=openssl", "version=3", "file="+path)
	h.wantLogged(1, "level=INFO", "service=service-b", "library=openssl", "version=3", "file="+path)
	h.wantLogged(1, "level=DEBUG", "a service speaks TLS", "service=service-a")
	h.wantLogged(1, "level=DEBUG", "a mapped file gets uprobes", "library=openssl", "version=3", "file="+path)
	h.wantLogged(1, "level=DEBUG", "was searched", fmt.Sprintf("pid=%d ", first.pid), "with_uprobes=1", "hidden=0")

	first.stop()
	third.stop()
	h.later(sweepInterval)
	h.wantFiles(openssl(path, 1, a))
	second.stop()
	h.later(sweepInterval)
	h.wantFiles()
	if h.attacher.attempts != 1 {
		t.Errorf("attached %d times, want once", h.attacher.attempts)
	}
	if len(h.attachments.files)+len(h.processes) > 0 {
		t.Errorf("%d files and %d processes are remembered when all are gone", len(h.attachments.files), len(h.processes))
	}
}

func TestLibraryThatIsLoadedLate(t *testing.T) {
	h := newHost(t)
	path := library(t, "openssl gnutls")
	process := start(t)
	h.speaks(a, process.pid)
	h.wantFiles()
	h.wantHidden(a, nothingMapped)
	process.maps(path)
	h.speaks(a, process.pid) // At once: its maps are others than before.
	h.wantFiles(openssl(path, 1, a), File{Path: path, Library: tlslib.GnuTLS, Version: "30", Processes: 1, Services: []uint32{a}})
	h.wantHidden(a)
}

func TestNewProcessOfAServiceThatSpeaksTLS(t *testing.T) {
	h := newHost(t)
	path := library(t, "openssl")
	h.speaks(a, start(t).pid)
	worker := start(t).maps(path)
	h.Joined(a, worker.pid)
	h.settle()
	h.wantFiles(openssl(path, 1, a))
	// It executes another program, which does not map the library.
	worker.tell("exec", "ready")
	h.Joined(a, worker.pid)
	h.settle()
	h.later(sweepInterval)
	h.wantFiles()
	// It leaves for a service that speaks plaintext.
	worker.maps(path)
	h.speaks(a, worker.pid)
	h.wantFiles(openssl(path, 1, a))
	h.Joined(b, worker.pid)
	h.settle()
	h.later(sweepInterval)
	h.wantFiles()
}

func TestManyNewProcessesAreLeftToTheSweep(t *testing.T) {
	h := newHost(t)
	main, worker := start(t), start(t).maps(library(t, "openssl"))
	h.speaks(a, main.pid)
	for pid := range uint32(joinsPerSecond) {
		h.Joined(a, 1<<30+pid) // These are gone before anybody looks.
	}
	h.members[a] = []uint32{main.pid, worker.pid}
	h.Joined(a, worker.pid)
	h.settle()
	h.wantFiles()
	h.later(sweepInterval)
	if len(h.Files()) != 1 {
		t.Errorf("attached are %+v after the sweep, want the library of the process that was left out", h.Files())
	}
}

// TestLibraryThatIsLoadedAfterExec: the event of an exec comes before the loader
// has mapped anything.
func TestLibraryThatIsLoadedAfterExec(t *testing.T) {
	h := newHost(t)
	path := library(t, "openssl")
	old, young := start(t).maps(path), start(t)
	h.speaks(a, old.pid)
	h.Joined(a, young.pid)
	h.settle()
	young.maps(path)
	old.stop()
	h.later(sweepInterval)
	h.wantFiles(openssl(path, 1, a))
	if h.attacher.attempts != 1 {
		t.Errorf("attached %d times, want once and without a gap", h.attacher.attempts)
	}
}

func TestLargeFilesHaveTheirTurnLater(t *testing.T) {
	h := newHost(t)
	process := start(t).maps(library(t, "openssl"))
	find := h.analyser.find
	h.analyser.find = func(source io.ReaderAt, size int64) (tlslib.Found, error) {
		found, err := find(source, size)
		*source.(*meter).left = 0 // As if it had been that large.
		return found, err
	}
	h.speaks(a, process.pid)
	h.wantHidden(a, tlslib.Hidden{Library: unknownLibrary, Reason: "not all of them were looked at yet"})
	for range 20 {
		h.later(maxPause)
	}
	h.wantHidden(a)
	if len(h.Files()) != 1 {
		t.Errorf("attached are %+v, want the library", h.Files())
	}
}

func TestLostEventDoesNotDetach(t *testing.T) {
	h := newHost(t)
	path := library(t, "openssl")
	old := start(t).maps(path)
	h.speaks(a, old.pid)
	successor := start(t).maps(path)
	h.members[a] = []uint32{successor.pid} // Nobody said that it joined.
	old.stop()
	h.later(sweepInterval)
	h.wantFiles(openssl(path, 1, a))
	if h.attacher.attempts != 1 {
		t.Errorf("attached %d times, want once and without a gap", h.attacher.attempts)
	}
}

func TestProcessThatEnds(t *testing.T) {
	h := newHost(t)
	gone := start(t).maps(library(t, "openssl"))
	gone.stop()
	h.speaks(a, gone.pid)
	h.wantHidden(a, tlslib.Hidden{Library: unknownLibrary, Reason: "ended before they could be looked at"})

	path := library(t, "openssl")
	zombie := start(t).maps(path)
	h.speaks(b, zombie.pid)
	h.wantFiles(openssl(path, 1, b))
	zombie.end()
	waitForZombie(t, zombie.pid)
	h.later(sweepInterval)
	h.wantFiles()
	h.wantLogged(0, "level=WARN")
}

// waitForZombie waits until a process has ended, without reaping it.
func waitForZombie(t *testing.T, pid uint32) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if _, err := procfs("/proc").start(pid); isGone(err) {
			return
		}
	}
	t.Fatalf("process %d does not end", pid)
}

func TestInvisibleServiceCostsLittle(t *testing.T) {
	h := newHost(t)
	process := start(t).maps(library(t, "rustls"))
	h.members[a] = []uint32{process.pid}
	const seconds = 1000
	for range seconds {
		h.speaks(a, 0)
		h.clock = h.clock.Add(time.Second)
	}
	h.wantHidden(a, tlslib.Hidden{Library: "rustls", Reason: "it is not known how"})
	if h.finds != len(h.analyser.known) {
		t.Errorf("%d analyses of %d files, want each once", h.finds, len(h.analyser.known))
	}
	if most := seconds/int(maxPause/time.Second) + 10; h.listings > most {
		t.Errorf("its processes were listed %d times in %d s, want at most %d", h.listings, seconds, most)
	}
}

func TestFailureToAttach(t *testing.T) {
	h := newHost(t)
	path := library(t, "openssl")
	h.attacher.err = fmt.Errorf("uprobe: %w", &SymbolError{"SSL_write", unix.EPERM})
	process := start(t).maps(path)
	h.speaks(a, process.pid)
	h.wantFiles()
	h.wantLogged(1, "level=WARN", "service=service-a", "file="+path, "symbol=SSL_write", "CAP_SYS_ADMIN")
	h.wantHidden(a, tlslib.Hidden{Library: "OpenSSL", Reason: "uprobes cannot be attached to SSL_write"})
	h.later(0)
	if h.attacher.attempts != 1 {
		t.Errorf("%d attempts before the pause was over, want 1", h.attacher.attempts)
	}
	for range 100 {
		h.later(time.Second)
	}
	if h.attacher.attempts < 5 || h.attacher.attempts > 8 { // after 1, 2, 4, 8, 16, 32 and 60 s
		t.Errorf("%d attempts in 100 s, want a few", h.attacher.attempts)
	}
	want := Failure{tlslib.OpenSSL, "permission", uint64(h.attacher.attempts)}
	if got := h.Failures(); len(got) != 1 || got[0] != want {
		t.Errorf("failures are %+v, want %+v", got, want)
	}
	h.wantLogged(1, "level=WARN")

	h.attacher.err = nil
	h.later(maxPause)
	h.wantFiles(openssl(path, 1, a))
	h.wantHidden(a)
	h.wantLogged(1, "level=INFO", "service=service-a", "file="+path)
}

func TestFailureOfOneLibraryDoesNotStopAnother(t *testing.T) {
	h := newHost(t)
	failing, good := library(t, "openssl"), library(t, "openssl")
	h.attacher.err = errors.New("out of luck")
	h.speaks(a, start(t).maps(failing).pid)
	h.attacher.err = nil
	h.speaks(b, start(t).maps(failing, good).pid)
	h.wantFiles(openssl(good, 1, b)) // The other one has to wait for its turn.
	h.later(maxPause)
	if len(h.Files()) != 2 {
		t.Errorf("attached are %+v, want both files", h.Files())
	}
}

func TestForgottenNumberIsUsedAgain(t *testing.T) {
	h := newHost(t)
	path := library(t, "openssl")
	h.speaks(a, start(t).maps(path).pid)
	h.Forget(a)
	h.settle()
	h.wantHidden(a)
	h.later(sweepInterval)
	h.wantFiles()
	next := start(t).maps(path)
	h.Joined(a, next.pid) // The new service has not spoken TLS.
	h.settle()
	h.wantFiles()
	h.speaks(a, next.pid)
	h.wantFiles(openssl(path, 1, a))
	h.wantLogged(2, "service=service-a", "file="+path)
}

func TestLinger(t *testing.T) {
	h := newHost(t)
	h.attachments.linger = time.Minute
	path := library(t, "openssl")
	process := start(t).maps(path)
	h.speaks(a, process.pid)
	process.stop()
	h.later(sweepInterval)
	h.wantFiles(openssl(path, 0))
	h.later(time.Minute)
	h.wantFiles()
}

func TestClosedTapAttachesNothing(t *testing.T) {
	h := newHost(t)
	process := start(t).maps(library(t, "openssl"))
	h.speaks(a, process.pid)
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	h.wantFiles()
	h.speaks(b, process.pid)
	h.wantFiles()
	if len(h.attacher.attached) > 0 {
		t.Error("a closed tap has attached to a file")
	}
}

func TestInodeThatBecameAnotherFile(t *testing.T) {
	h := newHost(t)
	path := library(t, "openssl")
	h.attacher.err = unix.EPERM
	process := start(t).maps(path)
	h.speaks(a, process.pid)
	process.stop()
	h.later(0)
	// The record stays until its pause is over; the inode may be free by now.
	writeLibrary(t, path, "gnutls")
	if err := os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	h.attacher.err = nil
	h.speaks(a, start(t).maps(path).pid)
	if got := h.Files(); len(got) != 1 || got[0].Library != tlslib.GnuTLS {
		t.Errorf("attached are %+v, want what the file holds now", got)
	}
}
