// Package tlstap decides which files get uprobes on the functions of a TLS
// library, and tells what of TLS cannot be seen.
//
// Only the processes of services that were seen to speak TLS are looked at.
// Every file that they map executable is analysed once, and attached to once,
// however many processes map it: a uprobe belongs to the inode and fires in all
// of them. It is detached when the last of these processes is gone.
//
// Everything happens in one goroutine, [Tap.Run]. Events are only noted by their
// callers, and answers come from the last report that this goroutine published,
// so that nobody ever waits for the file systems of strangers.
package tlstap

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"sonde_exporter/tlslib"
)

const (
	// sweepInterval is how soon the end of a process is noticed. A uprobe holds
	// the mount of its file busy, so that it should not stay for long.
	sweepInterval = 5 * time.Second
	// closeTimeout is how long Close waits for a file system that hangs.
	closeTimeout = 5 * time.Second
)

// Attacher puts the uprobes of one TLS library into place.
type Attacher interface {
	// AttachTLS attaches to all sites of image or to none. The path leads to the
	// file only until AttachTLS returns; it may end in a link of procfs, which
	// os.Stat and the kernel follow. An error may be a [SymbolError]. Closing
	// the result detaches.
	AttachTLS(path string, image tlslib.Image) (io.Closer, error)
}

// Options is what a Tap needs.
type Options struct {
	// Procfs is where procfs is mounted, /proc when empty.
	Procfs   string
	Attacher Attacher
	// Processes lists the thread group ids of a service.
	Processes func(service uint32) []uint32
	// NameOf is the name of a service for messages, its number when nil.
	NameOf func(service uint32) string
	Logger *slog.Logger
	// Now is the clock, time.Now when nil.
	Now func() time.Time
	// Linger is how long a file stays attached after the end of the last process
	// that uses it. With it, programs that run briefly but again and again are
	// seen from their second run on.
	Linger time.Duration
}

// Tap follows the services that speak TLS. It is safe for concurrent use.
type Tap struct {
	processesOf func(service uint32) []uint32
	nameOf      func(service uint32) string
	procfs      procfs
	logger      *slog.Logger
	now         func() time.Time
	queue       *queue
	published   atomic.Pointer[report]

	// turn is held by whoever works with what follows.
	turn   chan struct{}
	closed bool
	// changed says that what was published is out of date.
	changed     bool
	services    map[uint32]*service
	processes   map[uint32]*process
	analyser    *analyser
	attachments *attachments
}

// New returns a Tap that knows of no service yet.
func New(options Options) *Tap {
	if options.Procfs == "" {
		options.Procfs = "/proc"
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.NameOf == nil {
		options.NameOf = func(service uint32) string { return strconv.FormatUint(uint64(service), 10) }
	}
	t := &Tap{
		processesOf: options.Processes,
		nameOf:      options.NameOf,
		procfs:      procfs(options.Procfs),
		logger:      options.Logger,
		now:         options.Now,
		queue:       newQueue(),
		turn:        make(chan struct{}, 1),
		services:    map[uint32]*service{},
		processes:   map[uint32]*process{},
		analyser:    newAnalyser(tlslib.Find, options.Logger),
		attachments: newAttachments(options),
	}
	t.published.Store(&report{})
	return t
}

// Spoken says that a connection of a service speaks TLS and is not seen from the
// inside. The process is the one that was running, or 0 if that is not known:
// then all processes of the service are looked at. Spoken never blocks.
func (t *Tap) Spoken(service, tgid uint32) {
	t.queue.add(request{kind: spoken, service: service, pid: tgid})
}

// Joined says that a process became part of a service, or executed another
// program in it. It is looked at only if the service speaks TLS. Joined never
// blocks.
func (t *Tap) Joined(service, tgid uint32) {
	t.queue.add(request{kind: joined, service: service, pid: tgid})
}

// Forget says that a service is no more, and that its number may be used for
// another one. What only that service used is detached. Forget never blocks.
func (t *Tap) Forget(service uint32) {
	t.queue.forget(service)
}

// Run works until the context ends. It leaves everything attached.
func (t *Tap) Run(ctx context.Context) {
	ticker := time.NewTicker(sweepInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.queue.ready:
			t.work(ctx, t.answer)
		case <-ticker.C:
			t.work(ctx, t.sweep)
		}
	}
}

// work does one piece of work, unless the tap is closed, and publishes what it changed.
func (t *Tap) work(ctx context.Context, piece func(context.Context)) {
	t.turn <- struct{}{}
	defer func() { <-t.turn }()
	if t.closed {
		return
	}
	t.changed = false
	piece(ctx)
	if t.changed {
		t.published.Store(t.report())
	}
}

// Close detaches everything, and keeps anything from being attached again.
func (t *Tap) Close() error {
	select {
	case t.turn <- struct{}{}:
	case <-time.After(closeTimeout):
		return errors.New("TLS uprobes are not detached one by one because reading a mapped file hangs; the kernel removes them when Sonde ends")
	}
	defer func() { <-t.turn }()
	t.closed = true
	clear(t.services)
	clear(t.processes)
	err := t.attachments.close()
	t.published.Store(t.report())
	return err
}
