package tracing

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"sonde_exporter/otlp"
	"sonde_exporter/probe"
)

// upload is what a test lets become of a batch of so many spans.
type upload func(ctx context.Context, spans int, failed func(*otlp.Failure)) (otlp.Receipt, error)

// Upload implements Client.
func (u upload) Upload(ctx context.Context, resources []*tracepb.ResourceSpans, failed func(*otlp.Failure)) (otlp.Receipt, error) {
	spans := 0
	for _, resource := range resources {
		for _, scope := range resource.GetScopeSpans() {
			spans += len(scope.GetSpans())
		}
	}
	return u(ctx, spans, failed)
}

// totals are the accounts by name and reason.
func totals(t *testing.T, tracer *Tracer) map[string]uint64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(tracer)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]uint64{}
	for _, family := range families {
		name := strings.TrimSuffix(strings.TrimPrefix(family.GetName(), "sonde_spans_"), "_total")
		for _, metric := range family.GetMetric() {
			value := uint64(metric.GetCounter().GetValue() + metric.GetGauge().GetValue())
			counts[name] += value
			for _, label := range metric.GetLabel() {
				counts[name+" "+label.GetValue()] += value
			}
		}
	}
	return counts
}

func expect(t *testing.T, tracer *Tracer, want map[string]uint64) {
	t.Helper()
	counts := totals(t, tracer)
	for name, value := range want {
		if counts[name] != value {
			t.Errorf("%s: %d, want %d", name, counts[name], value)
		}
	}
}

func (t *Tracer) feed(spans int) {
	span := served(plainHead)
	for range spans {
		t.Span(&span)
	}
}

// start runs a tracer; the function that is returned ends it, and waits for it.
func start(t *testing.T, tracer *Tracer) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { tracer.Run(ctx) })
	return func() {
		cancel()
		running.Wait()
	}
}

func newTracer(client upload) *Tracer {
	o := options()
	o.Config, o.Client = tracesConfig(), client
	return New(o)
}

func TestBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var sizes []int
		var ages []time.Duration
		begin := time.Now()
		tracer := newTracer(func(_ context.Context, spans int, _ func(*otlp.Failure)) (otlp.Receipt, error) {
			mu.Lock()
			defer mu.Unlock()
			sizes, ages = append(sizes, spans), append(ages, time.Since(begin))
			return otlp.Receipt{}, nil
		})
		stop := start(t, tracer)
		tracer.feed(10) // a batch by number
		synctest.Wait()
		tracer.feed(3) // one by age
		time.Sleep(600 * time.Millisecond)
		tracer.feed(2) // one at the end
		stop()
		if len(sizes) != 3 || sizes[0] != 10 || sizes[1] != 3 || sizes[2] != 2 {
			t.Fatalf("batches of %d", sizes)
		}
		if ages[0] != 0 || ages[1] != 500*time.Millisecond || ages[2] != 600*time.Millisecond {
			t.Errorf("batches after %s", ages)
		}
		if got, want := tracer.Leftover(), (Outcome{Exported: 2}); got != want {
			t.Errorf("what was left became %+v, want %+v", got, want)
		}
		expect(t, tracer, map[string]uint64{"sampled": 15, "exported": 15, "dropped": 0, "failed": 0, "queued": 0})
	})
}

func TestBatchesBySize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var largest atomic.Int64
		tracer := newTracer(func(_ context.Context, spans int, _ func(*otlp.Failure)) (otlp.Receipt, error) {
			for seen := largest.Load(); int64(spans) > seen && !largest.CompareAndSwap(seen, int64(spans)); {
				seen = largest.Load()
			}
			return otlp.Receipt{}, nil
		})
		tracer.options.Config.BatchSize = 1 << 20
		tracer.queue = make(chan probe.Span, 1<<12)
		stop := start(t, tracer)
		span := served(strings.Repeat("x", 3*maxHead))
		for range 1000 {
			tracer.Span(&span)
		}
		stop()
		if got := largest.Load(); got != maxBatchHeads/maxHead {
			t.Errorf("a batch of %d spans", got)
		}
	})
}

// TestHeadIsCopied has a caller that uses the bytes of a head again.
func TestHeadIsCopied(t *testing.T) {
	tracer := newTracer(nil)
	span := served(plainHead)
	tracer.Span(&span)
	clear(span.Head)
	if queued := <-tracer.queue; string(queued.Head) != plainHead {
		t.Errorf("the head is %q", queued.Head)
	}
}

// TestHangingUpload has a receiver that never answers: spans queue up, are then
// dropped, and at the end all of them are accounted for.
func TestHangingUpload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tracer := newTracer(func(ctx context.Context, _ int, _ func(*otlp.Failure)) (otlp.Receipt, error) {
			<-ctx.Done()
			return otlp.Receipt{}, &otlp.Failure{Kind: otlp.Timeout}
		})
		stop := start(t, tracer)
		for range 50 {
			tracer.feed(10)
			synctest.Wait()
		}
		inFlight := uint64((uploadsAtOnce + 1) * 10) // and one batch that waits
		expect(t, tracer, map[string]uint64{
			"sampled": 500, "queued": 100, "dropped queue_full": 400 - inFlight, "failed": 0, "exported": 0,
		})
		begin := time.Now()
		stop()
		if took := time.Since(begin); took != grace {
			t.Errorf("it took %s to end, want %s", took, grace)
		}
		expect(t, tracer, map[string]uint64{
			"sampled": 500, "queued": 0, "exported": 0, "failed timeout": uploadsAtOnce * 10,
			"dropped queue_full": 400 - inFlight, "dropped shutdown": 110,
		})
		tracer.feed(1)
		expect(t, tracer, map[string]uint64{"sampled": 501, "dropped shutdown": 111})
		if got, want := tracer.Leftover(), (Outcome{Failed: uploadsAtOnce * 10, Dropped: 111}); got != want {
			t.Errorf("what was left became %+v, want %+v", got, want)
		}
	})
}

