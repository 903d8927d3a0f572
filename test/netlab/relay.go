package netlab

import (
	"bytes"
	"errors"
	"io"
	"os"
	"time"
)

const (
	// largestPacket is the most that an IP packet can be. The devices' MTU is smaller,
	// but a test may raise it, and a short read would cut the packet.
	largestPacket = 65535

	// relayQueue is how many packets wait in one direction. It is also what limits the
	// bandwidth of a wire with delay: relayQueue packets per Delay.
	relayQueue = 4096
)

// arrival is a packet read from the sending device.
type arrival struct {
	packet []byte
	at     time.Time
}

// relay carries packets in one direction. Its two loops, read and send, each run in
// a goroutine of their own, so that reading never waits for the delay.
type relay struct {
	from io.Reader
	to   io.Writer

	impairment Impairment
	dice       *dice
	holdback   holdback
	tally      tally
	queue      chan arrival
}

// newRelay makes a relay; stream tells its random decisions from those of the
// other direction.
func newRelay(from io.Reader, to io.Writer, im Impairment, stream uint64) *relay {
	return &relay{
		from:       from,
		to:         to,
		impairment: im,
		dice:       newDice(im, stream),
		holdback:   holdback{gap: im.ReorderGap, limit: im.HoldLimit},
		queue:      make(chan arrival, relayQueue),
	}
}

// read fills the queue until the device is closed, then ends the send loop too. It
// returns nil when the device was closed by the lab.
func (r *relay) read() error {
	defer close(r.queue)
	buffer := make([]byte, largestPacket)
	for {
		n, err := r.from.Read(buffer)
		if errors.Is(err, os.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		r.queue <- arrival{packet: bytes.Clone(buffer[:n]), at: time.Now()}
	}
}

// send empties the queue until it is closed. Packets that are then still delayed or
// held back are dropped: their device is gone.
func (r *relay) send() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var delayed *arrival
	for {
		queue := r.queue
		if delayed != nil {
			queue = nil // the delay is the same for all, so the first packet is due first
		}
		select {
		case next, open := <-queue:
			if !open {
				return
			}
			delayed = &next
		case <-timer.C:
		}

		now := time.Now()
		for _, p := range r.holdback.expired(now) {
			r.writeHeld(p)
		}
		if delayed != nil && !r.due(*delayed).After(now) {
			r.impair(delayed.packet, now)
			delayed = nil
		}
		r.setTimer(timer, delayed)
	}
}

func (r *relay) due(a arrival) time.Time { return a.at.Add(r.impairment.Delay) }

// setTimer makes the timer fire when the delayed packet or a held one is due.
func (r *relay) setTimer(timer *time.Timer, delayed *arrival) {
	wake, wanted := r.holdback.nextDeadline()
	if delayed != nil {
		if due := r.due(*delayed); !wanted || due.Before(wake) {
			wake, wanted = due, true
		}
	}
	if !wanted {
		timer.Stop()
		return
	}
	timer.Reset(time.Until(wake))
}

// impair decides what becomes of a packet: nothing, one copy or two, each of them
// at once or after later packets.
func (r *relay) impair(packet []byte, now time.Time) {
	h := parseHeader(packet)
	if r.impairment.spares(h) {
		r.write(packet)
		return
	}
	if r.dice.loses() {
		r.tally.lost.Add(1)
		return
	}
	copies := 1
	if r.dice.duplicates() {
		r.tally.duplicated.Add(1)
		copies = 2
	}
	held := 0
	for range copies {
		if r.dice.holds() {
			held++
		} else {
			r.write(packet)
		}
	}
	if held < copies {
		for _, p := range r.holdback.passed(h.flow) {
			r.writeHeld(p)
		}
	}
	// Only now, so that a packet never counts as overtaken by its own duplicate.
	for range held {
		r.holdback.hold(packet, h.flow, now)
	}
}

func (r *relay) writeHeld(p heldPacket) {
	if p.overtaken > 0 {
		r.tally.reordered.Add(1)
	}
	r.write(p.packet)
}

func (r *relay) write(packet []byte) {
	switch _, err := r.to.Write(packet); {
	case err == nil:
		r.tally.forwarded.Add(1)
	case !errors.Is(err, os.ErrClosed): // a closed device is the end of the lab, no loss
		r.tally.refused.Add(1)
	}
}
