package probe

import "github.com/cilium/ebpf"

// entryOverhead is what the kernel adds to an entry of a hash (struct htab_elem
// and the allocator), rounded up.
const entryOverhead = 64

// MapMemory is what the maps take of the kernel's memory, in bytes. Storage of
// sockets is not in it: it comes and goes with connections.
type MapMemory struct {
	Now  uint64 // as they are when they are made
	Most uint64 // once all that grow are full
}

// mapMemory adds up all maps. What the kernel does not tell counts as nothing.
func (p *Probe) mapMemory() MapMemory {
	var sum MapMemory
	for _, m := range p.maps {
		info, err := m.Info()
		if err != nil {
			continue
		}
		now, _ := info.Memlock()
		sum.Now += now
		sum.Most += max(now, mostOf(m))
	}
	return sum
}

// mostOf is the size of a hash that is full.
func mostOf(m *ebpf.Map) uint64 {
	if m.Type() != ebpf.Hash && m.Type() != ebpf.LRUHash {
		return 0
	}
	return uint64(m.MaxEntries()) * uint64(m.KeySize()+m.ValueSize()+entryOverhead)
}
