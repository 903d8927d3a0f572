package probe

import (
	"encoding/binary"
	"testing"
	"unsafe"

	"sonde_exporter/bpf"
)

func TestOtherOperation(t *testing.T) {
	for _, service := range []uint32{0, 1, 2, Services - 1} {
		for _, role := range []uint8{0, 1} {
			number := OtherOperation(service, role)
			gotService, gotRole, ok := IsOther(number)
			if !ok || gotService != service || gotRole != role {
				t.Errorf("IsOther(OtherOperation(%d, %d)) = %d, %d, %t", service, role, gotService, gotRole, ok)
			}
			if number == Ignored {
				t.Errorf("the overflow series of service %d, role %d is taken for ignored", service, role)
			}
		}
	}
	for _, number := range []uint32{0, 1, 1<<31 - 1, Ignored} {
		if _, _, ok := IsOther(number); ok {
			t.Errorf("operation %#x is taken for an overflow series", number)
		}
	}
}

func TestDecode(t *testing.T) {
	record := make([]byte, unsafe.Sizeof(ObservationEvent{})+8) // the ring pads records
	binary.NativeEndian.PutUint32(record, uint32(bpf.SondeEventTypeEVENT_OBSERVATION))
	binary.NativeEndian.PutUint16(record[4:], 503)
	binary.NativeEndian.PutUint64(record[unsafe.Offsetof(ObservationEvent{}.DurationNs):], 1234)
	event, ok := decode[ObservationEvent](record)
	if !ok || event.Status != 503 || event.DurationNs != 1234 {
		t.Errorf("decode = %+v, %t", event, ok)
	}
	if _, ok := decode[ObservationEvent](record[:unsafe.Sizeof(*event)-1]); ok {
		t.Error("a record that is too short was decoded")
	}
}

func TestEveryLossHasAName(t *testing.T) {
	if len(losses) != int(bpf.SondeLossLOSSES) {
		t.Fatalf("%d names for %d losses", len(losses), bpf.SondeLossLOSSES)
	}
	seen := map[string]bool{}
	for number, loss := range losses {
		if loss.Reason == "" || seen[loss.Reason] || loss.Meaning == "" {
			t.Errorf("loss %d is called %q, which is empty or taken, and means %q", number, loss.Reason, loss.Meaning)
		}
		seen[loss.Reason] = true
	}
}
