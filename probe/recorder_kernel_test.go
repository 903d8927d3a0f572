package probe

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sonde_exporter/bpf"
)

// tally counts observations by what they were: "server GET /users 200".
type tally map[string]uint64

func (t tally) total() uint64 {
	var sum uint64
	for _, count := range t {
		sum += count
	}
	return sum
}

// operation is what the recorder gave a number.
type operation struct {
	key  OperationKey
	name string
}

// recorder stands in for the rest of Sonde: it numbers every operation
// and files what the kernel hands over.
type recorder struct {
	probe *Probe

	mu         sync.Mutex
	instances  map[int]uint32 // by process that began to listen
	ports      map[uint32][]uint16
	joined     map[int]uint32 // by process that read a connection
	executed   map[int]uint32 // by process that became another program
	numbers    map[OperationKey]uint32
	operations map[uint32]operation
	announced  map[uint32]int // operations, by instance
	own        map[uint32]tally
	speakTLS   map[uint32]bool // instances
	spans      []Span
}

func newRecorder(p *Probe) *recorder {
	return &recorder{
		probe: p, instances: map[int]uint32{}, ports: map[uint32][]uint16{}, joined: map[int]uint32{}, executed: map[int]uint32{},
		numbers: map[OperationKey]uint32{}, operations: map[uint32]operation{},
		announced: map[uint32]int{}, own: map[uint32]tally{}, speakTLS: map[uint32]bool{},
	}
}

// Listens implements ProcessHandler.
func (r *recorder) Listens(event ProcessEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.instances[int(event.Tgid)] = event.Service
	r.ports[event.Service] = append(r.ports[event.Service], event.Port)
}

// Executes implements ProcessHandler.
func (r *recorder) Executes(event ProcessEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.executed[int(event.Tgid)] = event.Service
}

// Joins implements ProcessHandler.
func (r *recorder) Joins(event ProcessEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.joined[int(event.Tgid)] = event.Service
}

// SpeaksTLS implements ProcessHandler.
func (r *recorder) SpeaksTLS(event ProcessEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.speakTLS[event.Service] = true
}

// Span implements SpanHandler.
func (r *recorder) Span(span *Span) {
	r.mu.Lock()
	defer r.mu.Unlock()
	span.Head = slices.Clone(span.Head)
	r.spans = append(r.spans, *span)
}

// Operation implements RequestHandler.
func (r *recorder) Operation(event *OperationEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.announced[event.Key.Service]++
	number, known := r.numbers[event.Key]
	if !known {
		number = uint32(len(r.numbers) + 1)
		r.numbers[event.Key] = number
		r.operations[number] = operation{event.Key, nameOf(event)}
	}
	// What cannot be taught is asked again, and handed over until then.
	_ = r.probe.Teach(event.Key, number)
}

// nameOf is the path of a request that is served, the URL of one that is made.
func nameOf(event *OperationEvent) string {
	path := string(event.Path[:event.PathLength])
	if role, _ := Side(event.Key); bpf.SondeRole(role) == bpf.SondeRoleROLE_CLIENT {
		return "http://" + string(event.Host[:event.HostLength]) + path
	}
	return path
}

// Observation implements RequestHandler.
func (r *recorder) Observation(event *ObservationEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := r.own[event.Key.Service]
	if counts == nil {
		counts = tally{}
		r.own[event.Key.Service] = counts
	}
	known := r.operations[r.numbers[event.Key]]
	counts[known.describe(event.Status, event.Failure, event.Version)]++
}

// describe says what was observed, as tests expect it: "client GET
// http://example/ HTTP/1.0 200 truncated".
func (o operation) describe(status uint16, failure, version uint8) string {
	role, overTLS := Side(o.key)
	words := []string{roleNames[role], methodNames[o.key.Method], o.name}
	if overTLS {
		words[0] += " over TLS"
	}
	if version != 1 {
		words = append(words, fmt.Sprintf("HTTP/1.%d", version))
	}
	if status != 0 {
		words = append(words, strconv.Itoa(int(status)))
	}
	if failure != 0 {
		words = append(words, failureNames[failure])
	}
	return strings.Join(words, " ")
}

var (
	roleNames   = [...]string{"server", "client"}
	methodNames = [...]string{"_OTHER", "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}
	// In the order of enum failure.
	failureNames = [...]string{"", "closed", "reset", "timeout", "truncated", "failed"}
)

// tallyOf is everything that an instance was seen to do so far.
func (r *recorder) tallyOf(t *testing.T, instance uint32) tally {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	sum := maps.Clone(r.own[instance])
	if sum == nil {
		sum = tally{}
	}
	err := r.probe.NewReader().Each(func(key SeriesKey, histogram *bpf.SondeHistogram) {
		var count uint64
		for _, slot := range &histogram.Slots {
			count += slot
		}
		if count == 0 {
			return
		}
		if owner, role, other := IsOther(key.Operation); other && owner == instance {
			sum[strings.TrimSpace(roleNames[role]+" _other "+failureNames[key.Failure])] += count
		} else if known := r.operations[key.Operation]; !other && known.key.Service == instance {
			sum[known.describe(key.Status, key.Failure, key.Version)] += count
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// instanceOf waits until a process, or the one that it left in its place, is
// known to listen.
func (r *recorder) instanceOf(t *testing.T, p *player) uint32 {
	t.Helper()
	var instance uint32
	eventually(t, func() string {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, pid := range []int{p.pid, p.serving} {
			var known bool
			if instance, known = r.instances[pid]; known {
				return ""
			}
		}
		return fmt.Sprintf("no event tells that process %d listens", p.pid)
	})
	return instance
}

// expect waits until an instance was seen to do what is wanted, and nothing else.
func (r *recorder) expect(t *testing.T, instance uint32, want tally) {
	t.Helper()
	differs := func() string {
		if got := r.tallyOf(t, instance); !maps.Equal(got, want) {
			return fmt.Sprintf("observed %v, want %v", got, want)
		}
		return ""
	}
	eventually(t, differs)
	time.Sleep(patience(5 * time.Millisecond)) // for what should not come
	if complaint := differs(); complaint != "" {
		t.Fatal(complaint)
	}
}

// expectTotal is expect where only the number of observations is certain.
func (r *recorder) expectTotal(t *testing.T, instance uint32, want uint64) tally {
	t.Helper()
	var got tally
	eventually(t, func() string {
		if got = r.tallyOf(t, instance); got.total() != want {
			return fmt.Sprintf("observed %d, want %d: %v", got.total(), want, got)
		}
		return ""
	})
	return got
}

func (t tally) String() string { return fmt.Sprint(map[string]uint64(t)) }
