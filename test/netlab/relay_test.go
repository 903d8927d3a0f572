package netlab

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// device is the end of a wire without a kernel behind it.
type device struct {
	incoming chan []byte
	outgoing [][]byte
	at       []time.Time
	refusal  error
}

func (d *device) Read(buffer []byte) (int, error) {
	packet, open := <-d.incoming
	if !open {
		return 0, os.ErrClosed
	}
	return copy(buffer, packet), nil
}

func (d *device) Write(packet []byte) (int, error) {
	if d.refusal != nil {
		return 0, d.refusal
	}
	d.outgoing = append(d.outgoing, packet)
	d.at = append(d.at, time.Now())
	return len(packet), nil
}

// carry sends packets through a relay, waits a second (of synctest's clock), and
// returns the far device and the counters.
func carry(t *testing.T, im Impairment, refusal error, packets ...[]byte) (*device, Counters) {
	t.Helper()
	near, far := &device{incoming: make(chan []byte)}, &device{refusal: refusal}
	r := newRelay(near, far, im.withDefaults(), 1)
	done := make(chan error)
	go func() { done <- r.read() }()
	go func() { r.send(); done <- nil }()
	for _, packet := range packets {
		near.incoming <- packet
	}
	time.Sleep(time.Second)
	close(near.incoming)
	for range 2 {
		if err := <-done; err != nil {
			t.Errorf("relay: %v", err)
		}
	}
	return far, r.tally.counters()
}

// numbered makes n data segments of one connection that carry 0, 1, 2 …
func numbered(n int) [][]byte {
	packets := make([][]byte, n)
	for i := range packets {
		packets[i] = ipv4Packet(protocolTCP, 0, 0, tcpSegment(0, string(binary.BigEndian.AppendUint32(nil, uint32(i)))))
	}
	return packets
}

// numbers reads what numbered wrote.
func numbers(packets [][]byte) []int {
	var ns []int
	for _, packet := range packets {
		ns = append(ns, int(binary.BigEndian.Uint32(packet[len(packet)-4:])))
	}
	return ns
}

func TestRelayCountsWhatItDid(t *testing.T) {
	const sent = 20000
	synctest.Test(t, func(t *testing.T) {
		im := Impairment{Loss: 0.02, Duplicate: 0.03, Reorder: 0.05, Seed: 7}
		far, got := carry(t, im, nil, numbered(sent)...)

		seen := make([]int, sent)
		var late, highest int
		for _, n := range numbers(far.outgoing) {
			seen[n]++
			if n < highest {
				late++
			}
			highest = max(highest, n)
		}
		var lost, twice int
		for _, times := range seen {
			switch times {
			case 0:
				lost++
			case 2:
				twice++
			}
		}
		want := Counters{Forwarded: uint64(len(far.outgoing)), Lost: uint64(lost), Duplicated: uint64(twice), Reordered: uint64(late)}
		if got != want {
			t.Errorf("relay counted %+v, the far end saw %+v", got, want)
		}
		// The bounds are more than five standard deviations wide, and the seed is fixed.
		expectNear(t, "lost", lost, sent*im.Loss)
		expectNear(t, "duplicated", twice, sent*(1-im.Loss)*im.Duplicate)
		expectNear(t, "reordered", late, sent*(1-im.Loss)*(1+im.Duplicate)*im.Reorder)
	})
}

func expectNear(t *testing.T, what string, got int, want float64) {
	t.Helper()
	if math.Abs(float64(got)-want) > 0.3*want {
		t.Errorf("%d packets were %s, expected about %.0f", got, what, want)
	}
}

func TestRelayRepeatsItselfWithTheSameSeed(t *testing.T) {
	order := func(seed uint64) (ns []int) {
		synctest.Test(t, func(t *testing.T) {
			far, _ := carry(t, Impairment{Loss: 0.1, Duplicate: 0.1, Reorder: 0.1, Seed: seed}, nil, numbered(500)...)
			ns = numbers(far.outgoing)
		})
		return ns
	}
	if !slices.Equal(order(1), order(1)) {
		t.Error("seed 1 gave two different orders")
	}
	if slices.Equal(order(1), order(2)) {
		t.Error("seeds 1 and 2 gave the same order")
	}
}

func TestRelayCertainties(t *testing.T) {
	for name, test := range map[string]struct {
		impairment Impairment
		want       []int
		counters   Counters
	}{
		"perfect wire": {Impairment{}, []int{0, 1, 2}, Counters{Forwarded: 3}},
		"all lost":     {Impairment{Loss: 1}, nil, Counters{Lost: 3}},
		"all doubled":  {Impairment{Duplicate: 1}, []int{0, 0, 1, 1, 2, 2}, Counters{Forwarded: 6, Duplicated: 3}},
		// Nothing overtakes, since everything is held: late, but in order.
		"all held": {Impairment{Reorder: 1}, []int{0, 1, 2}, Counters{Forwarded: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				far, counters := carry(t, test.impairment, nil, numbered(3)...)
				if got := numbers(far.outgoing); !slices.Equal(got, test.want) {
					t.Errorf("arrived %v, want %v", got, test.want)
				}
				if counters != test.counters {
					t.Errorf("counted %+v, want %+v", counters, test.counters)
				}
			})
		})
	}
}

func TestRelaySparesPacketsWithoutPayload(t *testing.T) {
	spared := [][]byte{
		ipv4Packet(protocolTCP, 0, 0, tcpSegment(5, "")),
		ipv6Packet(protocolTCP, tcpSegment(5, "")),
		ipv4Packet(1, 0, 0, make([]byte, 64)),
	}
	synctest.Test(t, func(t *testing.T) {
		packets := append(slices.Clone(spared), numbered(4)...)
		far, got := carry(t, Impairment{Loss: 1, PayloadOnly: true}, nil, packets...)
		if want := (Counters{Forwarded: 3, Lost: 4}); got != want {
			t.Errorf("counted %+v, want %+v", got, want)
		}
		if !slices.EqualFunc(far.outgoing, spared, slices.Equal) {
			t.Errorf("arrived %x, want %x", far.outgoing, spared)
		}
	})
}

func TestRelayTimes(t *testing.T) {
	for name, test := range map[string]struct {
		impairment Impairment
		want       time.Duration
	}{
		"no delay":       {Impairment{}, 0},
		"delay":          {Impairment{Delay: 30 * time.Millisecond}, 30 * time.Millisecond},
		"held":           {Impairment{Reorder: 1}, defaultHoldLimit},
		"held, own time": {Impairment{Reorder: 1, HoldLimit: time.Millisecond}, time.Millisecond},
		"delay and held": {Impairment{Reorder: 1, Delay: 30 * time.Millisecond}, 30*time.Millisecond + defaultHoldLimit},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				far, _ := carry(t, test.impairment, nil, numbered(3)...)
				if len(far.at) != 3 {
					t.Fatalf("%d packets arrived, want 3", len(far.at))
				}
				for i, at := range far.at {
					if got := at.Sub(start); got != test.want {
						t.Errorf("packet %d took %v, want %v", i, got, test.want)
					}
				}
			})
		})
	}
}

func TestRelayCountsRefusedPackets(t *testing.T) {
	for name, test := range map[string]struct {
		refusal error
		want    uint64
	}{
		"device down": {errors.New("input/output error"), 3},
		"lab closed":  {os.ErrClosed, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if _, got := carry(t, Impairment{}, test.refusal, numbered(3)...); got != (Counters{Refused: test.want}) {
					t.Errorf("counted %+v, want %d refused only", got, test.want)
				}
			})
		})
	}
}
