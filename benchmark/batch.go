package main

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
)

// readBatch is how many entries one system call copies, as in probe/series.go.
const readBatch = 256

// batch reads a hash many entries at a time, and keeps its buffers.
type batch[K, V any] struct {
	from   *ebpf.Map
	keys   []K
	values []V
	share  int // values of one key
}

func newBatch[K, V any](from *ebpf.Map, share int) *batch[K, V] {
	return &batch[K, V]{from: from, keys: make([]K, readBatch), values: make([]V, readBatch*share), share: share}
}

// each visits every key with its values.
func (b *batch[K, V]) each(visit func(K, []V)) error {
	var cursor ebpf.MapBatchCursor
	for {
		n, err := b.from.BatchLookup(&cursor, b.keys, b.values, nil)
		for i := range n {
			visit(b.keys[i], b.values[i*b.share:(i+1)*b.share])
		}
		if errors.Is(err, ebpf.ErrKeyNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("cannot read a map in batches: %w", err)
		}
	}
}
