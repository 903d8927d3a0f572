package probe

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
)

// eachEntry visits the entries of a map. Those that come and go meanwhile may be
// missed, or visited twice.
func eachEntry[K, V any](m *ebpf.Map, visit func(K, V)) error {
	var key K
	var value V
	entries := m.Iterate()
	for entries.Next(&key, &value) {
		visit(key, value)
	}
	if err := entries.Err(); err != nil && !errors.Is(err, ebpf.ErrIterationAborted) {
		return fmt.Errorf("%s cannot be read: %w", m, err)
	}
	return nil
}

// deleteWhere removes the entries that match.
func deleteWhere[K, V any](m *ebpf.Map, matches func(K, V) bool) error {
	var keys []K
	failures := []error{eachEntry(m, func(key K, value V) {
		if matches(key, value) {
			keys = append(keys, key)
		}
	})}
	for _, key := range keys {
		failures = append(failures, deleteIfThere(m, key))
	}
	return errors.Join(failures...)
}

func deleteIfThere(m *ebpf.Map, key any) error {
	if err := m.Delete(key); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
		return fmt.Errorf("an entry of %s cannot be deleted: %w", m, err)
	}
	return nil
}

// ignored takes a value that nobody looks at.
type ignored struct{}

// UnmarshalBinary implements encoding.BinaryUnmarshaler.
func (ignored) UnmarshalBinary([]byte) error { return nil }
