package netlab

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	// defaultReorderGap is one more than the two duplicate acknowledgements that
	// TCP forgives (RFC 5681, section 3.2), so the sender sees a loss and
	// retransmits a segment that will arrive after all.
	defaultReorderGap = 3

	// defaultHoldLimit is far below TCP's smallest retransmission timeout on
	// Linux, 200 ms, so a packet held on a quiet connection is not taken for lost.
	defaultHoldLimit = 5 * time.Millisecond
)

// Impairment says how bad the wire is, alike in both directions. The zero value
// is a perfect wire. Probabilities are per packet and run from 0 to 1.
type Impairment struct {
	// Loss is the probability that a packet never arrives.
	Loss float64

	// Duplicate is the probability that a packet arrives twice.
	Duplicate float64

	// Reorder is the probability that a packet is held back while later ones pass.
	// The copies of a duplicated packet are held independently of each other.
	Reorder float64

	// ReorderGap is how many later packets of the same connection overtake a packet
	// that is held back. Zero means 3.
	ReorderGap int

	// HoldLimit is the longest time that a packet is held back when too few others
	// follow. Zero means 5 ms.
	HoldLimit time.Duration

	// Delay is added to each packet's journey, in each direction.
	Delay time.Duration

	// PayloadOnly spares all packets but TCP segments that carry data. Handshakes
	// then never wait for TCP's first retransmission, which comes after a second.
	PayloadOnly bool

	// Seed starts the random sequence of decisions. The sequence is the same for the
	// same seed; which packet meets which decision depends on the traffic's timing.
	Seed uint64
}

// validate returns one error that names every value out of range.
func (im Impairment) validate() error {
	var problems []error
	for _, p := range []struct {
		name  string
		value float64
	}{{"Loss", im.Loss}, {"Duplicate", im.Duplicate}, {"Reorder", im.Reorder}} {
		// Written so that NaN, which compares false with everything, is refused too.
		if inRange := p.value >= 0 && p.value <= 1; !inRange {
			problems = append(problems, fmt.Errorf("netlab: %s is %v: give a probability from 0 to 1", p.name, p.value))
		}
	}
	if im.ReorderGap < 0 {
		problems = append(problems, fmt.Errorf("netlab: ReorderGap is %d: give a number of packets, or 0 for the default", im.ReorderGap))
	}
	if im.HoldLimit < 0 {
		problems = append(problems, fmt.Errorf("netlab: HoldLimit is %v: give a positive time, or 0 for the default", im.HoldLimit))
	}
	if im.Delay < 0 {
		problems = append(problems, fmt.Errorf("netlab: Delay is %v: give a time of 0 or more", im.Delay))
	}
	return errors.Join(problems...)
}

// withDefaults fills in the values that were left at zero.
func (im Impairment) withDefaults() Impairment {
	if im.ReorderGap == 0 {
		im.ReorderGap = defaultReorderGap
	}
	if im.HoldLimit == 0 {
		im.HoldLimit = defaultHoldLimit
	}
	return im
}

// spares reports whether a packet crosses the wire unharmed by option.
func (im Impairment) spares(h header) bool {
	return im.PayloadOnly && h.tcpPayload == 0
}

// dice draws the decisions of one direction. It is not safe for concurrent use.
type dice struct {
	impairment Impairment
	random     *rand.Rand
}

func newDice(im Impairment, stream uint64) *dice {
	return &dice{impairment: im, random: rand.New(rand.NewPCG(im.Seed, stream))}
}

func (d *dice) loses() bool      { return d.random.Float64() < d.impairment.Loss }
func (d *dice) duplicates() bool { return d.random.Float64() < d.impairment.Duplicate }
func (d *dice) holds() bool      { return d.random.Float64() < d.impairment.Reorder }
