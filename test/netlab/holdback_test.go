package netlab

import (
	"slices"
	"testing"
	"time"
)

func released(packets []heldPacket) []string {
	var names []string
	for _, p := range packets {
		names = append(names, string(p.packet))
	}
	return names
}

func expectReleased(t *testing.T, got []heldPacket, want ...string) {
	t.Helper()
	if !slices.Equal(released(got), want) {
		t.Errorf("released %q, want %q", released(got), want)
	}
}

func TestHoldbackCountsOnlyTheSameFlow(t *testing.T) {
	now := time.Now()
	a, b := flow{port: 1}, flow{port: 2}
	h := holdback{gap: 2, limit: time.Second}
	h.hold([]byte("a1"), a, now)
	h.hold([]byte("b1"), b, now)

	expectReleased(t, h.passed(a))
	expectReleased(t, h.passed(b))
	h.hold([]byte("a2"), a, now)
	expectReleased(t, h.passed(a), "a1")
	expectReleased(t, h.passed(a), "a2")
	expectReleased(t, h.passed(a))
	expectReleased(t, h.passed(b), "b1")
}

func TestHoldbackReleasesInTime(t *testing.T) {
	start := time.Now()
	after := start.Add
	h := holdback{gap: 3, limit: 5 * time.Millisecond}
	if _, waiting := h.nextDeadline(); waiting {
		t.Error("an empty holdback has a deadline")
	}
	h.hold([]byte("first"), flow{}, start)
	h.hold([]byte("second"), flow{}, after(time.Millisecond))

	if deadline, waiting := h.nextDeadline(); !waiting || !deadline.Equal(after(5*time.Millisecond)) {
		t.Errorf("deadline %v (%v), want %v", deadline, waiting, after(5*time.Millisecond))
	}
	expectReleased(t, h.expired(after(5*time.Millisecond-1)))
	expectReleased(t, h.expired(after(5*time.Millisecond)), "first")
	expectReleased(t, h.expired(after(time.Hour)), "second")
	if _, waiting := h.nextDeadline(); waiting {
		t.Error("a holdback has a deadline after its last packet left")
	}
}
