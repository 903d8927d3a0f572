// Package tracing turns the sampled requests of the kernel into spans of
// OpenTelemetry and uploads them in batches.
//
// It never holds anything back: its queue is bounded, what finds no room is
// dropped, and every span ends in exactly one of three counters, exported,
// dropped or failed. In these counters a request is one span, whatever phases it
// is shown with.
package tracing

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"sonde_exporter/config"
	"sonde_exporter/discovery"
	"sonde_exporter/otlp"
	"sonde_exporter/probe"
	"sonde_exporter/series"
)

// Client uploads spans; see otlp.TraceClient.
type Client interface {
	Upload(ctx context.Context, spans []*tracepb.ResourceSpans, failed func(*otlp.Failure)) (otlp.Receipt, error)
}

// Options say where spans come from, what is known about them, and where they go.
type Options struct {
	Config   config.Traces
	Resource map[string]string // added to every resource; what a service says of itself wins
	Host     string            // host.name
	Version  string            // of Sonde
	Client   Client
	Logger   *slog.Logger

	// Instance knows which service a span belongs to.
	Instance func(number uint32) (discovery.Instance, bool)
	// Operation knows route and server of a span whose operation has a number.
	Operation func(number uint32) (series.Operation, bool)
	// Route names the path of a span whose operation has no number yet. May be nil.
	Route func(instance uint32, path string) (route string, ignored bool)
	// Lost is how many sampled requests the kernel could not hand over, by reason.
	// May be nil.
	Lost func() map[string]uint64
}

const (
	// uploadsAtOnce hides the time to a distant receiver.
	uploadsAtOnce = 4

	// grace is how long spans may take to get out when Sonde ends.
	grace = 2 * time.Second

	// pauseAfterFailure spares a receiver that has just given up on a batch. Spans
	// wait in the queue meanwhile.
	pauseAfterFailure = 2 * time.Second

	// maxHead caps what is kept of a request, in bytes. The kernel sends less.
	maxHead = 8 << 10

	// maxBatchHeads caps the heads in a batch, in bytes. Receivers of gRPC take 4
	// MiB by default, and no head makes more than thrice its size in attributes.
	maxBatchHeads = 1 << 20
)

// ownExport begins the header by which a receiver that is itself a service on this
// host gets what Sonde exports: a span of that would make another export.
var ownExport = []byte("User-Agent: " + otlp.Agent + "/")

// Tracer takes sampled requests and uploads them as spans. It is safe for
// concurrent use.
type Tracer struct {
	options Options
	builder builder
	counts  counts
	health  health
	grace   time.Duration
	pause   time.Duration
	queue   chan probe.Span
	batches chan []probe.Span

	mu    sync.RWMutex // guards what follows, and the queue against being closed in use
	ended bool
	atEnd Outcome
}

// New returns a tracer. Spans wait until Run is called.
func New(options Options) *Tracer {
	return &Tracer{
		options: options,
		builder: newBuilder(options),
		health:  health{logger: options.Logger},
		grace:   grace,
		pause:   pauseAfterFailure,
		queue:   make(chan probe.Span, options.Config.QueueSize),
		batches: make(chan []probe.Span),
	}
}

// Span implements probe.SpanHandler: it takes over a sampled request. It never
// blocks: what finds no room in the queue is dropped and counted.
func (t *Tracer) Span(span *probe.Span) {
	if !span.Client && bytes.Contains(span.Head, ownExport) {
		return // no request of anybody's
	}
	t.counts.sampled.Add(1)
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.ended {
		t.counts.drop(droppedShutdown, 1)
		return
	}
	if len(t.queue) == cap(t.queue) { // before the head is copied in vain
		t.counts.drop(droppedQueueFull, 1)
		return
	}
	queued := *span
	queued.Head = bytes.Clone(span.Head[:min(len(span.Head), maxHead)])
	select {
	case t.queue <- queued:
	default:
		t.counts.drop(droppedQueueFull, 1)
	}
}

// Run uploads spans until ctx ends, and then those that are left, for a few
// seconds. When it returns, every span has been counted. It is called once.
func (t *Tracer) Run(ctx context.Context) {
	uploads, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var senders sync.WaitGroup
	for range uploadsAtOnce {
		senders.Go(func() { t.send(ctx, uploads) })
	}
	go t.gather()
	<-ctx.Done()
	t.end()
	deadline := time.AfterFunc(t.grace, cancel)
	defer deadline.Stop()
	senders.Wait()
}

// end closes the queue: no span comes in any more.
func (t *Tracer) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended, t.atEnd = true, t.counts.outcome()
	close(t.queue)
}

// Leftover is what became of the spans that were left when Run's context ended, and
// of those that came since. It is for after Run.
func (t *Tracer) Leftover() Outcome {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.counts.outcome().since(t.atEnd)
}

// gather makes batches of spans, by number, size and age, until the queue ends.
func (t *Tracer) gather() {
	defer close(t.batches)
	var batch []probe.Span
	heads := 0
	age := time.NewTimer(0)
	defer age.Stop()
	flush := func() {
		if len(batch) > 0 {
			t.batches <- batch // waits for an upload to end, while the queue fills
		}
		batch, heads = nil, 0
	}
	for {
		select {
		case span, open := <-t.queue:
			if !open {
				flush()
				return
			}
			if len(batch) == 0 {
				age.Reset(t.options.Config.BatchTimeout)
			}
			batch = append(batch, span)
			heads += len(span.Head)
			if len(batch) >= t.options.Config.BatchSize || heads >= maxBatchHeads {
				flush()
			}
		case <-age.C:
			flush()
		}
	}
}