func TestAccounts(t *testing.T) {
	tests := []struct {
		name    string
		receipt otlp.Receipt
		err     error
		want    map[string]uint64
	}{
		{"all taken", otlp.Receipt{Warning: "careful"}, nil, map[string]uint64{"exported": 10}},
		{"some rejected", otlp.Receipt{Rejected: 3, Failure: &otlp.Failure{Kind: otlp.Rejected}}, nil,
			map[string]uint64{"exported": 7, "failed": 3, "failed rejected": 3}},
		{"credentials", otlp.Receipt{}, &otlp.Failure{Kind: otlp.Unauthorized}, map[string]uint64{"failed": 10, "failed unauthorized": 10}},
		{"busy", otlp.Receipt{}, &otlp.Failure{Kind: otlp.Unavailable}, map[string]uint64{"failed": 10, "failed unavailable": 10}},
		{"nobody there", otlp.Receipt{}, &otlp.Failure{Kind: otlp.Refused}, map[string]uint64{"failed": 10, "failed refused": 10}},
		{"another error", otlp.Receipt{}, errors.New("odd"), map[string]uint64{"failed": 10, "failed other": 10}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tracer := newTracer(func(context.Context, int, func(*otlp.Failure)) (otlp.Receipt, error) {
					return test.receipt, test.err
				})
				tracer.options.Lost = func() map[string]uint64 { return map[string]uint64{"ring_full": 4} }
				stop := start(t, tracer)
				tracer.feed(10)
				unknown := served("")
				unknown.Service = 99
				tracer.Span(&unknown)
				stop()
				expect(t, tracer, test.want)
				expect(t, tracer, map[string]uint64{
					"sampled": 15, "dropped": 5, "dropped unknown_service": 1, "dropped ring_full": 4,
				})
			})
		})
	}
}

// TestPause has a receiver that gives up on every batch, and is left in peace.
func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var uploads atomic.Int64
		tracer := newTracer(func(context.Context, int, func(*otlp.Failure)) (otlp.Receipt, error) {
			uploads.Add(1)
			return otlp.Receipt{}, &otlp.Failure{Kind: otlp.Unauthorized}
		})
		stop := start(t, tracer)
		for range 100 {
			tracer.feed(50)
			time.Sleep(100 * time.Millisecond)
		}
		most := int64(uploadsAtOnce * (10*time.Second/pauseAfterFailure + 1))
		if got := uploads.Load(); got > most {
			t.Errorf("%d uploads in 10 s, want at most %d", got, most)
		}
		stop()
	})
}

// TestNothingGoesMissing loads a tracer from several sides, with a receiver that
// takes, rejects, refuses and delays as chance has it.
func TestNothingGoesMissing(t *testing.T) {
	var taken atomic.Uint64
	tracer := newTracer(func(ctx context.Context, spans int, _ func(*otlp.Failure)) (otlp.Receipt, error) {
		switch rand.IntN(4) {
		case 0:
			return otlp.Receipt{}, &otlp.Failure{Kind: otlp.Unavailable}
		case 1:
			taken.Add(uint64(spans - 1))
			return otlp.Receipt{Rejected: 1, Failure: &otlp.Failure{Kind: otlp.Rejected}}, nil
		case 2:
			select {
			case <-time.After(time.Millisecond):
			case <-ctx.Done():
			}
		}
		taken.Add(uint64(spans))
		return otlp.Receipt{}, nil
	})
	tracer.pause = time.Millisecond
	stop := start(t, tracer)
	const feeders, each = 8, 20000
	var feeding sync.WaitGroup
	for range feeders {
		feeding.Go(func() { tracer.feed(each) })
	}
	feeding.Go(func() { // a scrape never sees more than was sampled
		for range 50 {
			counts := totals(t, tracer)
			if out := counts["exported"] + counts["dropped"] + counts["failed"]; out > counts["sampled"] {
				t.Errorf("%d of %d spans are accounted for", out, counts["sampled"])
			}
		}
	})
	feeding.Wait()
	stop()
	counts := totals(t, tracer)
	if counts["sampled"] != feeders*each || counts["exported"]+counts["dropped"]+counts["failed"] != feeders*each {
		t.Errorf("accounts do not add up: %v", counts)
	}
	if counts["exported"] != taken.Load() {
		t.Errorf("%d spans exported, the receiver has %d", counts["exported"], taken.Load())
	}
	for _, name := range []string{"exported", "dropped queue_full", "failed rejected", "failed unavailable"} {
		if counts[name] == 0 {
			t.Errorf("no span was %s: the test shows little", name)
		}
	}
}

func TestMetricsAreTidy(t *testing.T) {
	tracer := newTracer(nil)
	problems, err := testutil.CollectAndLint(tracer)
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
}
