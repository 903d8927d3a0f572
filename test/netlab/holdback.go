package netlab

import "time"

// heldPacket waits until enough packets of its flow have overtaken it.
type heldPacket struct {
	packet    []byte
	flow      flow
	overtaken int
	deadline  time.Time
}

// holdback keeps the packets that are to arrive late, oldest first. It is not safe
// for concurrent use.
type holdback struct {
	gap   int
	limit time.Duration
	held  []heldPacket
}

// hold keeps a packet until gap others of its flow have passed or limit has gone.
func (h *holdback) hold(packet []byte, f flow, now time.Time) {
	h.held = append(h.held, heldPacket{packet: packet, flow: f, deadline: now.Add(h.limit)})
}

// passed notes that a packet of flow f went by, and returns the packets that have
// now been overtaken often enough.
func (h *holdback) passed(f flow) []heldPacket {
	for i := range h.held {
		if h.held[i].flow == f {
			h.held[i].overtaken++
		}
	}
	return h.release(func(p heldPacket) bool { return p.overtaken >= h.gap })
}

// expired returns the packets that have been held for as long as is allowed.
func (h *holdback) expired(now time.Time) []heldPacket {
	return h.release(func(p heldPacket) bool { return !p.deadline.After(now) })
}

// nextDeadline returns when the oldest packet has to go; false when none is held.
func (h *holdback) nextDeadline() (time.Time, bool) {
	if len(h.held) == 0 {
		return time.Time{}, false
	}
	return h.held[0].deadline, true
}

// release takes out the packets for which due holds.
func (h *holdback) release(due func(heldPacket) bool) []heldPacket {
	var released []heldPacket
	kept := h.held[:0]
	for _, p := range h.held {
		if due(p) {
			released = append(released, p)
		} else {
			kept = append(kept, p)
		}
	}
	clear(h.held[len(kept):])
	h.held = kept
	return released
}
